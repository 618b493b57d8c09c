"""Each duty is done once, whatever is lost, late, refused or killed on the way."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from llmnet import proof
from llmnet.chain import (
    Block,
    Call,
    ConnectionLost,
    Event,
    Header,
    TransactionExpired,
    WrongChain,
)
from llmnet.engine.weights import ModelFiles
from llmnet.pallets.beacon import BeaconStatus
from llmnet.pallets.spot_checks import (
    Audit,
    Duty,
    ReferenceCommitmentReference,
    ReferenceCommitmentWithheld,
    Stage,
)
from llmnet.proof import ServiceSpec
from llmnet.verifier import FetchError, ReferenceFailed, spec_of
from llmnet.verifier.auditor import Auditor
from llmnet.verifier.clock import Clock
from llmnet.verifier.duties import Duties
from llmnet.verifier.library import Library
from llmnet.verifier.reference import Reference
from llmnet.verifier.store import Store

from .answers import REQUESTER, WORKER, Answered, Asker
from .fakes import QUIET, SEED, VALIDATOR, FakeLedger, FakeSource, audit_of, refusal

pytestmark = pytest.mark.asyncio


def opened(number: int = 1, deadline: int = 100, *, acted: bool = False) -> Duty:
    return Duty(number, Stage.RECEIPT_OPENED, deadline, acted)


def unsealed(number: int = 1, deadline: int = 140) -> Duty:
    return Duty(number, Stage.LEAVES_OPENED, deadline)


def audit_about(answered: Answered) -> Audit:
    return audit_of(answered.receipt, answered.spec, answered.request_seed, REQUESTER.public, WORKER.public)


class Scene:
    """A validator on a fake chain that can be killed and started again."""

    def __init__(
        self, ledger: FakeLedger, source: FakeSource, open_store: Callable[[], Store], files: ModelFiles
    ) -> None:
        self.ledger, self.source, self.open_store, self.files = ledger, source, open_store, files
        self.start()

    def start(self) -> None:
        self.store = self.open_store()
        clock, library = Clock(), Library([self.files])
        auditor = Auditor(
            self.ledger, self.store, self.source, library, clock, max_fetches=4, report_before=6, pause=0.001
        )
        self.duties = Duties(self.ledger, self.store, auditor, clock)

    async def kill(self) -> None:
        await self.duties.close()
        self.store.close()

    async def step(self, block: int | None = None) -> None:
        """One block and all that it sets off."""
        self.ledger.block = self.ledger.block + 1 if block is None else block
        await self.duties.step()
        await self.duties.drain()


@pytest.fixture
def ledger(answered: Answered, spec: ServiceSpec) -> FakeLedger:
    ledger = FakeLedger([spec])
    ledger.audits[1] = audit_about(answered)
    return ledger


@pytest.fixture
async def scene(
    ledger: FakeLedger, answered: Answered, open_store: Callable[[], Store], tiny: ModelFiles
) -> Any:
    scene = Scene(ledger, FakeSource(answered.material), open_store, tiny)
    yield scene
    await scene.kill()


async def test_a_reference_is_committed_and_revealed_once(
    scene: Scene, reference: Reference, answered: Answered
) -> None:
    ledger = scene.ledger
    ledger.duties = [opened()]
    await scene.step()
    await scene.step()  # the chain does not show yet that we acted
    ledger.duties = [opened(acted=True)]
    await scene.step()
    ledger.duties = [replace(unsealed(), stage=Stage.REFERENCED, acted=True)]
    await scene.step()
    ledger.duties = [unsealed()]
    await scene.step()
    await scene.step()
    assert ledger.names() == ["commit_reference", "reveal_reference"]
    committed, revealed = (call.args for call in ledger.sent)
    leaves, salt = scene.store.finding(1).leaves, revealed["salt"]  # type: ignore[union-attr]
    assert leaves is not None
    expected = proof.reference_commitment(1, VALIDATOR.public, leaves, salt)
    assert committed["commitment"] == ReferenceCommitmentReference(expected)
    positions = proof.draw_positions(SEED, answered.receipt.n_out)
    own = reference.leaves(answered.prompt_ids, answered.material.tokens, positions, answered.request_seed)
    assert list(leaves) == own
    assert [leaf.position for leaf in revealed["leaves"]] == list(positions)


async def test_positions_that_an_accuser_named_are_looked_at(
    scene: Scene, reference: Reference, answered: Answered
) -> None:
    scene.ledger.named[1] = [0, answered.receipt.n_out - 1]
    scene.ledger.duties = [opened()]
    await scene.step()
    leaves = scene.store.finding(1).leaves  # type: ignore[union-attr]
    assert leaves is not None
    assert [leaf.position for leaf in leaves] == scene.ledger.named[1]


@pytest.mark.parametrize("death", ["before the commitment is sent", "after it was sent"])
async def test_a_validator_killed_between_commit_and_reveal_reveals_what_it_committed(
    scene: Scene, death: str
) -> None:
    ledger = scene.ledger
    sent_at_death: list[Call] = []

    def die(call: Call) -> None:
        if death.startswith("before"):
            ledger.sent.remove(call)
        sent_at_death.append(call)
        raise ConnectionLost("the process dies here")

    ledger.on_submit, ledger.duties = die, [opened()]
    await scene.step()
    await scene.kill()
    ledger.on_submit = lambda call: None
    scene.start()
    if death.startswith("before"):
        await scene.step()
    ledger.duties = [unsealed()]
    await scene.step()
    assert ledger.names() == ["commit_reference", "reveal_reference"]
    assert ledger.sent[0] == sent_at_death[0]
    assert len(scene.source.asked) == 1, "the answer was fetched and computed once"
    finding = scene.store.finding(1)
    assert finding is not None
    assert finding.leaves is not None
    commitment = proof.reference_commitment(1, VALIDATOR.public, finding.leaves, ledger.sent[1].args["salt"])
    assert ledger.sent[0].args["commitment"] == ReferenceCommitmentReference(commitment)


async def test_without_its_store_a_validator_reveals_nothing(scene: Scene) -> None:
    scene.ledger.duties = [unsealed()]
    await scene.step()
    await scene.step()
    assert scene.ledger.sent == []


async def test_other_data_than_the_receipt_names_are_reported_at_once(
    scene: Scene, answered: Answered
) -> None:
    scene.source.answers = [replace(answered.material, text="another text")]
    scene.ledger.duties = [opened()]
    await scene.step(block=20)
    assert scene.ledger.sent[0].args == {"audit": 1, "commitment": ReferenceCommitmentWithheld()}
    assert scene.store.finding(1).withheld.startswith("text_hash")  # type: ignore[union-attr]
    await scene.kill()
    scene.start()
    await scene.step()
    assert len(scene.source.asked) == 1, "what was reported stays reported"
    assert scene.ledger.names() == ["commit_reference"] * 2


async def test_a_worker_that_is_down_is_asked_until_it_is_back(scene: Scene, answered: Answered) -> None:
    scene.source.answers = [FetchError("down"), FetchError("still down"), answered.material]
    scene.ledger.duties = [opened()]
    await scene.step(block=20)
    assert len(scene.source.asked) == 3
    assert scene.ledger.sent[0].args["commitment"].VARIANT == "Reference"


async def test_a_worker_that_stays_away_is_reported_shortly_before_the_deadline(scene: Scene) -> None:
    scene.source.answers = [FetchError("down")]
    scene.ledger.duties = [opened(deadline=100)]
    scene.ledger.block = 93
    await scene.duties.step()
    await asyncio.sleep(0.05)
    assert scene.ledger.sent == []
    await scene.step(block=94)
    assert scene.ledger.sent[0].args["commitment"] == ReferenceCommitmentWithheld()


async def test_a_worker_that_lets_its_callers_hang_is_reported_in_time(
    scene: Scene, answered: Answered
) -> None:
    """Nor does it keep the validator from asking others."""

    async def hang(endpoint: str, number: int) -> Any:
        scene.source.asked.append((endpoint, number))
        if number == 9:
            return answered.material
        if len(scene.source.asked) > 5:
            await asyncio.sleep(60)
        raise FetchError("timed out")

    scene.source.fetch = hang  # type: ignore[method-assign]
    for number in range(2, 9):
        scene.ledger.audits[number] = scene.ledger.audits[1]
    scene.ledger.audits[9] = replace(scene.ledger.audits[1], worker=bytes(32))
    scene.ledger.duties = [opened(number, deadline=100) for number in range(1, 10)]
    scene.ledger.block = 50
    await scene.duties.step()
    await asyncio.sleep(0.2)
    assert [call.args["commitment"].VARIANT for call in scene.ledger.sent] == ["Reference"]
    scene.ledger.block = 94
    await scene.duties.step()
    await asyncio.sleep(0.2)
    reported = [
        call for call in scene.ledger.sent if call.args["commitment"] == ReferenceCommitmentWithheld()
    ]
    assert len(reported) >= 4


async def test_a_worker_is_not_reported_before_it_was_asked(scene: Scene, answered: Answered) -> None:
    """A validator that comes late has to ask first."""
    scene.ledger.duties = [opened(deadline=100)]
    await scene.step(block=96)
    assert scene.ledger.sent[0].args["commitment"].VARIANT == "Reference"


async def test_a_worker_that_was_never_asked_is_not_reported(scene: Scene) -> None:
    async def hang(endpoint: str, number: int) -> Any:
        await asyncio.sleep(60)

    scene.source.fetch = hang  # type: ignore[method-assign]
    scene.ledger.duties = [opened(deadline=100)]
    scene.ledger.block = 96
    await scene.duties.step()
    await asyncio.sleep(0.05)
    await scene.step(block=100)
    assert scene.ledger.sent == []


async def test_a_worker_that_moved_is_found(scene: Scene, answered: Answered) -> None:
    scene.source.answers = [FetchError("gone"), answered.material]
    scene.ledger.duties = [opened()]

    async def moving(spec_id: bytes, worker: bytes) -> str:
        return f"http://place{len(scene.source.asked)}.example"

    scene.ledger.endpoint = moving  # type: ignore[method-assign, assignment]
    await scene.step()
    assert scene.source.asked == [("http://place0.example", 1), ("http://place1.example", 1)]


async def test_no_address_at_all_is_withheld_data(scene: Scene) -> None:
    scene.ledger.where, scene.ledger.duties = None, [opened()]
    await scene.step(block=95)
    assert scene.ledger.sent[0].args["commitment"] == ReferenceCommitmentWithheld()
    assert scene.source.asked == []


async def test_faults_of_ones_own_are_never_blamed_on_the_worker(
    scene: Scene, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ReferenceFailed("no numbers today")

    monkeypatch.setattr(Reference, "leaves", broken)
    scene.ledger.duties = [opened()]
    await scene.step(block=99)
    unknown = replace(answered.spec, weights_root=bytes(32))
    scene.ledger.specs[unknown.id] = unknown
    answer = scene.ledger.audits[1].answer
    assert answer is not None
    scene.ledger.audits[2] = replace(scene.ledger.audits[1], answer=replace(answer, spec=unknown.id))
    scene.ledger.audits[3] = replace(scene.ledger.audits[1], answer=replace(answer, spec=bytes(32)))
    scene.ledger.duties = [opened(2), opened(3)]
    await scene.step(block=99)
    assert scene.ledger.sent == []


async def test_a_burst_is_worked_off_in_deadline_order(
    scene: Scene, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = list(range(2, 18))
    for number in numbers:
        answered = asker.ask(f"question {number}", index=number, max_tokens=4)
        scene.ledger.audits[number] = audit_about(answered)
    by_index = {audit.index: audit for audit in scene.ledger.audits.values()}
    assert len(by_index) == 17
    order: list[int] = []
    running = 0

    def watched(self: Reference, prompt: Any, tokens: Any, positions: Any, seed: bytes) -> list[Any]:
        nonlocal running
        running += 1
        assert running == 1, "two references at a time"
        order.append(
            next(n for n, a in scene.ledger.audits.items() if a.answer and a.answer.request_seed == seed)
        )
        result = real(self, prompt, tokens, positions, seed)
        running -= 1
        return result

    real = Reference.leaves
    monkeypatch.setattr(Reference, "leaves", watched)

    async def fetch(endpoint: str, number: int) -> Any:
        return asker.ask(f"question {number}", index=number, max_tokens=4).material

    scene.source.fetch = fetch  # type: ignore[method-assign]
    deadlines = {number: 200 - 3 * number for number in numbers}
    scene.ledger.duties = [opened(number, deadlines[number]) for number in numbers]
    await scene.step(block=20)
    assert len(scene.ledger.sent) == len(numbers)
    assert sorted(order) == numbers
    # The first to arrive runs at once; whoever waits is served by deadline.
    inversions = sum(deadlines[a] > deadlines[b] for a, b in itertools.pairwise(order))
    assert inversions <= 4


async def test_an_audit_whose_time_is_over_is_left(scene: Scene) -> None:
    scene.ledger.duties = [opened(deadline=100)]
    await scene.step(block=100)
    assert scene.ledger.sent == []


async def test_an_audit_that_is_gone_is_left(scene: Scene) -> None:
    scene.ledger.duties = [opened(9)]
    await scene.step()
    assert scene.ledger.sent == []


# The chain's side of it


async def test_a_lost_transaction_is_sent_again(scene: Scene) -> None:
    failures: list[Exception] = [TransactionExpired("lost"), ConnectionLost("gone"), OSError("no route")]

    def fail(call: Call) -> None:
        if failures:
            raise failures.pop(0)

    scene.ledger.on_submit, scene.ledger.duties = fail, [opened()]
    for _ in range(5):
        await scene.step()
    assert scene.ledger.names() == ["commit_reference"] * 4
    assert len({repr(call.args) for call in scene.ledger.sent}) == 1
    assert len(scene.source.asked) == 1


async def test_a_refused_transaction_is_not_sent_for_ever(scene: Scene) -> None:
    def refuse(call: Call) -> None:
        raise refusal("WrongStage")

    scene.ledger.on_submit, scene.ledger.duties = refuse, [opened()]
    for _ in range(9):
        await scene.step()
    assert len(scene.ledger.sent) == 3


async def test_the_same_duty_is_never_under_way_twice(scene: Scene) -> None:
    gate = asyncio.Event()

    async def slow(call: Call) -> None:
        scene.ledger.sent.append(call)
        await gate.wait()

    scene.ledger.submit = slow  # type: ignore[method-assign]
    scene.ledger.duties = [opened()]
    for _ in range(3):
        await scene.duties.step()
        await asyncio.sleep(0.05)
    gate.set()
    await scene.duties.drain()
    assert len(scene.ledger.sent) == 1


async def test_a_duty_that_was_stopped_before_it_began_leaves_nothing(scene: Scene) -> None:
    """What was never awaited is told as a warning when it is collected, and a warning is an error here."""
    scene.ledger.duties = [opened()]
    await scene.duties.step()
    await scene.duties.close()
    gc.collect()
    assert scene.ledger.sent == []


def committing(round_: int, block: int) -> BeaconStatus:
    return BeaconStatus(round_, committing=True, phase_ends_at=block + 3, committed=(), revealed=())


async def test_beacon_shares_are_given_and_survive_a_restart(scene: Scene) -> None:
    ledger = scene.ledger
    ledger.beacon = committing(5, 11)
    await scene.step(block=11)
    await scene.kill()
    scene.start()
    ledger.beacon = replace(QUIET, round=5, committed=(VALIDATOR.public,))
    await scene.step(block=14)
    commit, reveal = ledger.sent
    assert (commit.pallet, commit.function, reveal.function) == ("Beacon", "commit", "reveal")
    payload = (5).to_bytes(4, "little") + VALIDATOR.public + reveal.args["secret"]
    assert commit.args["commitment"] == proof.domain_hash("beacon-commit", payload)


async def test_who_is_no_validator_stops_trying_for_a_while(scene: Scene) -> None:
    ledger = scene.ledger

    def refuse(call: Call) -> None:
        raise refusal("NotValidator")

    ledger.on_submit = refuse
    for round_ in range(2, 12):
        ledger.beacon = committing(round_, 6 * round_)
        await scene.step(block=6 * round_)
    assert len(ledger.sent) == 2  # in blocks 12 and 66, the first after the rest of 50 blocks


async def test_notes_on_what_is_over_are_dropped(scene: Scene) -> None:
    scene.ledger.duties, scene.ledger.beacon = [opened()], committing(5, 11)
    await scene.step(block=11)
    assert len(scene.duties._settled) == 2
    scene.ledger.duties, scene.ledger.beacon = [], replace(QUIET, round=9)
    await scene.step(block=800)
    assert scene.duties._settled == set()
    assert scene.store.finding(1) is None
    assert scene.store.secret(5) is None


def block(number: int, *events: Event) -> Block:
    return Block(Header(bytes(32), number, bytes(32), bytes(32), bytes(32), ()), events)


async def test_the_loop_outlives_the_chain_and_ends_on_another_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("llmnet.verifier.duties.RETRY_SECONDS", 0.001)
    blame = Event(21, bytes(32), 0, "SpotChecks", "MissedDuty", {"audit": 4, "validator": VALIDATOR.public})
    other = Event(21, bytes(32), 0, "SpotChecks", "MissedDuty", {"audit": 5, "validator": bytes(32)})
    scene.ledger.duties = [opened()]
    for item in (ConnectionLost("down"), OSError("down"), block(21, blame, other), WrongChain("reset")):
        scene.ledger.arriving.put_nowait(item)
    with pytest.raises(WrongChain):
        await asyncio.wait_for(scene.duties.run(), 5)
    await scene.duties.drain()
    assert scene.ledger.names() == ["commit_reference"]
    assert "'audit': 4" in caplog.text
    assert "'audit': 5" not in caplog.text


async def test_a_late_loop_does_not_look_at_every_old_block(scene: Scene) -> None:
    looks = 0
    outlook = scene.ledger.outlook

    async def counted() -> Any:
        nonlocal looks
        looks += 1
        return await outlook()

    scene.ledger.outlook = counted  # type: ignore[method-assign]
    scene.ledger.block = 30
    for number in range(21, 31):
        scene.ledger.arriving.put_nowait(block(number))
    scene.ledger.arriving.put_nowait(WrongChain("end of the test"))
    with pytest.raises(WrongChain):
        await scene.duties.run()
    assert looks == 2


# The library


async def test_references_are_made_once_and_refused_once(tiny: ModelFiles, spec: ServiceSpec) -> None:
    library, asked = Library([tiny]), 0

    async def registered(spec_id: bytes) -> ServiceSpec | None:
        nonlocal asked
        asked += 1
        return spec

    first, second = await asyncio.gather(*(library.reference(spec.id, registered) for _ in range(2)))
    assert first is second
    assert asked == 1
    warm = Library([tiny])
    await warm.warm()
    assert (await warm.reference(spec_of(tiny).id, registered)).spec == spec
    assert asked == 1
