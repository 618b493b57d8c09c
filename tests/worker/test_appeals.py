"""A verdict is appealed once, in time, and only if this worker's own record and machine contradict it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from llmnet import proof
from llmnet.chain import Block, ConnectionLost, DispatchError, DispatchFailed, Event, Header, TxResult
from llmnet.engine import Engine, GenerationRequest, ModelFiles
from llmnet.pallets import registry, spot_checks
from llmnet.pallets.spot_checks import (
    Audit,
    Evidence,
    Outcome,
    Reason,
    Review,
    ReviewKind,
    Stage,
    Verdict,
)
from llmnet.proof import Calibration, Leaf, Request, ServiceSpec
from llmnet.worker import Answer, Store, WorkerConfig
from llmnet.worker.appeals import MOST_TRIES, RESEND_BLOCKS, Appeals
from llmnet.worker.store import AuditState

from .shop import GENESIS, PAYER, UNIT, WORKER, make_request

pytestmark = pytest.mark.asyncio
SEED = bytes([4]) * 32
STRICT = Calibration(4, 9, 4, 9, 1 << 12, 1000, 1 << 30)
NOTHING = Evidence(0, 0)
CONSTANTS = {"ReviewPeriod": 300, "PanelReward": UNIT // 100, "MinimumFine": UNIT // 100}


@dataclass
class FakeChain:
    """Audits as a test wants them, and what was submitted."""

    audits: dict[int, Audit] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    own: dict[int, int] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    fault: Exception | None = None
    lands: bool = True

    def at(self, _: Any = None) -> FakeChain:
        return self

    async def get(self, item: Any, number: int, who: bytes) -> int | None:
        assert item is spot_checks.storage.ReviewOf and who == WORKER.public
        return self.own.get(number)

    async def constant(self, entry: Any) -> int:
        names = {id(getattr(spot_checks.constants, name)): value for name, value in CONSTANTS.items()}
        return names[id(entry)]

    async def submit(self, call: Any, signer: Any) -> None:
        self.sent.append(call.function)
        if self.lands:
            self.own[call.args["audit"]] = 90
            self.audits[90] = replace(
                self.audits[call.args["audit"]], stage=Stage.RECEIPT_OPENED, outcome=None
            )
        if self.fault is not None:
            raise self.fault


class Machine:
    """A backend that computes leaves again, honestly or not."""

    def __init__(self, engine: Engine, shift: int = 0) -> None:
        self.engine, self.shift, self.asked = engine, shift, 0

    async def score(self, prompt_ids: Any, tokens: Any, request_seed: bytes) -> list[Leaf]:
        self.asked += 1
        leaves = self.engine.score(prompt_ids, tokens, request_seed)
        return [
            replace(leaf, hidden_sketch=tuple(x + self.shift for x in leaf.hidden_sketch)) for leaf in leaves
        ]


@dataclass
class Scene:
    """One answer whose audit is 5, and a worker that can be killed."""

    chain: FakeChain
    path: Path
    machine: Any
    answer: Answer
    request: Request
    prompt: tuple[int, ...]
    config: WorkerConfig
    planted: bool = False
    block: int = 50

    def start(self) -> None:
        self.store = Store(self.path, genesis_hash=GENESIS, account=WORKER.public)
        self.appeals = Appeals(
            self.config,
            self.chain,  # type: ignore[arg-type]
            WORKER,
            self.store,
            self.machine,
            lambda _: self.prompt,
            lambda *_: self.planted,
        )

    def restart(self) -> None:
        self.store.close()
        self.start()

    async def step(self, blocks: int = 1, *events: Event) -> None:
        for _ in range(blocks):
            self.block += 1
            header = Header(bytes(32), self.block, bytes(32), bytes(32), bytes(32), ())
            await self.appeals.notice(Block(header, events))
            await self.appeals.step(Block(header, ()))

    def decide(
        self,
        verdict: Verdict,
        reason: Reason,
        number: int = 5,
        said: Evidence = NOTHING,
        total: Evidence = NOTHING,
    ) -> None:
        outcome = Outcome(number, verdict, reason, said, total, self.block)
        audit = self.chain.audits[number]
        self.chain.audits[number] = replace(audit, stage=Stage.DECIDED, outcome=outcome)

    async def failed(self, reason: Reason = Reason.POSITIONS) -> None:
        """The audit is followed, and has failed."""
        await self.appeals.follow(5, self.chain.audits[5])
        self.decide(Verdict.FAILED, reason)
        await self.step()

    def states(self) -> dict[int, AuditState]:
        rows = self.store._db.execute("SELECT number, state FROM audits").fetchall()
        return {number: AuditState(state) for number, state in rows}


@pytest.fixture(scope="session")
def engine(tiny: ModelFiles, spec: ServiceSpec) -> Engine:
    return Engine(tiny, spec)


def generate(engine: Engine, prompt: tuple[int, ...]) -> tuple[Leaf, ...]:
    engine.add(GenerationRequest("a", prompt, 256, 24, SEED))
    leaves: list[Leaf] = []
    while True:
        for output in engine.step():
            if output.leaf is not None:
                leaves.append(output.leaf)
            if output.finish_reason is not None:
                return tuple(leaves)


@pytest.fixture(scope="session")
def answered(engine: Engine) -> tuple[Request, tuple[int, ...], Answer]:
    request = make_request(text="what is the sea", max_tokens=24)
    prompt = tuple(engine.tokenizer.encode_chat(request.messages))
    leaves = generate(engine, prompt)
    tokens = tuple(leaf.token for leaf in leaves)
    receipt = proof.Receipt(
        1, 0, request.hash, 256, proof.output_hash(tokens), proof.text_hash("t"), len(prompt), len(tokens),
        proof.FinishReason.LENGTH, proof.transcript_root(leaves),
    )  # fmt: skip
    return request, prompt, Answer(receipt, bytes(64), tokens, "t", 1000, leaves)


@pytest.fixture
def scene(
    tmp_path: Path,
    engine: Engine,
    spec: ServiceSpec,
    answered: tuple[Request, tuple[int, ...], Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    request, prompt, answer = answered
    chain = FakeChain()
    facts = spot_checks.Answer(answer.receipt, PAYER.public, spec.id, 0, 1000, SEED)
    chain.audits[5] = Audit(
        WORKER.public, 1, 0, 0, 1, 0, 1000, SEED, Stage.RECEIPT_OPENED, 100, (), facts, None
    )

    async def audit(view: FakeChain, number: int) -> Audit | None:
        return view.audits.get(number)

    async def review(view: FakeChain, number: int) -> Review | None:
        return view.reviews.get(number)

    async def reviews_of(view: FakeChain, number: int) -> tuple[int, ...]:
        return tuple(key for key, found in view.reviews.items() if found.of == number)

    async def positions(view: FakeChain, number: int) -> tuple[int, ...]:
        return tuple(range(0, answer.receipt.n_out, 2))

    async def registered(view: FakeChain, spec_id: bytes) -> ServiceSpec:
        return spec

    async def thresholds(view: FakeChain, spec_id: bytes) -> Calibration:
        return STRICT

    for module, name, function in (
        (spot_checks, "audit", audit),
        (spot_checks, "review", review),
        (spot_checks, "reviews_of", reviews_of),
        (spot_checks, "positions", positions),
        (registry, "spec", registered),
        (registry, "calibration", thresholds),
    ):
        monkeypatch.setattr(module, name, function)
    config = WorkerConfig(tmp_path / "worker.sqlite", "http://w.test")
    scene = Scene(chain, config.store, Machine(engine), answer, request, prompt, config)
    scene.start()
    scene.store.accept(request, bytes(64))
    scene.store.put_answer(answer)
    yield scene
    scene.store.close()


@pytest.mark.parametrize("reason", [Reason.POSITIONS, Reason.TOKEN, Reason.MARGIN, Reason.WITHHELD])
async def test_what_other_validators_could_see_otherwise_is_appealed_once(
    scene: Scene, reason: Reason
) -> None:
    await scene.failed(reason)
    await scene.step(3)
    assert scene.chain.sent == ["appeal"]
    assert scene.machine.asked == (0 if reason is Reason.WITHHELD else 1)
    scene.decide(Verdict.PASSED, Reason.CLEAN, number=90)
    scene.decide(Verdict.PASSED, Reason.OVERTURNED)
    await scene.step(2)
    assert scene.states() == {5: AuditState.UPHELD} and scene.store.followed() == []


@pytest.mark.parametrize(("shift", "sent"), [(0, ["appeal"]), (1, [])])
async def test_an_answer_that_completes_a_slash_is_appealed_if_it_would_not_by_this_machine(
    scene: Scene, engine: Engine, shift: int, sent: list[str]
) -> None:
    """The panel said 2,200 of it; a machine that is a step off finds as much, though the answer passes alone."""
    scene.machine = Machine(engine, shift=shift)
    scene.restart()
    await scene.appeals.follow(5, scene.chain.audits[5])
    said, total = Evidence(2_200, -100), Evidence(5_200, 0)
    scene.decide(Verdict.FAILED, Reason.ACCUMULATED, said=said, total=total)
    await scene.step(3)
    assert scene.chain.sent == sent and scene.machine.asked == 1
    assert scene.states() == {5: AuditState.APPEALED if sent else AuditState.ACCEPTED}


@pytest.mark.parametrize(
    ("said", "total", "shift", "state"),
    [
        (Evidence(768, 0), Evidence(2_560, 0), 0, AuditState.APPEALED),
        (Evidence(-256, 1_341), Evidence(0, 2_700), 0, AuditState.PASSED),
        (Evidence(767, 0), Evidence(2_560, 0), 0, AuditState.PASSED),
        (Evidence(3_072, 0), Evidence(2_559, 0), 0, AuditState.PASSED),
        (Evidence(3_072, -208), Evidence(2_559, 5_000), 0, AuditState.PASSED),
        (Evidence(3_072, 0), Evidence(3_072, 0), 1, AuditState.ACCEPTED),
    ],
)
async def test_much_against_an_answer_that_passed_is_appealed_when_half_of_a_slash_is_there(
    scene: Scene, engine: Engine, said: Evidence, total: Evidence, shift: int, state: AuditState
) -> None:
    scene.machine = Machine(engine, shift=shift)
    scene.restart()
    await scene.appeals.follow(5, scene.chain.audits[5])
    scene.decide(Verdict.PASSED, Reason.CLEAN, said=said, total=total)
    await scene.step(3)
    assert scene.states() == {5: state}
    assert scene.chain.sent == (["appeal"] if state is AuditState.APPEALED else [])


async def test_five_others_may_pass_an_answer_and_let_the_slash_stand(scene: Scene) -> None:
    await scene.appeals.follow(5, scene.chain.audits[5])
    scene.decide(Verdict.FAILED, Reason.ACCUMULATED, said=Evidence(2_200, 0), total=Evidence(5_200, 0))
    await scene.step()
    scene.decide(Verdict.PASSED, Reason.CLEAN, number=90)
    await scene.step(2)
    assert scene.states() == {5: AuditState.LOST}


@pytest.mark.parametrize("reason", [Reason.SELF_CONSISTENCY, Reason.LEAVES_MISSED, Reason.RECEIPT_MISSED])
async def test_what_the_chain_has_seen_itself_is_not(scene: Scene, reason: Reason) -> None:
    await scene.failed(reason)
    assert scene.chain.sent == [] and scene.states() == {5: AuditState.ACCEPTED}


async def test_a_passed_answer_is_not_appealed(scene: Scene) -> None:
    await scene.appeals.follow(5, scene.chain.audits[5])
    scene.decide(Verdict.PASSED, Reason.CLEAN)
    await scene.step(2)
    assert scene.chain.sent == [] and scene.states() == {5: AuditState.PASSED}


async def test_a_machine_that_does_not_believe_its_own_record_does_not_appeal(
    scene: Scene, engine: Engine
) -> None:
    scene.machine = Machine(engine, shift=700)
    scene.restart()
    await scene.failed()
    assert scene.chain.sent == [] and scene.machine.asked == 1


@pytest.mark.parametrize("case", ["never", "planted", "too dear", "too late", "no leaves", "another receipt"])
async def test_what_speaks_against_an_appeal(scene: Scene, case: str) -> None:
    if case == "never":
        scene.config = replace(scene.config, appeal=False)
    elif case == "planted":
        scene.planted = True
    elif case == "too dear":
        scene.config = replace(scene.config, appeal_bonds=UNIT // 100)
    elif case == "no leaves":
        scene.store._db.execute("UPDATE answers SET leaves = NULL")
    elif case == "another receipt":
        other = replace(scene.answer.receipt, n_prompt=99)
        scene.store._db.execute("UPDATE answers SET receipt = ?", (other.encode(),))
    scene.restart()
    if case == "too late":
        await scene.appeals.follow(5, scene.chain.audits[5])
        scene.decide(Verdict.FAILED, Reason.POSITIONS)
        scene.block += 298
        await scene.step()
    else:
        await scene.failed()
    assert scene.chain.sent == [] and scene.states() == {5: AuditState.ACCEPTED}


async def test_an_answer_too_long_to_compute_again_is_judged_by_its_record(scene: Scene) -> None:
    scene.config = replace(scene.config, appeal_tokens=10)
    scene.restart()
    await scene.failed()
    assert scene.chain.sent == ["appeal"] and scene.machine.asked == 0


@pytest.mark.parametrize("death", ["before it was sent", "on the way", "after it was sent"])
async def test_no_bond_is_paid_twice_whenever_the_process_dies(scene: Scene, death: str) -> None:
    scene.chain.fault = ConnectionLost("the line is dead")
    scene.chain.lands = death == "after it was sent"
    await scene.appeals.follow(5, scene.chain.audits[5])
    scene.decide(Verdict.FAILED, Reason.POSITIONS)
    if death != "before it was sent":
        with pytest.raises(ConnectionLost):
            await scene.step()
    scene.restart()
    scene.chain.fault, scene.chain.lands = None, True
    await scene.step(2)
    assert len(scene.chain.sent) == 1  # on the way: it may be in a pool still
    await scene.step(RESEND_BLOCKS + 2)
    assert len(scene.chain.sent) == (2 if death == "on the way" else 1)
    assert scene.states() == {5: AuditState.APPEALED}


async def test_refusals_cost_a_few_fees_and_no_more(scene: Scene) -> None:
    result = TxResult(bytes(32), 5, bytes(32), 0, None, ())
    scene.chain.fault = DispatchFailed(result, DispatchError("Module", "Token", "FundsUnavailable"))
    scene.chain.lands = False
    await scene.failed()
    await scene.step(10 * RESEND_BLOCKS)
    assert len(scene.chain.sent) == MOST_TRIES and scene.states() == {5: AuditState.ACCEPTED}


async def test_an_appeal_without_a_panel_is_made_again(scene: Scene) -> None:
    await scene.failed()
    del scene.chain.own[5]  # void: fewer than three others
    await scene.step(RESEND_BLOCKS + 2)
    assert scene.chain.sent == ["appeal", "appeal"]


@pytest.mark.parametrize(
    ("verdict", "state"), [(Verdict.FAILED, AuditState.LOST), (Verdict.ABSTAINED, AuditState.VOID)]
)
async def test_an_outcome_is_the_last_word(scene: Scene, verdict: Verdict, state: AuditState) -> None:
    await scene.failed()
    scene.decide(verdict, Reason.POSITIONS, number=90)
    await scene.step(RESEND_BLOCKS + 2)
    assert scene.states() == {5: state} and scene.chain.sent == ["appeal"]


async def test_challenges_are_followed_and_other_reviews_are_not(scene: Scene) -> None:
    for number, kind in ((6, ReviewKind.CHALLENGE), (7, ReviewKind.APPEAL), (8, ReviewKind.PLANT)):
        scene.chain.audits[number] = scene.chain.audits[5]
        scene.chain.reviews[number] = Review(kind, 5, bytes(32), 1, ())
    scene.chain.audits[9] = replace(scene.chain.audits[5], worker=bytes(32))
    events = [
        Event(51, bytes(32), 0, "SpotChecks", "ReviewBegun", {"audit": number, "of": 5, "panel": ()})
        for number in (6, 7, 8, 9)
    ]
    await scene.step(1, *events)
    assert [kept.number for kept in scene.store.followed()] == [6]


async def test_a_challenge_that_begins_while_nobody_looks_is_found_at_the_next_start(scene: Scene) -> None:
    await scene.appeals.follow(5, scene.chain.audits[5])
    scene.decide(Verdict.PASSED, Reason.CLEAN)
    await scene.step()
    assert scene.states() == {5: AuditState.PASSED}
    scene.chain.audits[6] = scene.chain.audits[5]
    scene.chain.reviews[6] = Review(ReviewKind.CHALLENGE, 5, bytes(32), 1, (1,))
    scene.restart()
    scene.decide(Verdict.FAILED, Reason.WITHHELD, number=6)
    await scene.step(2)
    assert scene.chain.sent == ["appeal"] and scene.states()[6] is AuditState.APPEALED


async def test_leaves_stay_while_an_audit_is_not_over(scene: Scene) -> None:
    batch = scene.store.put_batch([proof.Segment(1, 0, 0, bytes(32), 5)])
    scene.store.committed(batch.number, 1)
    scene.store.settle(batch.number, 10)
    await scene.appeals.follow(5, scene.chain.audits[5])
    assert scene.store.prune(1000) == 0
    scene.store.audit_became(5, AuditState.LOST)
    assert scene.store.prune(1000) == 1


async def test_a_store_of_the_first_version_is_taken_over(scene: Scene) -> None:
    await asyncio.sleep(0)
    scene.store._db.executescript("DROP TABLE audits; PRAGMA user_version = 1;")
    scene.restart()
    assert scene.store.answer(1, 0) == scene.answer
    scene.store.follow(3, 1, 0)
    assert [kept.number for kept in scene.store.followed()] == [3]
