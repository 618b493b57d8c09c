"""Challenges: what becomes of positions that were not drawn and at which no honest worker could have delivered its tokens.

A suspicion is in the store with the reference that it came from. Once the audit has passed, the bond is put up if the answer is
sure to fail and there is something to gain; then the outcome is followed. Every step looks at the chain first, so it may be
repeated and interrupted at any time, and no answer is challenged twice.
"""

from __future__ import annotations

import logging

from llmnet.chain import ChainError, DispatchFailed
from llmnet.pallets import spot_checks
from llmnet.pallets.spot_checks import Answer, Audit, ReviewKind, Stage, Verdict

from .auditor import Auditor
from .clock import Clock
from .exceptions import contradictions, is_enough
from .ledger import Ledger, Stakes
from .store import Look, LookState, Store

log = logging.getLogger(__name__)

CONFIDENCE = (
    0.95  # how often a certain fraud leads to a verdict: references may be missing, and other panels may lie
)
RESEND_BLOCKS = 16  # after which a challenge that is not on chain was lost on the way
LAST_BLOCKS = 4  # of the review period, too few for a transaction
TURN_BLOCKS = 4  # which each member of the panel waits for the one before it: one challenge is enough


def is_worth(stakes: Stakes, confidence: float = CONFIDENCE) -> bool:
    """Whether a challenge brings more than it costs, on average."""
    return confidence * stakes.gain > (1 - confidence) * stakes.bond + stakes.fee


class Challenges:
    """One validator's suspicions. `step` is called with every block; calls do not overlap."""

    def __init__(self, ledger: Ledger, store: Store, auditor: Auditor, clock: Clock) -> None:
        self._ledger, self._store, self._auditor, self._clock = ledger, store, auditor, clock
        self._busy = False

    async def step(self) -> None:
        """Look after every open suspicion."""
        if self._busy:
            return
        self._busy = True
        try:
            for look in self._store.open_looks():
                await self._pursue(look)
        finally:
            self._busy = False

    async def _pursue(self, look: Look) -> None:
        try:
            audit = await self._ledger.audit(look.audit)
            if audit is None:
                self._end(look, LookState.DROPPED, "the chain has forgotten the audit")
            elif audit.stage != Stage.DECIDED:
                return
            elif look.state is LookState.CHALLENGED or await self._is_filed(look):
                await self._follow(look)
            else:
                await self._challenge(look, audit)
        except DispatchFailed as error:
            log.warning("audit %s: the challenge was refused: %s", look.audit, error)
            self._store.look_became(look.audit, LookState.DROPPED)
        except (ChainError, OSError) as error:
            log.warning("audit %s: the challenge waits, the chain was not reached: %s", look.audit, error)

    async def _is_filed(self, look: Look) -> bool:
        """Whether an earlier process has challenged it and did not live to note that."""
        if await self._ledger.own_review(look.audit) is None:
            return False
        self._store.look_became(look.audit, LookState.CHALLENGED)
        return True

    async def _challenge(self, look: Look, audit: Audit) -> None:
        if look.sent is not None and self._clock.now < look.sent + RESEND_BLOCKS:
            return  # it may still be in somebody's pool, and would cost a fee twice
        if await self._must_wait(look, audit):
            return
        answer, obstacle = audit.answer, await self._obstacle(look, audit)
        if answer is None or obstacle is not None:
            self._end(look, LookState.DROPPED, obstacle or "its receipt was never open")
            return
        positions = await self._positions(look, audit, answer)
        call = spot_checks.challenge(look.audit, positions)
        if not positions:
            self._end(look, LookState.DROPPED, f"{len(look.misses)} misses are no proof")
        elif not is_worth(stakes := await self._ledger.stakes(call, answer.price)):
            self._end(look, LookState.DROPPED, f"it does not pay: {stakes}")
        else:
            self._store.look_sent(look.audit, self._clock.now)
            await self._ledger.submit(call)
            self._store.look_became(look.audit, LookState.CHALLENGED)
            log.info("audit %s: challenged at positions %s", look.audit, positions)

    async def _must_wait(self, look: Look, audit: Audit) -> bool:
        """Whether it is another validator's turn, or its challenge is running."""
        panel = [member.validator for member in audit.panel]
        turn = panel.index(self._ledger.account) if self._ledger.account in panel else 0
        if audit.outcome is not None and self._clock.now < audit.outcome.block + turn * TURN_BLOCKS:
            return True
        return None in await self._others(look)

    async def _others(self, look: Look) -> list[Verdict | None]:
        """What came of other validators' challenges of the answer; None while they are running."""
        found: list[Verdict | None] = []
        for number in await self._ledger.reviews_of(look.audit):
            review, audit = await self._ledger.review(number), await self._ledger.audit(number)
            if review is not None and review.kind is ReviewKind.CHALLENGE and audit is not None:
                found.append(None if audit.outcome is None else audit.outcome.verdict)
        return found

    async def _obstacle(self, look: Look, audit: Audit) -> str | None:
        """Why the chain would not take a challenge."""
        outcome = audit.outcome
        if outcome is None or outcome.verdict != Verdict.PASSED:
            return "the answer did not pass anyway"
        last = outcome.block + await self._ledger.review_period()
        if self._clock.now > last - LAST_BLOCKS:
            return f"reviews ended with block {last}"
        if Verdict.FAILED in await self._others(look):
            return "another validator's challenge has failed it"
        return None if await self._ledger.used(look.audit) else "this validator's reference was not used"

    async def _positions(self, look: Look, audit: Audit, answer: Answer) -> list[int]:
        """What to name: enough misses, or contradictions in the worker's own leaves where it hands them out."""
        drawn = set(await self._ledger.positions(look.audit))
        first = 0 if audit.outcome is None else audit.outcome.evidence.margin
        if is_enough(look.misses, first, answer.receipt.n_out - len(drawn)):
            return sorted(look.misses)
        leaves = await self._auditor.leaves(look.audit, audit, answer)
        if leaves is None or len(look.tokens) != len(leaves):
            return []
        reference = await self._auditor.reference(answer.spec)
        seed, temperature = answer.request_seed, answer.receipt.temperature
        found = contradictions(leaves, look.tokens, reference.spec, seed, temperature)
        return [position for position in found if position not in drawn][: spot_checks.MAX_EXCEPTIONS]

    async def _follow(self, look: Look) -> None:
        number = await self._ledger.own_review(look.audit)
        review = None if number is None else await self._ledger.audit(number)
        if review is None:
            self._end(look, LookState.DROPPED, "the chain has forgotten the challenge")
            return
        if review.stage != Stage.DECIDED or review.outcome is None:
            return
        state = {Verdict.FAILED: LookState.WON, Verdict.PASSED: LookState.LOST}.get(
            review.outcome.verdict, LookState.VOID
        )
        self._end(look, state, f"review {number} ended with {review.outcome.reason.name.lower()}")

    def _end(self, look: Look, state: LookState, why: str) -> None:
        self._store.look_became(look.audit, state)
        level = logging.WARNING if state is LookState.LOST else logging.INFO
        log.log(level, "audit %s: challenge %s: %s", look.audit, state.value, why)
