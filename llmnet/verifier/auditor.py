"""From an opened receipt to a finding: fetch, check, run the reference, keep the result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from llmnet import proof
from llmnet.pallets.spot_checks import Answer, Audit, Duty
from llmnet.proof import Leaf

from .errors import FetchError, Withheld
from .fetch import insist
from .ledger import Ledger
from .library import Library
from .material import Material, Standard
from .reference import Reference
from .store import Finding, Store
from .turns import Turns

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0  # seconds between two tries


class Source(Protocol):
    """Where the data of audited answers come from."""

    async def fetch(self, endpoint: str, audit: int) -> Material:
        """The data of an audit, unchecked. Raises FetchError."""
        ...


class Auditor:
    """Makes findings. Any number may be in the making; references are run one at a time, the most urgent first."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        source: Source,
        library: Library,
        *,
        max_fetches: int,
        report_before: int,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self._ledger, self._store, self._source, self._library = ledger, store, source, library
        self._fetches, self._turns = asyncio.Semaphore(max_fetches), Turns()
        self._report_before, self._pause = report_before, pause
        self._endpoints: dict[tuple[bytes, bytes], str | None] = {}

    async def find(self, duty: Duty, now: Callable[[], int]) -> Finding | None:
        """The finding for an audit whose receipt is open; None if its time ran out. `now` tells the best block.

        Raises ModelMismatch or ReferenceFailed where the fault is on this side: then nothing may be reported about the worker.
        """
        audit = await self._ledger.audit(duty.audit)
        if audit is None or audit.answer is None:
            return None
        answer = audit.answer
        reference = await self._library.reference(answer.spec, self._ledger.spec)
        try:
            material = await self._material(duty, audit, answer, reference, now)
        except Withheld as error:
            log.warning("audit %s: withheld by %s: %s", duty.audit, audit.worker.hex(), error)
            return self._store.keep_withheld(duty.audit, str(error), duty.deadline)
        async with self._turns.turn(duty.deadline):
            if now() >= duty.deadline:
                return None
            leaves = await asyncio.to_thread(_run, reference, material, audit, answer)
        return self._store.keep_reference(duty.audit, leaves, duty.deadline)

    async def _material(
        self, duty: Duty, audit: Audit, answer: Answer, reference: Reference, now: Callable[[], int]
    ) -> Material:
        """Checked data. A worker that cannot be reached is asked again until shortly before the deadline. Raises Withheld."""
        standard = Standard(answer.requester, self._ledger.genesis_hash, reference.spec, reference.tokenizer)
        pause, fresh = self._pause, False
        while True:
            try:
                material = await self._fetch(duty.audit, audit, answer, fresh)
                await asyncio.to_thread(insist, material, answer.receipt, standard)
                return material
            except Withheld:
                raise
            except FetchError as error:
                if now() + self._report_before >= duty.deadline:
                    raise Withheld(f"not to be had until block {now()}: {error}") from None
                log.info("audit %s: %s; trying again", duty.audit, error)
            await asyncio.sleep(pause)
            pause, fresh = min(2 * pause, LONGEST_PAUSE), True

    async def _fetch(self, number: int, audit: Audit, answer: Answer, fresh: bool) -> Material:
        async with self._fetches:
            endpoint = await self._endpoint(answer.spec, audit.worker, fresh)
            if endpoint is None:
                raise FetchError("the worker has no offer that says where it is")
            return await self._source.fetch(endpoint, number)

    async def _endpoint(self, spec_id: bytes, worker: bytes, fresh: bool) -> str | None:
        """Audits come in bursts about one worker: the chain is asked once, and again when that address does not serve."""
        key = (spec_id, worker)
        if fresh or key not in self._endpoints:
            self._endpoints[key] = await self._ledger.endpoint(spec_id, worker)
        return self._endpoints[key]


def _run(reference: Reference, material: Material, audit: Audit, answer: Answer) -> list[Leaf]:
    prompt = reference.tokenizer.encode_chat(material.request.messages)
    positions = proof.draw_positions(audit.seed, answer.receipt.n_out)
    return reference.leaves(prompt, material.tokens, positions, answer.request_seed)
