"""Appeals: verdicts that this worker's own record contradicts are put before another panel, once each.

What is followed is in the store before anything about it is sent, and every step looks at the chain first: it may be repeated,
interrupted or restarted at any time, also while the account is slashed for the very verdict that is appealed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from llmnet import proof
from llmnet.chain import Block, Client, DispatchFailed, Signer, View
from llmnet.engine import EngineError
from llmnet.pallets import registry, spot_checks
from llmnet.pallets.spot_checks import Audit, Outcome, Reason, ReviewKind, Stage, Verdict
from llmnet.proof import Leaf, Request
from llmnet.proof.scoring import is_alarming

from .backend import Backend, Scorer
from .config import WorkerConfig
from .errors import ApiError
from .store import Answer, AuditState, Store, StoredAudit

log = logging.getLogger(__name__)

MOST_OF_A_REVIEW = 5  # panel rewards that the bond covers at least (protocol section 12)
RESEND_BLOCKS = 16  # after which an appeal that is not on chain was lost on the way
LAST_BLOCKS = 4  # of the review period, too few for a transaction
MOST_TRIES = 3
LOOK_BACK = 64  # audits whose reviews are looked up at the start
_SELVES = (bytes(32), bytes([1]) * 32)  # a quorum that shares one opinion


class Appeals:
    """The audits of one worker's answers. `step` is called with every block; calls do not overlap."""

    def __init__(
        self,
        config: WorkerConfig,
        client: Client,
        signer: Signer,
        store: Store,
        backend: Backend,
        prompt: Callable[[Request], tuple[int, ...]],
        planted: Callable[[int, int], bool] = lambda *_: False,
    ) -> None:
        """`prompt` gives the tokens of a request; `planted` tells answers that were wrong on purpose."""
        self._config, self._client, self._signer, self._store = config, client, signer, store
        self._backend, self._prompt, self._planted = backend, prompt, planted
        self._looked_back = False

    async def follow(self, number: int, audit: Audit) -> None:
        """Keep an audit in sight, unless it is a review whose verdict is the last word."""
        if self._store.is_audited(number):
            return
        review = await spot_checks.review(self._client.at(), number)
        if review is None or review.kind is ReviewKind.CHALLENGE:
            self._store.follow(number, audit.session, audit.index)

    async def notice(self, block: Block) -> None:
        """Follow the reviews that have begun in a block: a challenge may end without asking the worker for anything."""
        for event in block.events:
            if (event.pallet, event.name) == ("SpotChecks", "ReviewBegun"):
                await self._begun(self._client.at(), event.fields["audit"])

    async def step(self, block: Block) -> None:
        """Look after every audit that is not over."""
        view = self._client.at()
        if not self._looked_back:
            await self._look_back(view)
        for kept in self._store.followed():
            audit = await spot_checks.audit(view, kept.number)
            if audit is None:
                self._end(kept, AuditState.VOID, "the chain has forgotten it")
            elif kept.state is AuditState.APPEALED:
                await self._outcome(view, kept, audit)
            elif audit.stage == Stage.DECIDED and audit.outcome is not None:
                await self._decided(view, kept, audit, audit.outcome, block.number)

    async def _look_back(self, view: View) -> None:
        """Follow the reviews that have begun while no process looked."""
        for number in self._store.ended_audits(LOOK_BACK):
            for review in await spot_checks.reviews_of(view, number):
                await self._begun(view, review)
        self._looked_back = True

    async def _begun(self, view: View, number: int) -> None:
        """A review of whomever's answer has begun."""
        audit = await spot_checks.audit(view, number)
        if audit is not None and audit.worker == self._signer.account:
            await self.follow(number, audit)

    async def _decided(self, view: View, kept: StoredAudit, audit: Audit, outcome: Outcome, now: int) -> None:
        if outcome.verdict != Verdict.FAILED and not _is_alarming(outcome):
            self._store.audit_became(kept.number, AuditState.PASSED)
            return
        if await view.get(spot_checks.storage.ReviewOf, kept.number, self._signer.account) is not None:
            self._store.audit_became(
                kept.number, AuditState.APPEALED
            )  # by a process that did not live to note it
            return
        if kept.sent is not None and now < kept.sent + RESEND_BLOCKS:
            return
        objection = await self._objection(view, kept, audit, outcome, now)
        if objection is not None:
            self._end(kept, AuditState.ACCEPTED, f"the verdict is not appealed: {objection}")
            return
        await self._appeal(kept, now)

    async def _appeal(self, kept: StoredAudit, now: int) -> None:
        self._store.appeal_sent(kept.number, now)
        try:
            await self._client.submit(spot_checks.appeal(kept.number), self._signer)
        except DispatchFailed as error:
            log.warning("the appeal of audit %s was refused: %s", kept.number, error)
            return
        self._store.audit_became(kept.number, AuditState.APPEALED)
        log.info("appealed the verdict of audit %s", kept.number)

    async def _objection(
        self, view: View, kept: StoredAudit, audit: Audit, outcome: Outcome, now: int
    ) -> str | None:
        """Why an appeal is not possible, or not worth its bond."""
        if not self._config.appeal:
            return "appeals are turned off"
        if outcome.verdict is Verdict.FAILED and outcome.reason not in spot_checks.DOUBTFUL:
            return f"{outcome.reason.name.lower()} is what the chain itself has seen"
        if now > outcome.block + await view.constant(spot_checks.constants.ReviewPeriod) - LAST_BLOCKS:
            return "the time for it is over"
        if kept.tries >= MOST_TRIES:
            return f"{kept.tries} appeals were refused"
        if self._planted(kept.session, kept.index):
            return "the answer is wrong on purpose"
        if not await self._can_pay(view, audit):
            return f"the bonds of appeals would exceed {self._config.appeal_bonds} plancks"
        return await self._doubt(view, kept, audit, outcome)

    async def _can_pay(self, view: View, audit: Audit) -> bool:
        price = audit.mean_price if audit.answer is None else audit.answer.price
        reward = await view.constant(spot_checks.constants.PanelReward)
        least = await view.constant(spot_checks.constants.MinimumFine)
        bond = max(spot_checks.FINE_REWARDS * price, least, MOST_OF_A_REVIEW * reward)
        waiting = sum(other.state is AuditState.APPEALED for other in self._store.followed())
        return bond * (waiting + 1) <= self._config.appeal_bonds

    # Whether this worker believes itself

    async def _doubt(self, view: View, kept: StoredAudit, audit: Audit, outcome: Outcome) -> str | None:
        """What speaks against the answer even in this worker's own eyes."""
        answer, asked = (
            self._store.answer(kept.session, kept.index),
            self._store.request(kept.session, kept.index),
        )
        if answer is None or asked is None or answer.leaves is None or audit.answer is None:
            return "its record is not complete any more"
        if answer.receipt != audit.answer.receipt:
            return "the receipt that was opened is not the one in the store"
        if outcome.reason is Reason.WITHHELD:
            return None  # all that a panel needs is here
        judged = await self._self_test(view, kept, answer, asked[0], audit.answer)
        if isinstance(judged, str):
            return judged
        if judged.verdict is not proof.Verdict.PASS:
            return "this machine's own leaves do not pass beside what it computes now"
        if outcome.reason is Reason.ACCUMULATED and _is_enough(outcome, judged):
            return "with what this machine finds itself it is enough for a slash as well"
        if outcome.verdict is Verdict.PASSED and judged.position_evidence > 0:
            return "it has passed, and this machine finds something itself"
        return None

    async def _self_test(
        self, view: View, kept: StoredAudit, answer: Answer, request: Request, facts: spot_checks.Answer
    ) -> proof.Judgement | str:
        """The judgement of a panel that has what this machine computes for the same tokens now, or why there is none."""
        spec = await registry.spec(view, facts.spec)
        calibration = await registry.calibration(view, facts.spec)
        assert answer.leaves is not None
        if spec is None or calibration is None:
            return "the spec has no thresholds any more"
        again = await self._again(answer, request, facts.request_seed)
        if isinstance(again, str):
            return again
        review = await spot_checks.review(view, kept.number)
        positions = await spot_checks.positions(view, kept.number)
        opened = [answer.leaves[position] for position in positions]
        reference = tuple(again[position] for position in positions)
        panel = [proof.Reference(account, reference) for account in _SELVES]
        given = opened, panel, calibration, spec, facts.request_seed, answer.receipt.temperature
        if review is None:
            return proof.judge(*given)
        first = await spot_checks.audit(view, review.of)
        drawn = await spot_checks.positions(view, review.of)
        said = 0 if first is None or first.outcome is None else first.outcome.evidence.margin
        return proof.judge_exceptions(*given, said, answer.receipt.n_out - len(drawn))

    async def _again(self, answer: Answer, request: Request, seed: bytes) -> list[Leaf] | str:
        """The leaves computed again, or those of the record where that would cost too much; else why there are none."""
        assert answer.leaves is not None
        size = answer.receipt.n_prompt + answer.receipt.n_out
        if not isinstance(self._backend, Scorer) or size > self._config.appeal_tokens:
            pairs = zip(answer.leaves, answer.tokens, strict=True)
            return [replace(leaf, token=token) for leaf, token in pairs]
        try:
            return await self._backend.score(self._prompt(request), answer.tokens, seed)
        except (EngineError, ApiError) as error:
            return f"the answer cannot be computed again: {error}"

    # What came of it

    async def _outcome(self, view: View, kept: StoredAudit, appealed: Audit) -> None:
        number = await view.get(spot_checks.storage.ReviewOf, kept.number, self._signer.account)
        if number is None:  # there were too few others: the bond is back, and it may be asked for again
            self._store.audit_became(kept.number, AuditState.OPEN)
            return
        review = await spot_checks.audit(view, number)
        if review is None or review.outcome is None:
            return
        overturned = appealed.outcome is not None and appealed.outcome.reason is Reason.OVERTURNED
        state = AuditState.UPHELD if overturned else AuditState.LOST
        if review.outcome.verdict is Verdict.ABSTAINED:
            state = AuditState.VOID
        self._end(kept, state, f"review {number} ended with {review.outcome.reason.name.lower()}")

    def _end(self, kept: StoredAudit, state: AuditState, why: str) -> None:
        self._store.audit_became(kept.number, state)
        log.info("audit %s of answer %s/%s: %s: %s", kept.number, kept.session, kept.index, state.value, why)


def _is_alarming(outcome: Outcome) -> bool:
    """Whether an answer passed with much against its distances."""
    said, total = outcome.evidence.position, outcome.total.position
    return outcome.verdict is Verdict.PASSED and is_alarming(said, total)


def _is_enough(outcome: Outcome, judged: proof.Judgement) -> bool:
    """Whether the worker's sums reach the limit with this judgement in place of the panel's."""
    total, said = outcome.total, outcome.evidence
    others = proof.Cusum(total.position, total.margin).retract(said.position, said.margin)
    return others.add(judged.position_evidence, judged.margin_evidence).slashable
