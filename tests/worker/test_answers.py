"""What happens to an accepted request, whatever the backend, the reader or the process does."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import httpx
import pytest

from llmnet import proof
from llmnet.engine import EngineClosedError, ModelFiles, NumericsError
from llmnet.proof import ServiceSpec
from llmnet.worker.answering import Terms
from llmnet.worker.errors import Unavailable

from .shop import FakeChain, ScriptedBackend, Shop, body_of, events_of, make_request, refused


async def test_chunks_join_to_the_text_and_the_last_carries_the_receipt(shop: Shop) -> None:
    events = events_of((await shop.ask(stream=True)).text)
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    receipt = proof.Receipt.decode(bytes.fromhex(events[-1]["llmnet"]["receipt"]))
    assert receipt.text_hash == proof.text_hash(text) and len(events) > 4
    assert ["llmnet" in event for event in events] == [False] * (len(events) - 1) + [True]
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["stop"]
    assert events[-1]["usage"]["completion_tokens"] == len(events[-1]["llmnet"]["tokens"]) == 4
    whole = (await shop.ask()).json()
    assert whole["llmnet"] == events[-1]["llmnet"] and whole["choices"][0]["message"]["content"] == text


async def test_a_replayed_stream_tells_the_same(shop: Shop) -> None:
    first = events_of((await shop.ask(stream=True)).text)
    again = events_of((await shop.ask(stream=True)).text)
    assert first[-1]["llmnet"] == again[-1]["llmnet"]
    text = ["".join(e["choices"][0]["delta"].get("content", "") for e in events) for events in (first, again)]
    assert text[0] == text[1]


async def test_a_worker_stopped_before_an_answer_took_its_first_step_tells_who_waits(shop: Shop) -> None:
    """A task that is cancelled before it began runs nothing, not even what it has in `finally`."""
    running = shop.answerer.start(make_request(), (1, 2), Terms(bytes(32), 1000, 2000))

    async def read() -> None:
        async for _ in running.follow():
            pass

    reading = asyncio.create_task(read())
    await shop.answerer.close()
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable, match="being stopped"):
            await reading
    assert len(shop.answerer) == 0


async def test_an_answer_is_stored_before_its_receipt_is_sent(shop: Shop) -> None:
    written = []
    put = shop.store.put_answer
    shop.store.put_answer = lambda answer: (put(answer), written.append(shop.store.answer(1, 0)))  # type: ignore[assignment,func-returns-value]
    body = (await shop.ask()).json()
    assert written[0] is not None and written[0].receipt.encode().hex() == body["llmnet"]["receipt"]
    assert written[0].leaves is not None and len(written[0].leaves) == 4


async def test_nan_logits_fail_the_request_and_stop_the_session(shop: Shop) -> None:
    shop.backend.fault = NumericsError("non-finite logits at output position 1")
    refused(await shop.ask(), 503, "generation_failed", "non-finite logits")
    shop.backend.fault = None
    refused(await shop.ask(), 409, "session_stuck", "non-finite logits")
    refused(await shop.ask(make_request(1)), 409, "session_stuck", "open another session")
    assert shop.store.answer(1, 0) is None and shop.store.unanswered() == []
    shop.chain.add(2)
    assert (await shop.ask(make_request(session=2))).status_code == 200


async def test_an_error_in_mid_stream_is_an_event(shop: Shop) -> None:
    shop.backend.fault = NumericsError("non-finite logits")
    events = events_of((await shop.ask(stream=True)).text)
    assert (
        events[-1]["error"]["code"] == "generation_failed" and "non-finite" in events[-1]["error"]["message"]
    )
    assert not any("llmnet" in event for event in events)


async def test_a_fault_of_ours_is_tried_again_when_asked_again(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.backend.fault = RuntimeError("secret detail of the machine")
    error = refused(await shop.ask(), 503, "generation_failed", "ask again")
    assert "secret detail" not in error["message"] and "secret detail" in caplog.text
    assert len(shop.store.unanswered()) == 1
    shop.backend.fault = None
    assert (await shop.ask()).status_code == 200
    assert shop.store.unanswered() == []


async def test_a_backend_without_a_leaf_for_each_token_is_a_fault(shop: Shop) -> None:
    shop.backend.skip_leaf = True
    refused(await shop.ask(), 503, "generation_failed")
    assert shop.store.answer(1, 0) is None


async def test_a_store_that_fails_leaves_no_reader_hanging(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "put_answer", full)
        async with asyncio.timeout(3):
            refused(await shop.ask(), 503, "generation_failed")
    assert (await shop.ask()).status_code == 200


async def test_a_fault_before_acceptance_is_an_error_in_the_same_shape(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(shop.app, raise_app_exceptions=False), base_url="http://w"
    )
    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "accept", full)
        answer = await http.post("/v1/chat/completions", json=body_of(make_request(), "tiny"))
        error = refused(answer, 500, "internal_error")
        assert "disk" not in error["message"]
    await http.aclose()
    assert shop.store.next_index(1) == 0 and not shop.backend.jobs
    assert (await shop.ask()).status_code == 200


async def test_an_engine_that_died_is_not_the_requests_fault(shop: Shop) -> None:
    shop.backend.fault = EngineClosedError("the engine's thread died")
    refused(await shop.ask(), 503, "generation_failed")
    assert shop.answerer.dead.is_set() and len(shop.store.unanswered()) == 1
    await shop.restart()
    await shop.admission.resume()
    assert (await shop.ask()).status_code == 200 and not shop.answerer.dead.is_set()


async def test_a_reader_that_leaves_gets_its_answer_later(shop: Shop) -> None:
    """A client that reads the first event and hangs up."""
    shop.backend.gate = asyncio.Event()
    sent: list[dict[str, object]] = []
    gone = asyncio.Event()
    body = httpx.Request("POST", "http://w", json=body_of(make_request(), "tiny", stream=True)).content
    inbox = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, object]:
        if inbox:
            return inbox.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)
        if b"is" in bytes(message.get("body", b"")) or len(sent) == 3:  # type: ignore[call-overload]
            gone.set()

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "headers": [],
        "path": "/v1/chat/completions", "raw_path": b"/v1/chat/completions", "query_string": b"", "scheme": "http",
        "server": ("w", 80), "client": ("c", 1), "root_path": "",
    }  # fmt: skip
    async with asyncio.timeout(3):
        await shop.app(scope, receive, send)
    assert len(sent) >= 2 and not any(b"llmnet" in bytes(m.get("body", b"")) for m in sent[1:])  # type: ignore[call-overload]
    assert shop.store.answer(1, 0) is None and len(shop.answerer) == 1
    shop.backend.gate.set()
    async with asyncio.timeout(3):
        while shop.store.answer(1, 0) is None:
            await asyncio.sleep(0.01)
    assert (await shop.ask()).status_code == 200 and len(shop.backend.jobs) == 1


async def test_a_connection_that_ends_within_the_body_is_no_fault(shop: Shop) -> None:
    sent: list[dict[str, object]] = []
    inbox = [{"type": "http.request", "body": b'{"mod', "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, object]:
        return inbox.pop(0)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "headers": [],
        "path": "/v1/chat/completions", "raw_path": b"", "query_string": b"", "scheme": "http",
        "server": ("w", 80), "client": ("c", 1), "root_path": "",
    }  # fmt: skip
    await shop.app(scope, receive, send)
    assert sent[0]["status"] == 400 and b"body_incomplete" in bytes(sent[1]["body"])  # type: ignore[call-overload]


async def test_unanswered_requests_are_answered_by_the_next_process(
    tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec, chain: FakeChain
) -> None:
    """The contents of the receipts are those that the first process would have given."""
    reference = Shop(tmp_path / "reference.sqlite", tiny, spec, chain).open()
    wanted = [(await reference.ask(make_request(index))).json() for index in range(3)]
    await reference.close()

    held = ScriptedBackend(gate=asyncio.Event())
    shop = Shop(tmp_path / "worker.sqlite", tiny, spec, chain, backend=held).open()
    asking = [asyncio.create_task(shop.ask(make_request(index))) for index in range(3)]
    await asyncio.sleep(0.2)
    await shop.restart()
    for task in asking:
        refused(await task, 503, "stopping")
    assert held.left == 3, "running jobs are aborted"
    await shop.admission.resume()
    assert len(shop.answerer) == 3
    given = [(await shop.ask(make_request(index))).json() for index in range(3)]
    assert [item["llmnet"]["receipt"] for item in given] == [item["llmnet"]["receipt"] for item in wanted]
    assert [item["llmnet"]["tokens"] for item in given] == [item["llmnet"]["tokens"] for item in wanted]
    assert len(shop.backend.jobs) == 3
    await shop.close()


async def test_what_cannot_be_resumed_now_is_answered_when_asked_again(shop: Shop) -> None:
    shop.backend.fault = RuntimeError("cut off")
    await shop.ask()
    await shop.restart()
    shop.chain.down = True
    await shop.admission.resume()
    assert len(shop.answerer) == 0 and len(shop.store.unanswered()) == 1
    shop.chain.down = False
    assert (await shop.ask()).status_code == 200


async def test_a_stopped_worker_lets_running_answers_end_within_its_grace(shop: Shop) -> None:
    shop.backend.gate = asyncio.Event()
    asking = asyncio.create_task(shop.ask())
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(shop.answerer.close(2.0))
    await asyncio.sleep(0.05)
    refused(await shop.ask(make_request(1)), 503, "stopping")
    shop.backend.gate.set()
    assert (await asking).status_code == 200
    await closing
    assert shop.backend.closed


async def test_a_stopped_worker_tells_its_readers(shop: Shop) -> None:
    shop.backend.gate = asyncio.Event()
    asking = asyncio.create_task(shop.ask(stream=True))
    await asyncio.sleep(0.05)
    await shop.answerer.close(0.05)
    async with asyncio.timeout(1):
        events = events_of((await asking).text)
    assert events[-1]["error"]["code"] == "stopping"
    await shop.admission.resume()
    assert len(shop.answerer) == 0 and len(shop.store.unanswered()) == 1
