"""A validator's duties: references for audits, shares for the beacon.

Every step looks at the chain and does what is missing there; whatever was begun is in the store first. So steps may be repeated,
interrupted and restarted at any time, and a missed event or a lost transaction loses no duty.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from llmnet.chain import Block, ChainError, DispatchFailed, TransportClosed, Underway, WrongChain
from llmnet.pallets import spot_checks
from llmnet.pallets.spot_checks import Duty, Stage
from llmnet.proof import reference_commitment

from .auditor import Auditor
from .beacon import BeaconStep, beacon_call, next_step
from .challenges import Challenges
from .clock import Clock
from .errors import ModelMismatch, ReferenceFailed
from .ledger import Ledger, Outlook
from .store import Finding, Store

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
ATTEMPTS = 3  # refusals by the chain after which a duty is given up
PRUNE_BLOCKS = 50
REST_BLOCKS = 50  # without the beacon, when the chain says that this account is no validator
OWN_FAULTS = {
    ("SpotChecks", "MissedDuty"): "validator",
    ("SpotChecks", "ReferenceRejected"): "validator",
    ("SpotChecks", "LookedAway"): "validator",
    ("Beacon", "NotRevealed"): "who",
}


@dataclass(frozen=True, slots=True)
class _Look:
    """Looking after challenges, in one block."""

    block: int


class Duties:
    """One loop over finalised blocks; each duty is a task of its own, at most one at a time for the same duty."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        auditor: Auditor,
        clock: Clock,
        *,
        challenges: Challenges | None = None,
        beacon: bool = True,
        keep_blocks: int = 600,
    ) -> None:
        self._ledger, self._store, self._auditor, self._clock = ledger, store, auditor, clock
        self._challenges, self._beacon, self._keep_blocks = challenges, beacon, keep_blocks
        self._busy = Underway(self._guard)
        self._settled: set[Hashable] = set()
        self._refusals: Counter[Hashable] = Counter()
        self._resting_until = 0

    async def run(self) -> None:
        """Work until cancelled. Chain errors are logged and tried again. Raises WrongChain: then nothing here is right any more."""
        while True:
            try:
                async with aclosing(self._ledger.blocks()) as blocks:
                    async for block in blocks:
                        self._tell(block)
                        if (
                            block.number >= self._clock.now
                        ):  # older ones say nothing that the last look did not
                            await self.step()
            except (WrongChain, TransportClosed):
                raise
            except (ChainError, OSError) as error:
                log.warning("the chain cannot be followed: %s; trying again", error)
            await asyncio.sleep(RETRY_SECONDS)

    async def step(self) -> None:
        """Look at the chain and begin what is missing."""
        outlook = await self._ledger.outlook()
        self._clock.advance(outlook.block)
        self._begin_beacon(outlook)
        for duty in sorted(outlook.duties, key=lambda duty: (duty.deadline, duty.audit)):
            self._begin_audit(duty)
        if self._challenges is not None:
            self._begin(_Look(outlook.block), self._challenges.step())
        self._forget(outlook)

    async def close(self) -> None:
        """Stop what is under way; a later process goes on from the store."""
        await self._busy.close()

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        await self._busy.drain()

    # Beginning

    def _begin_beacon(self, outlook: Outlook) -> None:
        if not self._beacon or outlook.block < self._resting_until:
            return
        step = next_step(outlook.beacon, outlook.block, self._ledger.account)
        if step is not None:
            self._begin(step, self._take_step(step))

    def _begin_audit(self, duty: Duty) -> None:
        work = {Stage.RECEIPT_OPENED: self._commit, Stage.LEAVES_OPENED: self._reveal}.get(duty.stage)
        if work is not None and not duty.acted:
            self._begin((duty.audit, duty.stage), work(duty))

    def _begin(self, key: Hashable, work: Coroutine[Any, Any, None]) -> None:
        if key in self._settled:
            work.close()
        else:
            self._busy.begin(key, work)

    async def _guard(self, key: Hashable, work: Coroutine[Any, Any, None]) -> None:
        """Run a duty. It is settled when it is done or hopeless; otherwise the next step begins it anew."""
        try:
            await work
            self._settled.add(key)
        except DispatchFailed as error:
            self._refused(key, error)
        except (ChainError, OSError) as error:
            log.warning("%s did not reach the chain: %s; trying again", _name(key), error)
        except (ModelMismatch, ReferenceFailed) as error:
            log.error("%s cannot be done here: %s", _name(key), error)
            self._settled.add(key)
        except Exception:
            log.exception("%s broke", _name(key))
            self._give_up_slowly(key)

    def _refused(self, key: Hashable, error: DispatchFailed) -> None:
        log.warning("%s was refused: %s", _name(key), error)
        if isinstance(key, BeaconStep):
            self._settled.add(key)  # a round has no second chance
            if error.error.name == "NotValidator":
                self._resting_until = self._clock.now + REST_BLOCKS
        else:
            self._give_up_slowly(key)

    def _give_up_slowly(self, key: Hashable) -> None:
        self._refusals[key] += 1
        if self._refusals[key] >= ATTEMPTS:
            log.error("%s is given up after %s attempts", _name(key), ATTEMPTS)
            self._settled.add(key)

    # Doing

    async def _take_step(self, step: BeaconStep) -> None:
        call = beacon_call(step, self._store, self._ledger.account)
        if call is None:
            log.error("%s: its secret is not in this store", step)
            return
        await self._ledger.submit(call)
        log.debug("%s is done", step)

    async def _commit(self, duty: Duty) -> None:
        finding = self._store.finding(duty.audit) or await self._auditor.find(duty)
        if finding is None:
            log.error("audit %s: there was no time to check it before block %s", duty.audit, duty.deadline)
            return
        if finding.leaves is None or finding.salt is None:
            await self._ledger.submit(spot_checks.report_withheld(duty.audit))
            log.info("audit %s: reported withheld data", duty.audit)
            return
        await self._ledger.submit(self._commitment(duty.audit, finding))
        log.info("audit %s: committed a reference of %s leaves", duty.audit, len(finding.leaves))

    def _commitment(self, audit: int, finding: Finding) -> Any:
        assert finding.leaves is not None and finding.salt is not None
        commitment = reference_commitment(audit, self._ledger.account, finding.leaves, finding.salt)
        return spot_checks.commit_reference(audit, commitment)

    async def _reveal(self, duty: Duty) -> None:
        finding = self._store.finding(duty.audit)
        if finding is None or finding.leaves is None or finding.salt is None:
            log.error("audit %s: what was committed is not in this store", duty.audit)
            return
        await self._ledger.submit(spot_checks.reveal_reference(duty.audit, finding.leaves, finding.salt))
        log.info("audit %s: revealed the reference", duty.audit)

    # Looking back

    def _tell(self, block: Block) -> None:
        """Log what the chain blames this validator for."""
        for event in block.events:
            field = OWN_FAULTS.get((event.pallet, event.name))
            if field is not None and event.fields[field] == self._ledger.account:
                log.warning("block %s: %s %s", block.number, event, event.fields)

    def _forget(self, outlook: Outlook) -> None:
        """Drop notes on duties that are over."""
        open_audits = {duty.audit for duty in outlook.duties}
        over = {key for key in self._settled if _is_over(key, open_audits, outlook)}
        self._settled -= over
        for key in [key for key in self._refusals if _is_over(key, open_audits, outlook)]:
            del self._refusals[key]
        if outlook.block % PRUNE_BLOCKS == 0:
            self._store.prune(
                before_block=outlook.block - self._keep_blocks, before_round=outlook.beacon.round - 2
            )


def _is_over(key: Hashable, open_audits: set[int], outlook: Outlook) -> bool:
    if isinstance(key, BeaconStep):
        return key.round < outlook.beacon.round
    if isinstance(key, _Look):
        return key.block < outlook.block
    assert isinstance(key, tuple)
    return key[0] not in open_audits


def _name(key: Hashable) -> str:
    if isinstance(key, BeaconStep | _Look):
        return str(key)
    assert isinstance(key, tuple)
    return f"audit {key[0]} ({key[1].name.lower()})"
