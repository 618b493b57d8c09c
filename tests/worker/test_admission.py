"""Which requests and vouchers are taken, and that refused ones leave nothing behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from llmnet import proof
from llmnet.pallets.sessions import Status, StatusClosed, StatusClosing, state
from llmnet.proof import Voucher

from .shop import GENESIS, PAYER, STRANGER, WORKER, Shop, body_of, make_request, refused, sign


async def test_a_forged_signature_is_refused(shop: Shop) -> None:
    refused(await shop.ask(keys=STRANGER), 401, "bad_signature", "session 1")
    refused(await shop.ask(genesis=bytes(32)), 401, "bad_signature")
    other = body_of(make_request(text="Goodbye"), "tiny")
    body = body_of(make_request(), "tiny")
    body["llmnet"]["signature"] = other["llmnet"]["signature"]
    refused(await shop.send(body), 401, "bad_signature")
    body["llmnet"]["signature"] = "00"
    refused(await shop.send(body), 401, "bad_signature")
    assert shop.store.next_index(1) == 0 and not shop.backend.jobs


async def test_sessions_that_are_not_ours(shop: Shop) -> None:
    shop.chain.add(2, worker=STRANGER.public)
    shop.chain.add(3, spec_id=bytes(32))
    for number, code in (
        (9, "unknown_session"),
        (2, "unknown_session"),
        (3, "other_spec"),
        (2**64 - 1, "unknown_session"),
    ):
        refused(await shop.ask(make_request(session=number)), 404, code, str(number))
        refused(await shop.pay(0, 0, session=number), 404, code)
    assert (await shop.ask()).status_code == 200


async def test_a_session_without_seed_waits(shop: Shop) -> None:
    shop.chain.add(1, seed=None)
    answer = await shop.ask()
    refused(answer, 503, "seed_pending", "round 7")
    assert answer.headers["retry-after"] == "3"
    shop.chain.add(1)
    assert (await shop.ask()).status_code == 200


async def test_an_unreachable_chain_is_not_an_unknown_session(shop: Shop) -> None:
    shop.chain.down = True
    answer = await shop.ask()
    refused(answer, 503, "chain_unreachable")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("status", [StatusClosing(50), StatusClosed(50)], ids=["closing", "closed"])
async def test_a_session_that_ends_takes_no_new_request_but_replays_old_ones(
    shop: Shop, status: Status
) -> None:
    first = (await shop.ask()).json()
    session = shop.chain.add(1, status=status)
    refused(await shop.ask(make_request(1)), 409, "session_over", state(session))
    assert (await shop.ask()).json()["llmnet"] == first["llmnet"]


async def test_a_replay_gets_the_very_receipt(shop: Shop) -> None:
    first = (await shop.ask()).json()
    again = (await shop.ask()).json()
    assert again["llmnet"] == first["llmnet"] and again["choices"] == first["choices"]
    assert len(shop.backend.jobs) == 1


async def test_a_replay_of_a_running_request_joins_it(shop: Shop) -> None:
    shop.backend.gate = asyncio.Event()
    both = [asyncio.create_task(shop.ask()) for _ in range(2)]
    await asyncio.sleep(0.1)
    assert not any(task.done() for task in both)
    shop.backend.gate.set()
    first, again = [(await task).json() for task in both]
    assert first["llmnet"] == again["llmnet"] and len(shop.backend.jobs) == 1


async def test_a_used_index_with_another_request_is_a_conflict(shop: Shop) -> None:
    await shop.ask()
    await shop.ask(make_request(1))
    error = refused(await shop.ask(make_request(text="Other")), 409, "index_used")
    assert error["expected"] == 2
    assert len(shop.backend.jobs) == 2


async def test_an_index_ahead_waits_and_is_told_what_comes_next(shop: Shop) -> None:
    started = asyncio.get_running_loop().time()
    error = refused(await shop.ask(make_request(2)), 409, "index_ahead")
    assert error["expected"] == 0
    assert asyncio.get_running_loop().time() - started >= 0.2
    waiting = asyncio.create_task(shop.ask(make_request(1)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert (await shop.ask(make_request(0))).status_code == 200
    assert (await waiting).json()["id"] == "chatcmpl-1-1"


async def test_six_at_once_in_any_order(shop: Shop) -> None:
    order = [3, 5, 1, 4, 0, 2]
    answers = await asyncio.gather(*(shop.ask(make_request(index, f"q{index}")) for index in order))
    assert [answer.json()["id"] for answer in answers] == [f"chatcmpl-1-{index}" for index in order]
    assert len({answer.json()["llmnet"]["receipt"] for answer in answers}) == 6
    assert shop.store.next_index(1) == 6


async def test_one_index_is_given_once(shop: Shop) -> None:
    shop.backend.gate = asyncio.Event()
    tasks = [asyncio.create_task(shop.ask(make_request(0, f"q{number}"))) for number in range(5)]
    await asyncio.sleep(0.3)
    shop.backend.gate.set()
    answers = [await task for task in tasks]
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert len(shop.backend.jobs) == 1


async def test_the_escrow_has_to_cover_the_worst_case(shop: Shop) -> None:
    n_prompt = (await shop.ask()).json()["usage"]["prompt_tokens"]
    spent = shop.store.spent(1)
    worst = proof.price(n_prompt, 8, 1000, 2000)
    shop.chain.add(1, escrow=spent + worst - 1)
    error = refused(await shop.ask(make_request(1)), 402, "escrow_low", "top up")
    assert error["missing"] == "1"
    assert shop.store.next_index(1) == 1
    shop.chain.add(1, escrow=spent + worst)
    assert (await shop.ask(make_request(1))).status_code == 200


async def test_an_answer_dearer_than_the_stake_covers_is_not_begun(shop: Shop) -> None:
    """No batch may hold it, so it would never be paid."""
    n_prompt = (await shop.ask()).json()["usage"]["prompt_tokens"]
    worst = proof.price(n_prompt, 8, 1000, 2000)
    shop.chain.worker_stake = 20 * worst - 1
    error = refused(await shop.ask(make_request(1)), 422, "answer_too_dear", "fewer tokens")
    assert error["dearest"] == str(worst - 1)
    assert shop.store.next_index(1) == 1
    assert (await shop.ask()).status_code == 200, "what was answered is handed out again"
    shop.chain.worker_stake = 20 * worst
    assert (await shop.ask(make_request(1))).status_code == 200


async def test_running_answers_have_their_escrow_reserved(shop: Shop) -> None:
    n_prompt = (await shop.ask()).json()["usage"]["prompt_tokens"]
    worst = proof.price(n_prompt, 8, 1000, 2000)
    shop.chain.add(1, escrow=shop.store.spent(1) + 2 * worst - 1)
    shop.backend.gate = asyncio.Event()
    running = asyncio.create_task(shop.ask(make_request(1)))
    await asyncio.sleep(0.05)
    refused(await shop.ask(make_request(2)), 402, "escrow_low")
    shop.backend.gate.set()
    assert (await running).status_code == 200
    assert (await shop.ask(make_request(2))).status_code == 200


async def test_answers_behind_a_gap_count_too(shop: Shop) -> None:
    """Answer 0 hangs while 1 is done: what 1 cost must not be forgotten."""
    gate = shop.backend.gate = asyncio.Event()
    first = asyncio.create_task(shop.ask())
    await asyncio.sleep(0.05)
    shop.backend.gate = None
    second = (await shop.ask(make_request(1))).json()
    worst = proof.price(second["usage"]["prompt_tokens"], 8, 1000, 2000)
    shop.chain.add(1, escrow=2 * worst + int(second["llmnet"]["price"]) - 1)
    refused(await shop.ask(make_request(2)), 402, "escrow_low")
    gate.set()
    assert (await first).status_code == 200


async def test_a_prompt_that_exceeds_the_context(shop: Shop) -> None:
    refused(await shop.ask(make_request(text="x y " * 400)), 422, "context_length", "512")
    refused(await shop.ask(make_request(max_tokens=2**32 - 1)), 422, "context_length")
    n_prompt = (await shop.ask()).json()["usage"]["prompt_tokens"]
    refused(await shop.ask(make_request(1, max_tokens=513 - n_prompt)), 422, "context_length")
    assert (await shop.ask(make_request(1, max_tokens=512 - n_prompt))).status_code == 200


async def test_limits_of_the_request(shop: Shop) -> None:
    body = body_of(make_request(max_tokens=0), "tiny")
    del body["max_tokens"]
    refused(await shop.send(body), 422, "max_tokens")
    refused(await shop.ask(make_request(stop=(b"a", b"b", b"c", b"d", b"e"))), 422, "stop")
    refused(await shop.ask(make_request(stop=(b"",))), 422, "stop")
    assert shop.store.next_index(1) == 0


async def test_a_full_queue_says_come_again(shop: Shop) -> None:
    await shop.close()
    shop.settings = {"max_queue": 2}
    shop.open()
    shop.backend.gate = asyncio.Event()
    running = [asyncio.create_task(shop.ask(make_request(index))) for index in range(2)]
    await asyncio.sleep(0.1)
    answer = await shop.ask(make_request(2))
    refused(answer, 429, "queue_full")
    assert answer.headers["retry-after"] == "2"
    shop.backend.gate.set()
    await asyncio.gather(*running)
    assert (await shop.ask(make_request(2))).status_code == 200


async def test_unpaid_answers_have_a_limit(shop: Shop) -> None:
    await shop.close()
    shop.settings = {"max_unpaid": 2}
    shop.open()
    for index in range(2):
        assert (await shop.ask(make_request(index))).status_code == 200
    error = refused(await shop.ask(make_request(2)), 402, "voucher_due", "2 answers")
    assert error["expected"] == str(sum(shop.store.prices(1))) and error["answers"] == 2
    assert (await shop.pay(shop.store.prices(1)[0], 1)).status_code == 204
    assert (await shop.ask(make_request(2))).status_code == 200
    refused(await shop.ask(make_request(3)), 402, "voucher_due")
    assert (await shop.pay(int(error["expected"]), 2)).status_code == 204
    assert (await shop.ask(make_request(3))).status_code == 200


async def test_a_voucher_may_come_with_the_request(shop: Shop) -> None:
    price = int((await shop.ask()).json()["llmnet"]["price"])
    body = body_of(make_request(1), "tiny")
    voucher = Voucher(1, price, 1).encode()
    body["llmnet"]["voucher"] = {"payload": voucher.hex(), "signature": sign(PAYER, "voucher", voucher)}
    assert (await shop.send(body)).status_code == 200
    kept = shop.store.voucher(1)
    assert kept is not None and kept[0] == Voucher(1, price, 1)


async def _three(shop: Shop) -> list[int]:
    for index in range(3):
        assert (await shop.ask(make_request(index))).status_code == 200
    return shop.store.prices(1)


async def test_vouchers_that_are_wrong_change_nothing(shop: Shop) -> None:
    shop.chain.add(2)
    prices = await _three(shop)
    assert (await shop.pay(sum(prices[:2]), 2)).status_code == 204
    kept = shop.store.voucher(1)
    high = refused(await shop.pay(sum(prices) + 1, 3), 422, "voucher_amount", "more")
    low = refused(await shop.pay(sum(prices) - 1, 3), 422, "voucher_amount", "less")
    assert high["expected"] == low["expected"] == str(sum(prices))
    ahead = refused(await shop.pay(sum(prices) + 5, 4), 422, "voucher_ahead")
    assert ahead["answers"] == 3
    refused(await shop.pay(sum(prices), 3, session=2), 422, "voucher_ahead")
    refused(await shop.pay(sum(prices), 3, keys=STRANGER), 401, "bad_voucher_signature")
    refused(await shop.pay(sum(prices), 3, keys=WORKER), 401, "bad_voucher_signature")
    refused(
        await shop.http.post("/v1/vouchers", json={"payload": "00", "signature": "00"}),
        400,
        "invalid_voucher",
    )
    assert shop.store.voucher(1) == kept and shop.store.voucher(2) is None


async def test_a_voucher_signed_for_another_session_is_forged(shop: Shop) -> None:
    prices = await _three(shop)
    shop.chain.add(2)
    signature = sign(PAYER, "voucher", Voucher(2, sum(prices), 3).encode())
    payload = Voucher(1, sum(prices), 3).encode().hex()
    answer = await shop.http.post("/v1/vouchers", json={"payload": payload, "signature": signature})
    refused(answer, 401, "bad_voucher_signature")


async def test_a_lower_voucher_is_taken_and_changes_nothing(shop: Shop) -> None:
    prices = await _three(shop)
    assert (await shop.pay(sum(prices), 3)).status_code == 204
    kept = shop.store.voucher(1)
    assert (await shop.pay(prices[0], 1)).status_code == 204
    assert (await shop.pay(sum(prices), 3)).status_code == 204
    assert shop.store.voucher(1) == kept


async def test_a_wrong_voucher_with_a_request_refuses_both(shop: Shop) -> None:
    body = body_of(make_request(), "tiny")
    voucher = Voucher(1, 5, 1).encode()
    body["llmnet"]["voucher"] = {"payload": voucher.hex(), "signature": sign(PAYER, "voucher", voucher)}
    refused(await shop.send(body), 422, "voucher_ahead")
    assert shop.store.next_index(1) == 0


async def test_the_answer_is_signed_and_priced_as_the_protocol_says(shop: Shop) -> None:
    body = (await shop.ask()).json()
    extension = body["llmnet"]
    receipt = proof.Receipt.decode(bytes.fromhex(extension["receipt"]))
    assert proof.verify_signature(
        WORKER.public, bytes.fromhex(extension["signature"]), "receipt", GENESIS, receipt.encode()
    )
    assert receipt.request_hash == make_request().hash
    assert receipt.output_hash == proof.output_hash(extension["tokens"])
    assert receipt.text_hash == proof.text_hash(body["choices"][0]["message"]["content"])
    assert extension["price"] == str(proof.price(receipt.n_prompt, receipt.n_out, 1000, 2000))
    seed = proof.request_seed(bytes([1]) * 32, 0, make_request().hash)
    assert shop.backend.jobs[0].request_seed == seed
    assert replace(make_request(), index=1).hash != make_request().hash
