"""A certain fraud is challenged once, when the answer has passed and it pays; nothing else costs a bond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from llmnet import proof
from llmnet.chain import Call, ConnectionLost
from llmnet.engine.weights import ModelFiles
from llmnet.pallets.spot_checks import (
    Audit,
    Duty,
    Evidence,
    Member,
    Outcome,
    Reason,
    Review,
    ReviewKind,
    Stage,
    Verdict,
)
from llmnet.proof import ServiceSpec
from llmnet.verifier import FetchError
from llmnet.verifier.auditor import Auditor
from llmnet.verifier.challenges import RESEND_BLOCKS, TURN_BLOCKS, Challenges, is_worth
from llmnet.verifier.clock import Clock
from llmnet.verifier.duties import Duties
from llmnet.verifier.ledger import Stakes
from llmnet.verifier.library import Library
from llmnet.verifier.store import Look, LookState, Store

from .answers import REQUESTER, WORKER, Answered, Asker, signed
from .fakes import FakeLedger, FakeSource, audit_of, refusal

pytestmark = pytest.mark.asyncio
NOTHING = Evidence(0, 0)


def outcome(verdict: Verdict, block: int = 11, reason: Reason = Reason.CLEAN) -> Outcome:
    return Outcome(1, verdict, reason, NOTHING, NOTHING, block)


def decided(audit: Audit, verdict: Verdict = Verdict.PASSED, reason: Reason = Reason.CLEAN) -> Audit:
    return replace(audit, stage=Stage.DECIDED, outcome=outcome(verdict, reason=reason))


def cheap(asker: Asker, every: int, n_out: int = 60) -> Answered:
    """An answer in which every so many tokens are another than those that the model samples, with a receipt to match."""
    honest = asker.ask("what is the sea", temperature=256, max_tokens=n_out)
    tokens = list(honest.material.tokens)
    for position in range(0, len(tokens), every):
        ranked = [pair.id for pair in honest.leaves[position].candidates]
        tokens[position] = next(number for number in ranked[1:] if number != tokens[position] and number > 20)
    leaves = tuple(replace(leaf, token=token) for leaf, token in zip(honest.leaves, tokens, strict=True))
    text = asker.text(tokens)
    receipt = replace(
        honest.receipt,
        output_hash=proof.output_hash(tokens),
        text_hash=proof.text_hash(text),
        transcript_root=proof.transcript_root(leaves),
    )
    material = replace(honest.material, tokens=tuple(tokens), text=text, receipt=receipt)
    return replace(
        honest,
        material=material,
        leaves=leaves,
        receipt_signature=signed(WORKER, "receipt", receipt.encode()),
    )


@pytest.fixture(scope="session")
def cheat(asker: Asker) -> Answered:
    return cheap(asker, 3)


class Scene:
    """A validator on a fake chain that can be killed and started again."""

    def __init__(
        self, answered: Answered, open_store: Callable[[], Store], files: ModelFiles, spec: ServiceSpec
    ) -> None:
        self.ledger, self.source = FakeLedger([spec]), FakeSource(answered.material)
        self.open_store, self.files = open_store, files
        self.audit = audit_of(
            answered.receipt, answered.spec, answered.request_seed, REQUESTER.public, WORKER.public
        )
        self.ledger.audits[1] = self.audit
        self.ledger.on_submit = self.on_submit
        self.start()

    def on_submit(self, call: Call) -> None:
        """As the chain: a challenge becomes review 2."""
        if call.function == "challenge":
            self.ledger.own_reviews[1] = 2
            self.ledger.audits[2] = replace(self.audit, stage=Stage.RECEIPT_OPENED)

    def start(self) -> None:
        self.store = self.open_store()
        clock, library = Clock(), Library([self.files])
        auditor = Auditor(
            self.ledger,
            self.store,
            self.source,
            library,
            clock,
            max_fetches=4,
            report_before=6,
            looks=256,
            pause=0.001,
        )
        challenges = Challenges(self.ledger, self.store, auditor, clock)
        self.duties = Duties(self.ledger, self.store, auditor, clock, challenges=challenges)

    async def kill(self) -> None:
        await self.duties.close()
        self.store.close()

    async def step(self, blocks: int = 1) -> None:
        """Some blocks and all that they set off."""
        for _ in range(blocks):
            self.ledger.block += 1
            await self.duties.step()
            await self.duties.drain()

    async def check(self) -> list[Look]:
        """Compute and commit the reference; what was seen beside it."""
        self.ledger.duties = [Duty(1, Stage.RECEIPT_OPENED, 100)]
        await self.step()
        self.ledger.duties = []
        return self.store.open_looks()

    def challenges(self) -> list[Call]:
        return [call for call in self.ledger.sent if call.function == "challenge"]


@pytest.fixture
async def scene(
    cheat: Answered, open_store: Callable[[], Store], tiny: ModelFiles, spec: ServiceSpec
) -> AsyncIterator[Scene]:
    scene = Scene(cheat, open_store, tiny, spec)
    yield scene
    await scene.kill()


async def test_fraud_between_the_drawn_positions_is_challenged_once(scene: Scene, cheat: Answered) -> None:
    [look] = await scene.check()
    drawn = set(await scene.ledger.positions(1))
    assert len(look.misses) >= 8 and not drawn & set(look.misses)
    await scene.step(3)
    assert scene.challenges() == [], "the audit is not decided: the panel may fail it anyway"
    scene.ledger.audits[1] = decided(scene.audit)
    await scene.step(3)
    [call] = scene.challenges()
    assert call.args == {"audit": 1, "exceptions": sorted(look.misses)}
    # What it names is what the chain calls fraud, with two honest references.
    own = scene.store.finding(1)
    assert own is not None and own.leaves is not None
    assert {leaf.position for leaf in own.leaves} == drawn, "the commitment is about the drawn positions only"
    scene.ledger.audits[2] = decided(scene.audit, Verdict.FAILED, Reason.MARGIN)
    await scene.step(2)
    assert scene.store.open_looks() == [] and len(scene.challenges()) == 1


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.ABSTAINED])
async def test_what_did_not_pass_is_left_alone(scene: Scene, verdict: Verdict) -> None:
    assert await scene.check()
    scene.ledger.audits[1] = decided(scene.audit, verdict)
    await scene.step(2)
    assert scene.challenges() == [] and scene.store.open_looks() == []


async def test_an_honest_answer_is_not_challenged(
    answered: Answered, open_store: Callable[[], Store], tiny: ModelFiles, spec: ServiceSpec
) -> None:
    scene = Scene(answered, open_store, tiny, spec)
    assert await scene.check() == []
    scene.ledger.audits[1] = decided(scene.audit)
    await scene.step(2)
    assert scene.ledger.names() == ["commit_reference"]
    await scene.kill()


async def test_a_review_is_not_looked_at_beside_its_positions(scene: Scene) -> None:
    scene.ledger.reviews[1] = Review(ReviewKind.APPEAL, 0, WORKER.public, 1, ())
    assert await scene.check() == []


@pytest.mark.parametrize("death", ["before it was sent", "on the way", "after it was sent"])
async def test_no_bond_is_paid_twice_whenever_the_process_dies(scene: Scene, death: str) -> None:
    await scene.check()
    scene.ledger.audits[1] = decided(scene.audit)

    def lost(call: Call) -> None:
        if death == "after it was sent":
            scene.on_submit(call)
        raise ConnectionLost("the line is dead")

    if death != "before it was sent":
        scene.ledger.on_submit = lost
        await scene.step()
    await scene.kill()
    scene.ledger.on_submit = scene.on_submit
    scene.start()
    await scene.step(2)
    sent = len(scene.challenges())
    if death == "on the way":  # it may be in a pool: first it is waited for, then it is sent again
        assert sent == 1
        await scene.step(RESEND_BLOCKS)
        assert len(scene.challenges()) == 2
    else:
        assert sent == 1
    await scene.step(RESEND_BLOCKS + 2)
    assert [look.state for look in scene.store.open_looks()] == [LookState.CHALLENGED]
    assert len(scene.challenges()) == (2 if death == "on the way" else 1)


async def test_what_the_chain_refuses_is_not_asked_again(scene: Scene, caplog: Any) -> None:
    await scene.check()
    scene.ledger.audits[1] = decided(scene.audit)

    def refuse(call: Call) -> None:
        raise refusal("AlreadyReviewed")

    scene.ledger.on_submit = refuse
    await scene.step(RESEND_BLOCKS + 3)
    assert len(scene.challenges()) == 1 and "the challenge was refused" in caplog.text


@pytest.mark.parametrize(
    ("verdict", "again"), [(Verdict.FAILED, False), (Verdict.PASSED, True), (Verdict.ABSTAINED, True)]
)
async def test_one_challenge_is_enough(scene: Scene, verdict: Verdict, again: bool) -> None:
    """Each that holds is a fine and evidence of its own: three for one answer would be two too many."""
    await scene.check()
    scene.ledger.audits[1] = decided(scene.audit)
    scene.ledger.reviews[9] = Review(ReviewKind.CHALLENGE, 1, bytes(32), 1, (1,))
    scene.ledger.audits[9] = scene.audit
    await scene.step(3)
    assert scene.challenges() == [] and scene.store.open_looks()
    scene.ledger.audits[9] = decided(scene.audit, verdict)
    await scene.step(2)
    assert len(scene.challenges()) == again


async def test_members_of_a_panel_take_turns(scene: Scene) -> None:
    await scene.check()
    members = tuple(Member(bytes([number]) * 32, None, False) for number in (1, 2))
    panel = (*members, *scene.audit.panel)
    scene.ledger.audits[1] = replace(decided(scene.audit), panel=panel)
    scene.ledger.block = 11 + 2 * TURN_BLOCKS - 2
    await scene.step()
    assert scene.challenges() == []
    await scene.step()
    assert len(scene.challenges()) == 1


@pytest.mark.parametrize("case", ["too late", "not used", "not worth it", "gone"])
async def test_a_challenge_that_cannot_pay_is_not_made(scene: Scene, case: str) -> None:
    await scene.check()
    scene.ledger.audits[1] = decided(scene.audit)
    if case == "too late":
        scene.ledger.block = 400
    elif case == "not used":
        scene.ledger.is_used = False
    elif case == "not worth it":
        scene.ledger.worth = Stakes(bond=50, gain=12, fee=10)
    else:
        del scene.ledger.audits[1]
    await scene.step(2)
    assert scene.challenges() == [] and scene.store.open_looks() == []


async def test_a_few_misses_are_fraud_if_the_worker_s_own_leaves_say_so(
    scene: Scene, cheat: Answered, open_store: Callable[[], Store]
) -> None:
    """Its leaves are honest, so its tokens do not follow from them: it hands out its own conviction."""
    [look] = await scene.check()
    few = look.misses[:2]
    scene.store._db.execute("UPDATE looks SET misses = ?", (str(list(few)),))
    scene.source.open_leaves = cheat.leaves
    scene.ledger.audits[1] = decided(scene.audit)
    await scene.step()
    [call] = scene.challenges()
    drawn = set(await scene.ledger.positions(1))
    assert call.args["exceptions"] == [p for p in range(0, 60, 3) if p not in drawn][:16]


@pytest.mark.parametrize("leaves", ["refused", "of another answer"])
async def test_a_few_misses_alone_are_no_proof(scene: Scene, answered: Answered, leaves: str) -> None:
    [look] = await scene.check()
    scene.store._db.execute("UPDATE looks SET misses = ?", (str(list(look.misses[:2])),))
    scene.source.open_leaves = FetchError("no") if leaves == "refused" else answered.leaves
    scene.ledger.audits[1] = decided(scene.audit)
    await scene.step(2)
    assert scene.challenges() == [] and scene.store.open_looks() == []


@pytest.mark.parametrize(("drawn", "makes"), [(-208, 0), (1_341, 1)])
async def test_two_misses_are_enough_beside_one_that_was_drawn(
    scene: Scene, answered: Answered, drawn: int, makes: int
) -> None:
    [look] = await scene.check()
    scene.store._db.execute("UPDATE looks SET misses = ?", (str(list(look.misses[:2])),))
    scene.source.open_leaves = answered.leaves
    audit = decided(scene.audit)
    assert audit.outcome is not None
    scene.ledger.audits[1] = replace(audit, outcome=replace(audit.outcome, evidence=Evidence(-256, drawn)))
    await scene.step()
    assert [call.args["exceptions"] for call in scene.challenges()] == makes * [sorted(look.misses[:2])]


async def test_worth_weighs_bond_gain_and_fee() -> None:
    await asyncio.sleep(0)
    assert is_worth(Stakes(bond=50, gain=12, fee=1))
    assert not is_worth(Stakes(bond=50, gain=12, fee=9))
    assert not is_worth(Stakes(bond=50, gain=12, fee=1), confidence=0.8)


async def test_a_store_of_the_first_version_is_taken_over(
    open_store: Callable[[], Store], cheat: Answered
) -> None:
    await asyncio.sleep(0)
    store = open_store()
    store._db.executescript("DROP TABLE looks; PRAGMA user_version = 1;")
    store.close()
    again = open_store()
    look = Look(4, cheat.material.tokens, (1, 2))
    again.keep_reference(4, cheat.leaves, 100, look)
    assert again.open_looks() == [look]
    again.prune(before_block=1000, before_round=0)
    assert again.finding(4) is not None, "a suspicion that is not settled stays"
    again.look_became(4, LookState.LOST)
    again.prune(before_block=1000, before_round=0)
    assert again.finding(4) is None
    again.close()
