"""From an opened receipt to a finding: fetch, check, run the reference, keep the result."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmnet.pallets.spot_checks import Answer, Audit, Duty
from llmnet.proof import Leaf

from .clock import Clock
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
        clock: Clock,
        *,
        max_fetches: int,
        report_before: int,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self._ledger, self._store, self._source, self._library = ledger, store, source, library
        self._clock, self._turns = clock, Turns()
        self._report_before, self._pause = report_before, pause
        # By worker, so that one that lets its callers hang keeps nobody from asking the others.
        self._fetches: defaultdict[bytes, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(max_fetches)
        )
        self._endpoints: dict[tuple[bytes, bytes], str | None] = {}

    async def find(self, duty: Duty) -> Finding | None:
        """The finding for an audit whose receipt is open; None if its time ran out.

        Raises ModelMismatch or ReferenceFailed where the fault is on this side: then nothing may be reported about the worker.
        """
        audit = await self._ledger.audit(duty.audit)
        if audit is None or audit.answer is None:
            return None
        answer = audit.answer
        reference = await self._library.reference(answer.spec, self._ledger.spec)
        try:
            material = await self._material(_Asking(duty, audit, answer, reference))
        except Withheld as error:
            log.warning("audit %s: withheld by %s: %s", duty.audit, audit.worker.hex(), error)
            return self._store.keep_withheld(duty.audit, str(error), duty.deadline)
        if material is None:
            return None
        async with self._turns.turn(duty.deadline):
            if self._clock.now >= duty.deadline:
                return None
            positions = await self._ledger.positions(duty.audit)
            leaves = await asyncio.to_thread(_run, reference, material, positions, answer)
        return self._store.keep_reference(duty.audit, leaves, duty.deadline)

    async def _material(self, asking: _Asking) -> Material | None:
        """Checked data, or None if the time ran out before the worker was asked once. Raises Withheld.

        However long a worker lets its callers wait, it is given up in time for the report to reach the chain.
        """
        deadline = asking.duty.deadline
        task = asyncio.create_task(self._ask(asking))
        try:
            await _first(task, self._clock.reach(deadline - self._report_before))
            if not task.done() and asking.trouble is None:
                await _first(task, asking.tried.wait(), self._clock.reach(deadline))
            if task.done():
                return task.result()
            if asking.trouble is None:
                return None
            raise Withheld(f"not to be had until block {self._clock.now}: {asking.trouble}")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _ask(self, asking: _Asking) -> Material:
        """Ask again and again, until the worker gives data. Raises Withheld if they are other data than the receipt's."""
        standard = Standard(
            asking.answer.requester,
            self._ledger.genesis_hash,
            asking.reference.spec,
            asking.reference.tokenizer,
        )
        pause = self._pause
        while True:
            try:
                material = await self._fetch(asking)
                await asyncio.to_thread(insist, material, asking.answer.receipt, standard)
                return material
            except Withheld:
                raise
            except FetchError as error:
                log.info("audit %s: %s; trying again", asking.duty.audit, error)
                asking.trouble = str(error)
                asking.tried.set()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _fetch(self, asking: _Asking) -> Material:
        spec_id, worker = asking.answer.spec, asking.audit.worker
        async with self._fetches[worker]:
            endpoint = await self._endpoint(spec_id, worker, asking.trouble is not None)
            if endpoint is None:
                raise FetchError("the worker has no offer that says where it is")
            return await self._source.fetch(endpoint, asking.duty.audit)

    async def _endpoint(self, spec_id: bytes, worker: bytes, fresh: bool) -> str | None:
        """Audits come in bursts about one worker: the chain is asked once, and again when that address does not serve."""
        key = (spec_id, worker)
        if fresh or key not in self._endpoints:
            self._endpoints[key] = await self._ledger.endpoint(spec_id, worker)
        return self._endpoints[key]


@dataclass(eq=False)
class _Asking:
    """A worker being asked about an audit; `trouble` is what came of the last try that failed."""

    duty: Duty
    audit: Audit
    answer: Answer
    reference: Reference
    trouble: str | None = None
    tried: asyncio.Event = field(default_factory=asyncio.Event)


async def _first(task: asyncio.Task[Material], *others: Coroutine[Any, Any, Any]) -> None:
    """Wait until one of them is done, and end the others."""
    beside = [asyncio.create_task(other) for other in others]
    try:
        await asyncio.wait({task, *beside}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for other in beside:
            other.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def _run(reference: Reference, material: Material, positions: Sequence[int], answer: Answer) -> list[Leaf]:
    prompt = reference.tokenizer.encode_chat(material.request.messages)
    return reference.leaves(prompt, material.tokens, positions, answer.request_seed)
