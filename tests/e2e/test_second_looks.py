"""Second looks with real daemons: a cheat between the drawn positions, a panel that lies, and what each loses that is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
import pytest_asyncio

from llmnet.chain import DispatchFailed, Keypair
from llmnet.gateway import AnswerRecord, PlantError, SessionOver, plants
from llmnet.gateway.account import statement
from llmnet.gateway.explain import explain
from llmnet.gateway.plants import PlantBook, PlantState
from llmnet.gateway.recent import recent
from llmnet.gateway.second_looks import standing
from llmnet.gateway.story import narrate
from llmnet.pallets import spot_checks, staking
from llmnet.pallets.spot_checks import Audit, Reason, Verdict
from llmnet.verifier import spec_of
from llmnet.worker import Answer, Worker
from llmnet.worker.plants import PlantedBackend, Plants

from .court import HONEST, LIARS, Court, court
from .hiding import Hider

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
HIDER, VICTIM, PLAIN, ERRING, FORKED = "Worker2", "Worker3", "Worker1", "Worker4", "Worker5"
PLANTER = Keypair.from_uri("//Charlie")
UNIT = 10**12


def account(name: str) -> bytes:
    return Keypair.from_uri(f"//{name}").public


def two_tongues(worker: Worker) -> None:
    """It keeps, and so commits, another receipt than the one that it signs for the payer."""
    keep = worker.store.put_answer

    def put_answer(answer: Answer) -> None:
        keep(replace(answer, receipt=replace(answer.receipt, n_prompt=answer.receipt.n_prompt + 1)))

    worker.store.put_answer = put_answer  # type: ignore[method-assign]


class Hearing:
    """The court, and the answers of all cases: they are asked for at once, so that they share the chain's time."""

    def __init__(self, court: Court) -> None:
        self.court = court
        self.hidden: asyncio.Task[list[AnswerRecord]]
        self.plain: asyncio.Task[list[AnswerRecord]]
        self.wronged: asyncio.Task[list[AnswerRecord]]
        self.planted: asyncio.Task[list[AnswerRecord]]
        self.forked: asyncio.Task[list[AnswerRecord]]
        self.book = PlantBook(court.folder / "plants.sqlite")

    async def begin(self) -> None:
        court, spec, disputed = self.court, spec_of(self.court.files), spec_of(self.court.disputed)
        await court.work(HIDER, court.files, lambda: Hider(court.files, spec, 45))
        await court.work(PLAIN, court.files, lambda: court.backend(court.files))
        await court.work(VICTIM, court.disputed, lambda: court.backend(court.disputed))
        self.hidden = asyncio.create_task(court.ask("Requester1", HIDER, spec, 330))
        self.plain = asyncio.create_task(court.ask("Requester2", PLAIN, spec, 40))
        self.wronged = asyncio.create_task(court.ask("Requester3", VICTIM, disputed, 30, 2))
        await self.plant()
        await court.work(FORKED, court.files, lambda: court.backend(court.files), spoil=two_tongues)
        self.forked = asyncio.create_task(court.ask("Dave", FORKED, spec, 20, 2))

    async def undetected(self) -> tuple[AnswerRecord, int, Audit]:
        """An answer of the hider that has passed: of some eight wrong tokens chance draws two once in twenty times, and then
        it gets another chance."""
        [answer] = await self.hidden
        for _ in range(5):
            number, audit = await self.court.decided(answer)
            if audit.outcome is not None and audit.outcome.verdict == Verdict.PASSED:
                return answer, number, audit
            await self.court.forgive(HIDER)
            [answer] = await self.court.ask("Requester1", HIDER, spec_of(self.court.files), 330)
        pytest.fail("two of eight wrong tokens were drawn five times in a row")

    async def plant(self) -> None:
        """A worker that errs where the list says so, and a planter that puts its own answer on it."""
        court, spec, listed = self.court, spec_of(self.court.files), self.court.folder / "list"
        listed.touch()
        await court.sudo(spot_checks.set_planters([PLANTER.public]))
        await court.past_audits(100)
        await court.fund_pot(5 * UNIT)
        planted = Plants(listed)

        def backend() -> PlantedBackend:
            wrong = partial(court.wrong_backend, court.files)
            return PlantedBackend(court.backend(court.files), wrong, planted)

        async def before(session: int) -> None:
            with pytest.raises(DispatchFailed, match="NotPlanter"):
                await court.client.submit(spot_checks.plant(bytes(32)), Keypair.from_uri("//Dave"))
            plant = await plants.commit(court.client, PLANTER, self.book, session, 0)
            again = await plants.commit(court.client, PLANTER, self.book, session, 0)
            assert again == replace(plant, state=PlantState.PLANTED)  # the chain has it once
            listed.write_text(f"{session}/0\n")

        await court.work(ERRING, court.files, backend, planted)
        self.planted = asyncio.create_task(court.ask("Charlie", ERRING, spec, 30, 1, before))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hearing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hearing]:
    async with court(tmp_path_factory.mktemp("court")) as found:
        hearing = Hearing(found)
        await hearing.begin()
        yield hearing


async def test_a_cheat_between_the_drawn_positions_is_challenged_and_its_appeal_is_lost(
    hearing: Hearing,
) -> None:
    court = hearing.court
    answer, number, audit = await hearing.undetected()
    [filed, *_] = await court.seen("ReviewFiled", of=number, kind="Challenge")
    challenger, challenge = filed.fields["by"], filed.fields["audit"]
    assert challenger in {member.validator for member in audit.panel}
    await court.restart_validator(
        challenger
    )  # it follows its challenge from its store, and puts up no second bond
    [ended] = await court.seen("ReviewEnded", audit=challenge)
    assert ended.fields["forfeited"] is False
    found = await spot_checks.audit(court.client.at(), challenge)
    assert found is not None and found.outcome is not None
    assert (found.outcome.verdict, found.outcome.reason) == (Verdict.FAILED, Reason.MARGIN)
    assert court.find("WorkerFined", worker=account(HIDER))
    # The worker believes its own record and goes to five others: they see the same.
    [appeal] = await court.seen("ReviewFiled", of=challenge, kind="Appeal")
    assert appeal.fields["by"] == account(HIDER)
    [over] = await court.seen("ReviewEnded", audit=appeal.fields["audit"])
    assert over.fields["forfeited"] is True
    assert len(court.find("ReviewFiled", of=number)) == 1, "one challenge is enough"
    assert (await spot_checks.worker_state(court.client.at(), account(HIDER))).failed == 1
    await told(court, answer, number, challenge)


async def told(court: Court, answer: AnswerRecord, number: int, challenge: int) -> None:
    """`llmnet explain` and `llmnet account` know of it."""
    facts = await explain(court.client, answer.session, answer.index)
    reviews = [(item["kind"], item["of"], item["verdict"]) for item in facts["reviews"]]
    assert reviews == [("challenge", number, "Failed"), ("appeal", challenge, "Failed")]
    story = "\n".join(narrate(facts))
    assert "the challenger has its bond back" in story and "the worker's bond is lost" in story
    lines = await standing(court.client.at(), account(HIDER), 10**6)
    assert any("1 failed" in line for line in lines) and any("on probation" in line for line in lines)


async def test_a_challenge_of_an_honest_answer_loses_the_bond(hearing: Hearing) -> None:
    court = hearing.court
    [answer] = await hearing.plain
    number, audit = await court.decided(answer)
    assert audit.outcome is not None and audit.outcome.verdict == Verdict.PASSED
    assert court.find("ReviewFiled", of=number) == [], "no validator sees anything in an honest answer"
    drawn = await spot_checks.positions(court.client.at(), number)
    others = [position for position in range(answer.receipt.n_out) if position not in drawn]
    member = next(keys for keys in (*LIARS, *HONEST) if keys.public == audit.panel[0].validator)
    stranger = next(keys for keys in HONEST if keys.public not in {item.validator for item in audit.panel})
    for signer, positions, error in (
        (member, drawn[:3], "BadExceptions"),
        (member, (), "BadExceptions"),
        (stranger, others[:3], "NotOnPanel"),
        (Keypair.from_uri("//Requester2"), others[:3], "NotOnPanel"),
    ):
        with pytest.raises(DispatchFailed, match=error):
            await court.client.submit(spot_checks.challenge(number, positions), signer)
    await court.client.submit(spot_checks.challenge(number, others[:3]), member)
    bonds = [
        place for place in (await statement(court.client.at(), member.public)).places if place.kind == "bond"
    ]
    assert len(bonds) == 1 and f"challenge of audit {number}" in bonds[0].what
    with pytest.raises(DispatchFailed, match="AlreadyReviewed"):
        await court.client.submit(spot_checks.challenge(number, others[3:6]), member)
    [ended] = await court.seen("ReviewEnded", of=number)
    assert ended.fields["forfeited"] is True
    with pytest.raises(DispatchFailed, match="NotReviewable"):  # it passed
        await court.client.submit(spot_checks.appeal(number), Keypair.from_uri(f"//{PLAIN}"))
    assert (await spot_checks.worker_state(court.client.at(), account(PLAIN))).failed == 0


async def test_a_slash_by_a_panel_that_lied_is_taken_back_and_the_worker_goes_on(hearing: Hearing) -> None:
    court, who = hearing.court, account(VICTIM)
    answers = await hearing.wronged
    await court.seen("WorkerSlashed", worker=who)
    # Whatever moment it ends in: a slashed account whose appeal is open comes back, and serves the other panel.
    await court.restart(VICTIM)
    taken_back = await court.seen("SlashTakenBack", worker=who)
    overturned = await court.seen("Overturned", len(answers), worker=who, reason="Overturned")
    assert taken_back
    for event in overturned:
        blamed = court.find("ReferenceRejected", audit=event.fields["audit"])
        assert {item.fields["validator"] for item in blamed} >= {keys.public for keys in LIARS}
    state = await spot_checks.worker_state(court.client.at(), who)
    bond = await staking.bond_of(court.client.at(), who)
    assert (state.removed, state.failed) == (False, 0)
    assert bond is not None and not bond.removed
    await court.offered(VICTIM, spec_of(court.disputed))


async def test_a_planted_fault_pays_the_panel_that_found_it(hearing: Hearing) -> None:
    court, who = hearing.court, account(ERRING)
    [answer] = await hearing.planted
    [plant] = hearing.book.plants()
    with pytest.raises(PlantError, match=r"in a batch already|no planter"):
        await plants.commit(court.client, Keypair.from_uri("//Dave"), hearing.book, answer.session, 0)
    number, audit = await court.decided(answer)
    assert audit.outcome is not None and audit.outcome.verdict == Verdict.FAILED
    for signer, salt in ((PLANTER, bytes(32)), (Keypair.from_uri("//Dave"), plant.salt)):
        with pytest.raises(DispatchFailed, match="UnknownPlant"):
            await court.client.submit(spot_checks.reveal_plant(number, salt), signer)
    await plants.reveal(court.client, PLANTER, hearing.book, plant)
    paid = await court.seen("Jackpot", len(audit.panel), audit=number)
    finders = {event.fields["validator"] for event in paid}
    assert finders == {member.validator for member in audit.panel}
    assert all(event.fields["amount"] == UNIT // 4 for event in paid)
    [event] = await court.seen("Overturned", audit=number)
    assert event.fields["reason"].name == "Planted"
    assert (await spot_checks.worker_state(court.client.at(), who)).failed == 0
    assert court.find("ReviewFiled", of=number) == [], "the worker does not appeal what was ordered"
    assert [item.state for item in hearing.book.plants()] == [PlantState.REVEALED]
    # Whoever got it sees it.
    told = await recent(court.client, paid[0].fields["validator"], 40)
    assert [row["amount"] for row in told if row["event"] == "SpotChecks.Jackpot"] == [str(UNIT // 4)]


async def test_a_payer_notices_that_other_receipts_were_committed_and_reports_it(hearing: Hearing) -> None:
    court, who, payer = hearing.court, account(FORKED), account("Dave")
    answers = await hearing.forked
    session = answers[0].session

    async def reported() -> bool:
        async with court.requester("Dave") as requester:
            return await requester.watch(session)

    await court.until(reported, "a report")
    [slashed] = await court.seen("WorkerSlashed", worker=who)
    [found] = await court.seen("Equivocated", worker=who)
    assert (found.fields["reporter"], found.fields["session"]) == (payer, session)
    assert slashed.fields["amount"] > 0
    async with court.requester("Dave") as requester:
        with pytest.raises(SessionOver, match="equivocated"):
            await requester.ask(session, "and now?")
    # An honest worker's sessions are compared as well.
    [honest] = await hearing.plain
    async with court.requester("Requester2") as requester:
        assert not await requester.watch(honest.session)
    assert court.find("Equivocated") == [found]


async def test_who_comes_too_late_is_told_so(hearing: Hearing) -> None:
    """The last test: it lets the time for reviews pass."""
    court = hearing.court
    number, audit = await court.decided((await hearing.plain)[0])
    other, _ = await court.decided((await hearing.planted)[0])
    await court.client.request("dev_newBlock", 310)
    member = next(keys for keys in (*LIARS, *HONEST) if keys.public == audit.panel[-1].validator)
    for call, signer in (
        (spot_checks.challenge(number, [0]), member),
        (spot_checks.appeal(other), Keypair.from_uri(f"//{ERRING}")),
        (spot_checks.reveal_plant(number, bytes(32)), PLANTER),
    ):
        with pytest.raises(DispatchFailed, match="ReviewTooLate"):
            await court.client.submit(call, signer)
