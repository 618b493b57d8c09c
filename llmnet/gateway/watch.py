"""Compares what a worker commits and opens with the receipts that it signed, and reports what differs.

A worker that gave its payer one receipt and the chain another has equivocated; the report costs a fee and earns a tenth of the slash.
"""

from __future__ import annotations

import logging

from llmnet import proof
from llmnet.chain import Call, ChainError, Signer
from llmnet.pallets.sessions import Session

from . import equivocation
from .equivocation import CommittedSegment, Signed
from .errors import ReportError
from .ledger import Ledger
from .store import Store

log = logging.getLogger(__name__)
PIECE_BLOCKS = 256  # that are read before it is noted how far it came
MOST_ANSWERS = 64  # of a session whose audits are looked up at a time


class Watch:
    """One account's sessions. Every pass begins where the last one ended, in whatever process that was."""

    def __init__(self, ledger: Ledger, store: Store, signer: Signer) -> None:
        self._ledger, self._store, self._signer = ledger, store, signer

    async def look(self, number: int, session: Session) -> bool:
        """Compare what is new about a session; whether something was reported. Raises ChainError.

        What cannot be compared yet, because a receipt is still to come, is compared next time.
        """
        if session.seed is None:
            return False
        signed = self._signed(session)
        if not signed:
            return False
        return await self._segments(number, session, signed) or await self._audits(number, session, signed)

    def _signed(self, session: Session) -> dict[int, Signed]:
        """What the worker really signed: anybody can send a receipt with a signature that is none."""
        assert session.seed is not None
        genesis, worker = self._ledger.genesis_hash, session.worker
        return {
            index: (receipt, signature)
            for index, (receipt, signature) in self._store.signed(session.seed).items()
            if proof.verify_signature(worker, signature, "receipt", genesis, receipt.encode())
        }

    async def _segments(self, number: int, session: Session, signed: dict[int, Signed]) -> bool:
        """In pieces, each noted when it is done: a program that asks once and ends gets on nevertheless."""
        assert session.seed is not None
        last, before = await self._ledger.block(), self._store.watched(session.seed)
        first, complete = session.opened_at if before is None else before + 1, True
        for start in range(first, last + 1, PIECE_BLOCKS):
            end = min(start + PIECE_BLOCKS - 1, last)
            found = await self._ledger.committed(session.worker, number, start, end)
            if await self._compare(number, session, found, signed):
                return True
            complete = complete and all(index in signed for item in found for index in item.indices)
            if complete:
                self._store.watch(session.seed, end)
        return False

    async def _compare(
        self, number: int, session: Session, found: list[CommittedSegment], signed: dict[int, Signed]
    ) -> bool:
        for item in found:
            try:
                call = equivocation.segment(item, signed)
            except ReportError as error:
                log.debug("session %s, answers from %s: %s", number, item.indices.start, error)
                continue
            if await self._report(number, session, call, "it committed other receipts than it gave"):
                return True
        return False

    async def _audits(self, number: int, session: Session, signed: dict[int, Signed]) -> bool:
        assert session.seed is not None
        waiting = sorted(signed.keys() - self._store.compared(session.seed))[-MOST_ANSWERS:]
        for index in waiting:
            opened = await self._ledger.opened(number, index)
            if opened is None:
                continue
            audit, receipt = opened
            try:
                call = equivocation.opened(audit, receipt, signed[index])
            except ReportError:
                self._store.compare(session.seed, index)
                continue
            if await self._report(
                number, session, call, f"audit {audit} opened another receipt than it gave"
            ):
                return True
        return False

    async def _report(self, number: int, session: Session, call: Call, why: str) -> bool:
        assert session.seed is not None
        log.warning("the worker of session %s has equivocated: %s", number, why)
        self._store.mark_broken(session.seed, number, f"the worker has equivocated: {why}")
        try:
            await self._ledger.submit(call, self._signer)
        except ChainError as error:
            log.warning("session %s: the report was refused: %s", number, error)
            return False
        log.warning("session %s: reported", number)
        return True
