"""From an opened receipt to a finding: fetch, check, run the reference, keep the result."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmnet import proof
from llmnet.pallets.spot_checks import Answer, Audit, Duty
from llmnet.proof import Leaf

from .clock import Clock
from .errors import FetchError, Withheld
from .exceptions import misses_of
from .fetch import insist
from .ledger import Ledger
from .library import Library
from .material import Material, Standard
from .reference import Reference
from .store import Finding, Look, Store
from .turns import Turns

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0  # seconds between two tries
_draw = random.SystemRandom()  # no worker can tell where a validator looks beside the drawn positions


class Source(Protocol):
    """Where the data of audited answers come from."""

    async def fetch(self, endpoint: str, audit: int) -> Material:
        """The data of an audit, unchecked. Raises FetchError."""
        ...

    async def leaves(self, endpoint: str, audit: int) -> tuple[Leaf, ...]:
        """The worker's leaves of a decided audit, unchecked. Raises FetchError."""
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
        looks: int = 0,
        pause: float = FIRST_PAUSE,
    ) -> None:
        """`looks`: at how many positions that were not drawn it looks as well."""
        self._ledger, self._store, self._source, self._library = ledger, store, source, library
        self._looks = looks
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
        reference = await self.reference(answer.spec)
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
            others = await self._others(duty.audit, positions, len(material.tokens))
            leaves = await asyncio.to_thread(_run, reference, material, sorted({*positions, *others}), answer)
        asked = [leaf for leaf in leaves if leaf.position in positions]
        seen = [leaf for leaf in leaves if leaf.position in others]
        look = await self._look(duty.audit, answer, material, reference, seen)
        return self._store.keep_reference(duty.audit, asked, duty.deadline, look)

    async def _others(self, audit: int, positions: Sequence[int], n_out: int) -> set[int]:
        """Positions to look at beside those that the audit wants. A review's verdict cannot be challenged."""
        left = [position for position in range(n_out) if position not in positions]
        if not self._looks or not left or await self._ledger.review(audit) is not None:
            return set()
        return set(_draw.sample(left, min(len(left), self._looks)))

    async def _look(
        self, audit: int, answer: Answer, material: Material, reference: Reference, seen: Sequence[Leaf]
    ) -> Look | None:
        calibration = await self._ledger.calibration(answer.spec) if seen else None
        if calibration is None:
            return None
        misses = misses_of(seen, reference.spec, calibration, answer.request_seed, answer.receipt.temperature)
        if not misses:
            return None
        log.info("audit %s: %s tokens beside the drawn ones are not the model's", audit, len(misses))
        return Look(audit, material.tokens, misses)

    async def reference(self, spec_id: bytes) -> Reference:
        """The reference of a spec. Raises ModelMismatch, ReferenceFailed."""
        return await self._library.reference(spec_id, self._ledger.spec)

    async def leaves(self, number: int, audit: Audit, answer: Answer) -> tuple[Leaf, ...] | None:
        """The worker's own leaves of a decided audit, if it hands them out and they are the receipt's."""
        try:
            endpoint = await self._endpoint(answer.spec, audit.worker, fresh=True)
            if endpoint is None:
                return None
            leaves = await self._source.leaves(endpoint, number)
            whole = [leaf.position for leaf in leaves] == list(range(answer.receipt.n_out))
            same = whole and proof.transcript_root(leaves) == answer.receipt.transcript_root
        except (FetchError, proof.ProofError) as error:
            log.info("audit %s: the worker's leaves cannot be had: %s", number, error)
            return None
        return leaves if same else None

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
