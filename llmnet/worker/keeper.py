"""The worker's duties on chain: commit answers, open what is drawn, claim what is promised, show signs of life.

Every step looks at the chain and at the store and does what is missing, so it may be repeated, interrupted or restarted at any time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from llmnet import proof
from llmnet.chain import Block, ChainError, Client, DispatchFailed, Signer, Underway, View
from llmnet.pallets import registry, sessions, spot_checks
from llmnet.pallets.sessions import StatusClosed, StatusClosing
from llmnet.pallets.spot_checks import Audit, BatchState, Duty, Stage
from llmnet.proof import Receipt, Segment

from .appeals import Appeals
from .config import WorkerConfig
from .ledger import stake_of
from .store import Store, StoredBatch

log = logging.getLogger(__name__)

MAX_SEGMENTS = 256
EPOCHS_BACK = 16  # how far a pending batch is looked for: longer than a transaction lives
EPOCHS_KEPT = 1440  # and how far if this process was away for long: as long as the chain keeps a closed batch
REST_BLOCKS = 3  # pause after a refusal, which costs a fee; shorter than any deadline
CLAIM_BEFORE = 40  # blocks before expiry or closing at which any amount is claimed
RETRY_SECONDS = 2.0


class Keeper:
    """One loop over finalised blocks; slow steps run beside it, each at most once at a time."""

    def __init__(
        self,
        config: WorkerConfig,
        client: Client,
        signer: Signer,
        store: Store,
        appeals: Appeals | None = None,
        on_return: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`on_return` is called when a slash is taken back: it puts on chain what a worker needs to go on."""
        self._config, self._client, self._signer, self._store = config, client, signer, store
        self._appeals, self._on_return = appeals, on_return
        self._busy = Underway(self._guard)
        self._resting: dict[str, int] = {}  # the first block in which something refused is tried again
        self._block = 0
        self._removed = False
        self._epoch_length = int(client.constant("SpotChecks", "EpochLength"))

    async def run(self) -> None:
        """Work until cancelled. Chain errors are logged and tried again with the next block."""
        while True:
            try:
                async for block in self._client.blocks():
                    await self.step(block)
            except (ChainError, OSError) as error:
                log.warning("the chain cannot be followed: %s; trying again", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def step(self, block: Block) -> None:
        """What one finalised block gives to do."""
        self._block = block.number
        if not await self._is_removed(self._client.at(block)):
            self._begin("commit", self.commit(block))
            self._begin("claim", self.claim(block))
            if block.number % self._config.heartbeat_blocks == 0:
                self._begin("heartbeat", self._send(registry.heartbeat()))
        await self._open_due(self._client.at(block))  # a removed worker's appeal is audited too
        if self._appeals is not None:
            self._begin(f"reviews of block {block.number}", self._appeals.notice(block))
            self._begin("appeals", self._appeals.step(block))
        self._begin("settle", self.settle(block))

    async def _is_removed(self, view: View) -> bool:
        """Whether the account was slashed and may neither commit nor claim; what it sent would only cost fees."""
        state = await spot_checks.worker_state(view, self._signer.public)
        if state.removed and not self._removed:
            log.error(
                "this account was slashed and removed: it earns nothing until its quarantine is over and it has bonded "
                "again, or until an appeal takes the slash back"
            )
        elif self._removed and not state.removed:
            log.info("the slash was taken back: this worker goes on")
            self._begin("return", self._return())
        self._removed = state.removed
        return self._removed

    async def _return(self) -> None:
        if self._on_return is not None:
            await self._on_return()

    async def close(self) -> None:
        """Stop what is under way."""
        await self._busy.close()

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if self._block < self._resting.get(name, 0):
            work.close()
        else:
            self._busy.begin(name, work)

    async def _guard(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except DispatchFailed as error:
            self._resting[name] = self._block + REST_BLOCKS
            log.warning("%s was refused: %s; looking again in %s blocks", name, error, REST_BLOCKS)
        except (ChainError, OSError) as error:
            log.warning("%s did not reach the chain: %s; trying again", name, error)
        except Exception:
            log.exception("%s broke; trying again with the next block", name)

    async def _end(self, number: int, block: Block) -> None:
        """Look no more after a session that is closed, unless that may yet be undone."""
        session = await sessions.session(self._client.at(block), number)
        if session is None or isinstance(session.status, StatusClosed):
            self._store.end(number, block.number)

    async def _send(self, call: Any) -> None:
        await self._client.submit(call, self._signer)

    # Batches

    async def commit(self, block: Block) -> None:
        """Commit what is answered: one batch an epoch."""
        pending = self._store.pending_batch()
        if pending is not None:
            await self._resolve(pending, block.number)
            return
        segments = await self._segments(block)
        if segments and await self._may_commit(block.number):
            await self._submit(self._store.put_batch(segments))

    async def _may_commit(self, block: int) -> bool:
        return (
            await spot_checks.batch(self._client.at(), self._signer.public, block // self._epoch_length)
            is None
        )

    async def _submit(self, batch: StoredBatch) -> None:
        result = await self._client.submit(spot_checks.commit_batch(batch.segments), self._signer)
        event = result.find("SpotChecks", "BatchCommitted")
        assert event is not None
        self._store.committed(batch.number, event.fields["epoch"])
        log.info("committed %s answers in epoch %s", event.fields["receipts"], event.fields["epoch"])

    async def _resolve(self, batch: StoredBatch, block: int) -> None:
        """A batch whose fate is unknown: find it on chain, or send it again if it can still be taken."""
        view = self._client.at()
        epoch = await self._epoch_of(view, batch, block, EPOCHS_BACK)
        if epoch is None and await self._follows(view, batch.segments):
            if await self._may_commit(block):
                await self._submit(batch)
            return
        if epoch is None:
            epoch = await self._epoch_of(view, batch, block, EPOCHS_KEPT)
        if epoch is not None:
            log.info("batch %s stands in epoch %s", batch.number, epoch)
            self._store.committed(batch.number, epoch)
        else:
            log.warning(
                "batch %s does not follow what the chain has: its answers are sorted anew", batch.number
            )
            self._store.drop_batch(batch.number)

    async def _epoch_of(self, view: View, batch: StoredBatch, block: int, back: int) -> int | None:
        root = proof.batch_root(proof.place_segments(batch.segments))
        last = block // self._epoch_length + 1
        for epoch in range(last, max(last - back, -1), -1):
            found = await spot_checks.batch(view, self._signer.public, epoch)
            if found is not None and found.root == root:
                return epoch
        return None

    async def _follows(self, view: View, segments: Sequence[Segment]) -> bool:
        for segment in segments:
            session = await sessions.session(view, segment.session)
            if session is None or session.next_index != segment.first:
                return False
        return True

    async def _segments(self, block: Block) -> list[Segment]:
        view = self._client.at()
        stake = await stake_of(view, self._signer.public)
        segments: list[Segment] = []
        receipts_left, worth_left = spot_checks.MAX_RECEIPTS, stake // spot_checks.FINE_REWARDS
        for number, answers in self._store.uncommitted().items():
            session = await sessions.session(view, number)
            if session is None or isinstance(session.status, StatusClosed):
                await self._end(number, block)
                continue
            run = fitting(contiguous(answers, session.next_index), receipts_left, worth_left)
            receipts_left, worth_left = receipts_left - len(run), worth_left - sum(price for _, price in run)
            if run:
                receipts = [receipt for receipt, _ in run]
                root, amount = proof.receipts_root(receipts), sum(price for _, price in run)
                segments.append(Segment(number, receipts[0].index, receipts[-1].index, root, amount))
        return segments[:MAX_SEGMENTS]

    # Audits

    async def _open_due(self, view: View) -> None:
        for duty in await spot_checks.due_of_worker(view, self._signer.public):
            self._begin(f"audit {duty.audit} {duty.stage.name}", self._open(duty))

    async def _open(self, duty: Duty) -> None:
        audit = await spot_checks.audit(self._client.at(), duty.audit)
        if audit is None or audit.stage != duty.stage:
            return
        if self._appeals is not None:
            await self._appeals.follow(duty.audit, audit)
        if audit.stage == Stage.DRAWN:
            await self._open_receipt(duty.audit, audit)
        elif audit.stage == Stage.REFERENCED:
            await self._open_leaves(duty.audit, audit)

    async def _open_receipt(self, number: int, audit: Audit) -> None:
        batch = self._store.batch_of_epoch(audit.epoch)
        if batch is None:
            log.error("audit %s is about epoch %s, of which this store has no batch", number, audit.epoch)
            return
        placed = proof.place_segments(batch.segments)
        chosen = placed[audit.segment]
        receipts = self._store.receipts(chosen.segment.session, chosen.segment.first, chosen.segment.last)
        ordinal = audit.ordinal - chosen.start
        call = spot_checks.open_receipt(
            number,
            chosen,
            proof.single_proof([item.encode() for item in placed], audit.segment),
            receipts[ordinal],
            proof.single_proof([item.encode() for item in receipts], ordinal),
        )
        await self._send(call)
        log.info("opened the receipt of audit %s", number)

    async def _open_leaves(self, number: int, audit: Audit) -> None:
        answer = self._store.answer(audit.session, audit.index)
        if answer is None or answer.leaves is None:
            log.error(
                "audit %s wants leaves of answer %s/%s, which are gone", number, audit.session, audit.index
            )
            return
        positions = await spot_checks.positions(self._client.at(), number)
        await self._send(spot_checks.open_leaves(number, *proof.opening(answer.leaves, positions)))
        log.info("opened %s leaves of audit %s", len(positions), number)

    # Money

    async def claim(self, block: Block) -> None:
        """Claim what vouchers promise and batches cover."""
        for number in self._store.sessions_with_vouchers():
            await self._claim_session(number, block)

    async def _claim_session(self, number: int, block: Block) -> None:
        kept = self._store.voucher(number)
        session = await sessions.session(self._client.at(), number)
        if session is None or isinstance(session.status, StatusClosed):
            await self._end(number, block)
            return
        if kept is None:
            return
        voucher, signature = kept
        amount = min(voucher.amount, session.committed) - session.claimed
        ending = (
            isinstance(session.status, StatusClosing) or session.expires_at - block.number <= CLAIM_BEFORE
        )
        if amount >= (1 if ending else max(1, self._config.claim_at_least)):
            await self._send(sessions.claim(number, voucher.amount, voucher.answers, signature))
            log.info("claimed %s plancks of session %s", amount, number)

    async def settle(self, block: Block) -> None:
        """Note which batches are settled, and drop leaves that nobody can ask for any more."""
        view = self._client.at()
        for batch in self._store.unsettled():
            assert batch.epoch is not None
            found = await spot_checks.batch(view, self._signer.public, batch.epoch)
            if found is None or found.state in (BatchState.SETTLED, BatchState.FORFEITED):
                self._store.settle(batch.number, block.number)
        pruned = self._store.prune(block.number - self._config.keep_blocks)
        if pruned:
            log.info("dropped the leaves of %s settled answers", pruned)


def fitting(run: Sequence[tuple[Receipt, int]], receipts: int, worth: int) -> list[tuple[Receipt, int]]:
    """As much of the beginning of a run as a batch has room for; the rest waits for the next epoch's."""
    taken: list[tuple[Receipt, int]] = []
    for receipt, price in run[:receipts]:
        worth -= price
        if worth < 0:
            break
        taken.append((receipt, price))
    return taken


def contiguous(answers: Sequence[tuple[Receipt, int]], first: int) -> list[tuple[Receipt, int]]:
    """The run of answers that begins with index `first` and has no gap; a batch may hold nothing beyond one.

    What lies before `first` is on chain already and is passed over.
    """
    run: list[tuple[Receipt, int]] = []
    for receipt, price in answers:
        if receipt.index < first:
            continue
        if receipt.index != first + len(run):
            break
        run.append((receipt, price))
    return run
