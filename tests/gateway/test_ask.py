"""Asking: what is sent, what is paid, and that nothing is lost whenever anything breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from llmnet import proof
from llmnet.gateway import (
    Bundle,
    EscrowLow,
    NoOffer,
    Patience,
    Requester,
    RequestRefused,
    SeedTimeout,
    SessionOver,
    UnknownSession,
    WorkerBroken,
    WorkerUnreachable,
)
from llmnet.gateway.store import State
from llmnet.proof import Request

from .conftest import REQUESTER, WORKER
from .fakes import PRICE_IN, PRICE_OUT, SPEC, UNIT, FakeLedger, FakeWorker, Kept, refusal

Make = Callable[..., Requester]


def price(n_out: int) -> int:
    return proof.price(5, n_out, PRICE_IN, PRICE_OUT)


async def test_an_answer_is_streamed_checked_paid_and_filed(requester: Requester, worker: FakeWorker) -> None:
    session = await requester.open_session()
    pieces: list[str] = []
    answer = await requester.ask(
        session, "why?", max_tokens=9, temperature=0.5, stop=["\n\n"], on_text=pieces.append
    )
    assert answer.text == "".join(pieces) == "answer 0 to why?"
    assert (answer.index, answer.price) == (0, price(3))
    assert worker.vouchers[session].amount == answer.price and worker.vouchers[session].answers == 1
    sent = Request.decode(worker.taken[0])
    assert (sent.temperature, sent.max_tokens, sent.stop) == (128, 9, (b"\n\n",))
    bundle = Bundle.load(answer.path)
    assert bundle.receipt == answer.receipt and bundle.spec == SPEC and bundle.leaves is None
    assert bundle.requester == REQUESTER.public and bundle.worker == WORKER.public
    assert answer.path.stat().st_mode & 0o777 == 0o600


async def test_prices_add_up_over_a_session_and_over_restarts(
    make_requester: Make, worker: FakeWorker
) -> None:
    first = make_requester()
    session = await first.open_session()
    for number in range(3):
        assert (await first.ask(session, "a")).index == number
    await first.close()
    again = make_requester()
    assert (await again.ask(session, "b")).index == 3
    assert worker.vouchers[session].amount == 4 * price(3)
    assert again.store.usage(again.store.seeds(session)[0]).spent == 4 * price(3)


async def test_many_asks_of_one_session_at_a_time(requester: Requester, worker: FakeWorker) -> None:
    session = await requester.open_session()
    worker.max_unpaid = 3
    answers = await asyncio.gather(*(requester.ask(session, f"q{number}") for number in range(12)))
    assert sorted(answer.index for answer in answers) == list(range(12))
    for number, answer in enumerate(answers):
        assert answer.text.endswith(f"q{number}")
    assert worker.vouchers[session].answers == 12


async def test_a_lost_connection_is_replayed_with_the_same_bytes(
    requester: Requester, worker: FakeWorker
) -> None:
    session = await requester.open_session()
    worker.faults = [lambda _: "drop", lambda _: "cut", lambda _: "mute"]
    pieces: list[str] = []
    answer = await requester.ask(session, "why?", on_text=pieces.append)
    assert "".join(pieces) == answer.text == "answer 0 to why?"
    assert len(worker.taken) == 1 and worker.vouchers[session].answers == 1


async def test_another_text_after_a_lost_connection_is_noticed(
    requester: Requester, worker: FakeWorker
) -> None:
    session = await requester.open_session()
    worker.faults = [lambda _: "cut"]
    texts = iter(["first text", "other text"])

    def other(kept: Kept) -> Kept:
        return Kept(**{**vars(kept), "text": next(texts)})

    worker.tamper = other
    with pytest.raises(WorkerBroken, match="another text"):
        await requester.ask(session, "why?")
    assert session not in worker.vouchers


async def test_a_crash_between_index_and_sending_resends_the_same_bytes(
    make_requester: Make, worker: FakeWorker
) -> None:
    first = make_requester()
    session = await first.open_session()
    kept = await first._kept(session)
    draft = Request(session, 0, (proof.Message.of(proof.Role.USER, "lost"),), 0, 8)
    lost = first._exchange(kept, recover=True).begin(draft)
    first._owner.close()  # what the system does to a process that dies: its lock is gone
    second = make_requester()
    answer = await second.ask(session, "next")
    assert worker.taken[0] == lost.request.encode() and answer.index == 1
    assert second.bundle(session, 0).text == "answer 0 to lost"
    assert second.bundle(session, 0).request_signature == lost.signature
    assert worker.vouchers[session].answers == 2


async def test_a_crash_between_answer_and_receipt_loses_nothing(
    make_requester: Make, worker: FakeWorker
) -> None:
    first = make_requester(patience=Patience(seconds=0.02, first=0.01, most=0.01))
    session = await first.open_session()
    worker.faults = [lambda _: "mute"] * 20
    with pytest.raises(WorkerUnreachable, match="kept and sent again"):
        await first.ask(session, "muted")
    worker.faults = []
    assert (await first.ask(session, "next")).index == 1
    assert first.bundle(session, 0).text == "answer 0 to muted"
    assert len(worker.taken) == 2 and worker.vouchers[session].answers == 2


async def test_a_living_process_keeps_its_request(make_requester: Make, worker: FakeWorker) -> None:
    first, second = make_requester(), make_requester()
    session = await first.open_session()
    kept = await first._kept(session)
    first._exchange(kept, recover=True).begin(
        Request(session, 0, (proof.Message.of(proof.Role.USER, "slow"),), 0, 8)
    )
    assert second.store.take_over(kept.seed, second._owner.dead) == []


async def test_two_homes_of_one_account_learn_from_the_worker(
    make_requester: Make, worker: FakeWorker, tmp_path: Path
) -> None:
    first, other = make_requester(), make_requester(tmp_path / "elsewhere")
    session = await first.open_session()
    for question in ("a", "b"):
        await first.ask(session, question)
    assert (await other.ask(session, "c")).index == 2
    assert other.bundle(session, 1).text == "answer 1 to b"
    assert worker.vouchers[session].amount == 3 * price(3)
    assert (await first.ask(session, "d")).index == 3
    assert worker.vouchers[session].answers == 4


async def test_a_worker_that_invents_requests_is_left(
    make_requester: Make, worker: FakeWorker, tmp_path: Path
) -> None:
    first, other = make_requester(), make_requester(tmp_path / "elsewhere")
    session = await first.open_session()
    await first.ask(session, "a")
    forged = worker.answers[session, 0]
    forged.request_signature = WORKER.sign(
        proof.signing_bytes("request", bytes(range(32)), forged.request.encode())
    )
    with pytest.raises(SessionOver, match="did not sign"):
        await other.ask(session, "b")
    with pytest.raises(SessionOver, match="never made"):
        await other.ask(session, "c")
    assert other.store.voucher(other.store.seeds(session)[0]) is None


async def test_a_worker_that_forgets_is_left(requester: Requester, worker: FakeWorker) -> None:
    session = await requester.open_session()
    await requester.ask(session, "a")
    worker.answers.clear()
    with pytest.raises(SessionOver, match="forgotten"):
        await requester.ask(session, "b")


async def test_refused_requests_give_their_index_back(requester: Requester, worker: FakeWorker) -> None:
    session = await requester.open_session()
    worker.faults = [lambda _: refusal(422, "context_length", "too long")]
    with pytest.raises(RequestRefused, match="too long") as error:
        await requester.ask(session, "x")
    assert (error.value.status, error.value.code) == (422, "context_length")
    assert (await requester.ask(session, "y")).index == 0


async def test_a_hole_left_by_a_refused_request_is_filled(requester: Requester, worker: FakeWorker) -> None:
    session = await requester.open_session()
    worker.faults = [lambda _: refusal(422, "bad_prompt", "no")]
    results = await asyncio.gather(
        *(requester.ask(session, f"q{number}") for number in range(4)), return_exceptions=True
    )
    assert sum(isinstance(result, RequestRefused) for result in results) == 1
    answered = [result for result in results if not isinstance(result, BaseException)]
    assert sorted(answer.index for answer in answered) == [0, 1, 2]
    assert worker.vouchers[session].answers == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_worker_that_is_not_ready_is_asked_again(
    requester: Requester, worker: FakeWorker, status: int
) -> None:
    session = await requester.open_session()
    worker.faults = [
        lambda _: refusal(status, "later", retry_after=0),
        lambda _: httpx.Response(status, text="<html>"),
    ]
    assert (await requester.ask(session, "x")).index == 0


async def test_low_escrow_says_what_to_do_and_topping_up_helps(
    requester: Requester, worker: FakeWorker
) -> None:
    session = await requester.open_session(escrow=UNIT // 100)
    with pytest.raises(EscrowLow, match=f"llmnet sessions top-up {session}") as error:
        await requester.ask(session, "x", max_tokens=1000)
    assert error.value.missing is not None
    await requester.top_up(session, error.value.missing)
    assert (await requester.ask(session, "x", max_tokens=1000)).index == 0


async def test_a_due_voucher_is_sent_again(requester: Requester, worker: FakeWorker) -> None:
    session = await requester.open_session()
    worker.max_unpaid = 1
    worker.voucher_fault = httpx.Response(500)
    await requester.ask(session, "a")
    worker.voucher_fault = None
    await requester.ask(session, "b")
    assert worker.vouchers[session].answers == 2


async def test_a_voucher_that_is_never_taken_ends_with_the_workers_words(
    requester: Requester, worker: FakeWorker
) -> None:
    session = await requester.open_session()
    worker.max_unpaid = 1
    worker.voucher_fault = refusal(422, "voucher_amount")
    await requester.ask(session, "a")
    with pytest.raises(RequestRefused, match="voucher_due"):
        await requester.ask(session, "b")


async def test_a_dead_worker_is_told_and_the_request_kept(make_requester: Make, worker: FakeWorker) -> None:
    requester = make_requester(patience=Patience(seconds=0.05, first=0.01, most=0.02))
    session = await requester.open_session()
    worker.faults = [lambda _: "drop"] * 50
    with pytest.raises(WorkerUnreachable, match=r"no answer within 0 s|no answer"):
        await requester.ask(session, "x")
    seed = requester.store.seeds(session)[0]
    assert [stored.state for stored in requester.store.requests(seed)] == [State.PENDING]


@pytest.mark.parametrize("code", ["session_over", "session_stuck"])
async def test_a_session_that_ended_is_not_used_again(
    requester: Requester, worker: FakeWorker, code: str
) -> None:
    session = await requester.open_session()
    worker.faults = [lambda _: refusal(409, code, "over")]
    with pytest.raises(SessionOver, match="over"):
        await requester.ask(session, "x")
    assert await requester.find_session("x", 10) is None


async def test_a_failed_generation_ends_the_session(requester: Requester, worker: FakeWorker) -> None:
    session = await requester.open_session()
    worker.faults = [lambda _: refusal(503, "generation_failed", "broke")]
    with pytest.raises(SessionOver, match="another session"):
        await requester.ask(session, "x")


@pytest.mark.parametrize(
    "content",
    [
        b"data: {\n\n",
        b"data: []\n\n",
        b'data: {"choices": []}\n\n',
        b'data: {"choices": [{"delta": {"content": 5}}]}\n\n',
        b'data: {"choices": [{"delta": {"content": "\\ud800"}}]}\n\n',
        b"data: " + b"[" * 100_000 + b"\n\n",
        b'data: {"choices": [{"delta": {"content": "' + b"x" * (9 << 20) + b'"}}]}\n\n',
    ],
)
async def test_a_malformed_stream_is_named(requester: Requester, worker: FakeWorker, content: bytes) -> None:
    session = await requester.open_session()
    worker.faults = [lambda _: httpx.Response(200, content=content)]
    with pytest.raises(WorkerBroken):
        await requester.ask(session, "x")
    assert (await requester.ask(session, "y")).index == 1  # the first was sent again and answered


async def test_an_endless_line_is_cut_off(requester: Requester, worker: FakeWorker) -> None:
    async def endless():
        while True:
            yield b"x" * (1 << 20)

    session = await requester.open_session()
    worker.faults = [lambda _: httpx.Response(200, content=endless())]
    with pytest.raises(WorkerBroken, match="line"):
        await requester.ask(session, "x")


async def test_errors_in_the_middle_of_a_stream_are_tried_again(
    requester: Requester, worker: FakeWorker
) -> None:
    session = await requester.open_session()
    late = b'data: {"error": {"message": "m", "type": "t", "code": "busy"}}\n\ndata: [DONE]\n\n'
    worker.faults = [lambda _: httpx.Response(200, content=late)]
    assert (await requester.ask(session, "x")).index == 0


@pytest.mark.parametrize(
    ("messages", "options"),
    [
        ([], {}),
        ([{"role": "robot", "content": "x"}], {}),
        ([{"content": "x"}], {}),
        ("x", {"temperature": -1}),
        ("x", {"temperature": 256}),
        ("x", {"max_tokens": 0}),
        ("x", {"stop": ["y" * 300]}),
        ("\ud800", {}),
        ("x" * (2 << 20), {}),
    ],
)
async def test_bad_requests_are_refused_before_anything_is_kept(
    requester: Requester, messages: object, options: dict[str, object]
) -> None:
    session = await requester.open_session()
    with pytest.raises(RequestRefused):
        await requester.ask(session, messages, **options)  # type: ignore[arg-type]
    assert requester.store.requests() == []


async def test_sessions_of_others_and_unknown_ones(requester: Requester, ledger: FakeLedger) -> None:
    session = await requester.open_session()
    ledger.sessions[session] = type(ledger.sessions[session])(
        **{
            name: getattr(ledger.sessions[session], name)
            for name in ledger.sessions[session].__slots__
            if name != "requester"
        },
        requester=WORKER.public,
    )
    for number in (session, 99):
        with pytest.raises(UnknownSession):
            await requester.ask(number, "x")


async def test_the_wait_for_the_seed_tells_where_the_beacon_stands(
    requester: Requester, ledger: FakeLedger, worker: FakeWorker
) -> None:
    session = await requester.open_session()
    ledger.seeded = False
    with pytest.raises(SeedTimeout, match="no seed"):
        await requester.wait_for_seed(session, timeout=0.01)
    lines: list[str] = []

    def progress(line: str) -> None:
        lines.append(line)
        ledger.seeded = True

    seed = await requester.wait_for_seed(session, progress)
    assert seed == ledger.sessions[session].seed and "end of round 3" in lines[0]


async def test_a_reset_chain_does_not_mix_sessions(
    make_requester: Make, ledger: FakeLedger, worker: FakeWorker
) -> None:
    first = make_requester()
    session = await first.open_session()
    before = await first.ask(session, "old life")
    ledger.sessions.clear()
    worker.answers.clear()
    worker.vouchers.clear()
    ledger.life = b"second life"
    second = make_requester()
    assert await second.open_session() == session
    answer = await second.ask(session, "new life")
    assert answer.index == 0 and worker.vouchers[session].answers == 1
    assert Bundle.load(answer.path).text == "answer 0 to new life"
    olds = [path for path in answer.path.parent.glob("*.json") if path != answer.path]
    assert [Bundle.load(path).text for path in olds] == [before.text]


async def test_leaves_are_fetched_on_demand_and_checked(requester: Requester, worker: FakeWorker) -> None:
    from llmnet.gateway import BundleError

    session = await requester.open_session()
    answer = await requester.ask(session, "x")
    good = worker.tamper
    worker.tamper = lambda kept: Kept(**{**vars(kept), "leaves": kept.leaves[::-1]})
    with pytest.raises(BundleError, match="transcript root"):
        await requester.fetch_leaves(session, 0)
    worker.tamper = good
    bundle = await requester.fetch_leaves(session, 0)
    assert bundle.leaves is not None and len(bundle.leaves) == answer.receipt.n_out
    assert Bundle.load(answer.path) == bundle


async def test_the_cheapest_offer_of_somebody_else_is_chosen(
    requester: Requester, ledger: FakeLedger
) -> None:
    from dataclasses import replace

    offer = ledger.offered[SPEC.id, WORKER.public]
    cheap = bytes([7]) * 32
    ledger.offered[SPEC.id, cheap] = replace(offer, price_out=1)
    ledger.offered[SPEC.id, REQUESTER.public] = replace(offer, price_in=0, price_out=0)
    assert ledger.sessions[await requester.open_session()].worker == cheap
    assert ledger.sessions[await requester.open_session(WORKER.public, SPEC.id)].worker == WORKER.public
    assert ledger.sessions[await requester.open_session(model="tiny")].worker == cheap
    assert ledger.sessions[await requester.open_session(model=SPEC.id.hex()[:8])].worker == cheap
    for options in ({"model": "huge"}, {"worker": bytes([9]) * 32}, {"model": SPEC.id.hex()[:7]}):
        with pytest.raises(NoOffer):
            await requester.open_session(**options)  # type: ignore[arg-type]


async def test_an_open_session_is_used_again_while_it_can_pay(
    make_requester: Make, ledger: FakeLedger, worker: FakeWorker
) -> None:
    first, second = make_requester(), make_requester()
    opened = await asyncio.gather(first.ensure_session("x", 10), second.ensure_session("x", 10))
    assert sorted(opened, key=lambda pair: pair[1]) == [(0, False), (0, True)]
    session, fresh = await first.ensure_session("x", 10**6)
    assert fresh and ledger.sessions[session].escrow >= proof.price(1, 10**6, PRICE_IN, PRICE_OUT)
    ledger.height = ledger.sessions[session].expires_at - 5
    assert (await first.ensure_session("x", 10))[1]
