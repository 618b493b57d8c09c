"""The WebSocket transport against a node that drops, duplicates, garbles, floods and keeps silent."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from llmnet.chain import (
    Client,
    ConnectionLost,
    MethodNotFound,
    ProtocolViolation,
    QueueOverflow,
    RequestTimeout,
    RpcError,
    Subscription,
    TransportClosed,
    WebSocketTransport,
)
from llmnet.chain.transport import is_idempotent

from .node import FakeNode
from .server import Fault, NodeServer

FAST: dict[str, Any] = {"backoff": (0.01, 0.05), "request_timeout": 5.0}


@asynccontextmanager
async def connected(*urls: str, **options: Any) -> AsyncIterator[WebSocketTransport]:
    transport = WebSocketTransport(urls, **{**FAST, **options})
    try:
        yield transport
    finally:
        await transport.close()


def once(method: str, action: Any) -> Fault:
    """A fault that happens to the first request of one method."""
    done = False

    async def fault(server: NodeServer, connection: ServerConnection, request: dict[str, Any]) -> bool:
        nonlocal done
        if done or request["method"] != method:
            return False
        done = True
        await action(server, connection, request)
        return True

    return fault


async def cut(server: NodeServer, connection: ServerConnection, request: dict[str, Any]) -> None:
    connection.transport.abort()


def say(text: str | bytes) -> Any:
    async def action(server: NodeServer, connection: ServerConnection, request: dict[str, Any]) -> None:
        await connection.send(text)

    return action


async def nothing(server: NodeServer, connection: ServerConnection, request: dict[str, Any]) -> None:
    return None


async def test_requests_are_answered_out_of_order_and_all_at_once(server: NodeServer) -> None:
    async with connected(server.url) as transport:
        server.node.seal(30)
        hashes = await asyncio.gather(*(transport.request("chain_getBlockHash", [n]) for n in range(31)))
    assert hashes == ["0x" + block.hash.hex() for block in server.node.chain]


async def test_an_error_of_the_node_is_an_rpc_error(server: NodeServer) -> None:
    async with connected(server.url) as transport:
        with pytest.raises(MethodNotFound, match=r"no_such failed with -32601"):
            await transport.request("no_such")
        with pytest.raises(RpcError, match="4003"):
            await transport.request("state_call", ["Nothing_here", "0x"])


async def test_a_read_is_replayed_after_the_connection_died(server: NodeServer) -> None:
    server.fault = once("chain_getBlockHash", cut)
    async with connected(server.url) as transport:
        assert await transport.request("chain_getBlockHash", [0]) is not None
    assert Counter(server.seen)["chain_getBlockHash"] == 2
    assert server.accepted == 2


@pytest.mark.parametrize(
    "method", ["author_submitExtrinsic", "dev_newBlock", "author_rotateKeys", "unknown_write"]
)
async def test_a_write_is_never_replayed(server: NodeServer, method: str) -> None:
    server.fault = once(method, cut)
    async with connected(server.url) as transport:
        with pytest.raises(ConnectionLost):
            await transport.request(method, ["0x00"])
        await transport.request("chain_getBlockHash", [0])  # the connection is back
    assert Counter(server.seen)[method] == 1


async def test_a_watched_submission_is_never_replayed(server: NodeServer) -> None:
    server.fault = once("author_submitAndWatchExtrinsic", cut)
    async with connected(server.url) as transport:
        with pytest.raises(ConnectionLost):
            await transport.subscribe("author_submitAndWatchExtrinsic", ["0x00"], "author_unwatchExtrinsic")
    assert Counter(server.seen)["author_submitAndWatchExtrinsic"] == 1


def test_only_reads_are_idempotent() -> None:
    for method in (
        "chain_getHeader",
        "state_call",
        "state_getKeysPaged",
        "chain_subscribeNewHeads",
        "payment_queryInfo",
    ):
        assert is_idempotent(method)
    for method in (
        "author_submitExtrinsic",
        "author_submitAndWatchExtrinsic",
        "dev_setStorage",
        "system_addReservedPeer",
    ):
        assert not is_idempotent(method)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "{",
        "not json",
        b"\xff\xfe",
        "[1, 2]",
        "17",
        "null",
        '"text"',
        "[" * 100_000,
        '{"jsonrpc": "2.0", "id":',
    ],
)
async def test_garbage_costs_one_connection_and_no_answer(server: NodeServer, garbage: str | bytes) -> None:
    server.fault = once("chain_getBlockHash", say(garbage))
    async with connected(server.url) as transport:
        assert await transport.request("chain_getBlockHash", [0]) is not None
    assert server.accepted == 2


@pytest.mark.parametrize(
    "noise",
    [
        '{"jsonrpc": "2.0", "id": 999, "result": 1}',
        '{"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": "x"}}',
        '{"jsonrpc": "2.0", "method": "x", "params": {"subscription": "nobody", "result": 1}}',
        "{}",
        "[]",
    ],
)
async def test_answers_to_nobody_are_ignored(server: NodeServer, noise: str) -> None:
    async def fault(server: NodeServer, connection: ServerConnection, request: dict[str, Any]) -> bool:
        await connection.send(noise)
        return False

    server.fault = fault
    async with connected(server.url) as transport:
        for _ in range(100):
            assert await transport.request("chain_getBlockHash", [0]) is not None
    assert server.accepted == 1


async def test_every_frame_twice_changes_nothing(server: NodeServer) -> None:
    server.twice = True
    async with connected(server.url) as transport:
        for number in range(20):
            assert await transport.request("chain_getBlockHash", [0]) is not None
            assert (await transport.request("chain_getHeader", []))["number"] == hex(number)
            server.node.seal()


async def test_an_oversized_frame_is_an_error_and_is_not_asked_for_again(server: NodeServer) -> None:
    async with connected(server.url, max_message=10_000) as transport:
        server.fault = once("chain_getBlockHash", say('"' + "x" * 20_000 + '"'))
        with pytest.raises(ProtocolViolation, match="larger than allowed"):
            await transport.request("chain_getBlockHash", [0])
        assert await transport.request("chain_getBlockHash", [0]) is not None
    assert Counter(server.seen)["chain_getBlockHash"] == 2


async def test_silence_ends_in_a_time_out(server: NodeServer) -> None:
    server.fault = once("chain_getBlockHash", nothing)
    async with connected(server.url, request_timeout=0.2) as transport:
        with pytest.raises(RequestTimeout, match="no answer to chain_getBlockHash"):
            await transport.request("chain_getBlockHash", [0])
        assert await transport.request("chain_getBlockHash", [0]) is not None
    assert server.accepted == 1  # a slow answer is no reason to hang up


async def test_a_read_without_an_answer_is_asked_again_and_a_write_is_not(server: NodeServer) -> None:
    async with connected(server.url, request_timeout=0.5, patience=0.1) as transport:
        server.fault = once("chain_getBlockHash", nothing)
        assert await transport.request("chain_getBlockHash", [0]) is not None
        server.fault = once("author_submitExtrinsic", nothing)
        with pytest.raises(RequestTimeout):
            await transport.request("author_submitExtrinsic", ["0x00"])
        assert transport._link is not None and transport._link._pending == {}
    assert Counter(server.seen)["chain_getBlockHash"] == 2
    assert Counter(server.seen)["author_submitExtrinsic"] == 1


async def test_an_endpoint_that_accepts_and_says_nothing_is_left_for_the_next(server: NodeServer) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as silent:
        url = f"ws://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with connected(url, server.url, patience=0.2) as transport:
            assert await transport.request("chain_getBlockHash", [0]) is not None


async def test_nobody_there_ends_in_a_time_out_that_says_why() -> None:
    async with connected("ws://127.0.0.1:1", request_timeout=0.3) as transport:
        with pytest.raises(RequestTimeout, match="last trouble"):
            await transport.request("chain_getBlockHash", [0])


async def test_the_next_endpoint_is_used(server: NodeServer) -> None:
    async with connected("ws://127.0.0.1:1", server.url) as transport:
        assert await transport.request("chain_getBlockHash", [0]) is not None


async def test_closing_ends_waiting_requests_and_later_ones(server: NodeServer) -> None:
    server.fault = once("chain_getBlockHash", nothing)
    async with connected(server.url) as transport:
        waiting = asyncio.ensure_future(transport.request("chain_getBlockHash", [0]))
        await asyncio.sleep(0.1)
        await transport.close()
        with pytest.raises(TransportClosed):
            await waiting
        with pytest.raises(TransportClosed):
            await transport.request("chain_getBlockHash", [0])


@pytest.mark.parametrize("urls", [[], ["http://127.0.0.1"], ["127.0.0.1:9944"]])
def test_addresses_must_be_websocket_addresses(urls: list[str]) -> None:
    with pytest.raises(ValueError, match="ws://"):
        WebSocketTransport(urls)


async def test_an_endpoint_of_another_chain_is_refused(server: NodeServer, node: FakeNode) -> None:
    async with Client.connect(server.url, **FAST) as client:
        genesis = client.genesis_hash
        node.chain[0].hash = bytes(32)
        server.cut()
        with pytest.raises(RequestTimeout, match="serves genesis 0x0000"):
            client.transport._request_timeout = 0.5  # type: ignore[attr-defined]
            await client.request("chain_getHeader")
        node.chain[0].hash = genesis
        assert await client.request("chain_getHeader") is not None


async def test_a_subscription_ends_with_the_connection_after_what_was_queued(server: NodeServer) -> None:
    async with connected(server.url) as transport:
        heads = await transport.subscribe("chain_subscribeNewHeads", [], "chain_unsubscribeNewHeads")
        server.node.seal(2)
        assert (await anext(heads))["number"] == "0x1"
        await asyncio.sleep(0.05)
        server.cut()
        assert (await anext(heads))["number"] == "0x2"
        with pytest.raises(ConnectionLost):
            await anext(heads)
        with pytest.raises(ConnectionLost):
            await anext(heads)


async def test_a_slow_consumer_gets_an_overflow_and_not_all_the_memory(server: NodeServer) -> None:
    async with connected(server.url, queue_size=10) as transport:
        heads = await transport.subscribe("chain_subscribeNewHeads", [], "chain_unsubscribeNewHeads")
        server.node.seal(30)
        await asyncio.sleep(0.1)
        for number in range(1, 11):
            assert (await anext(heads))["number"] == hex(number)
        with pytest.raises(QueueOverflow, match="more than 10"):
            await anext(heads)


async def test_closing_a_subscription_tells_the_node_and_ends_the_iteration(server: NodeServer) -> None:
    async with connected(server.url) as transport:
        async with await transport.subscribe(
            "chain_subscribeNewHeads", [], "chain_unsubscribeNewHeads"
        ) as heads:
            pass
        with pytest.raises(StopAsyncIteration):
            await anext(heads)
        await heads.aclose()
        await asyncio.sleep(0.1)
    assert Counter(server.seen)["chain_unsubscribeNewHeads"] == 1


async def test_a_notification_ahead_of_its_subscription_is_not_lost(server: NodeServer) -> None:
    async def fault(server: NodeServer, connection: ServerConnection, request: dict[str, Any]) -> bool:
        early = {"jsonrpc": "2.0", "method": "x", "params": {"subscription": "s", "result": "early"}}
        await server.send(connection, early)
        await server.send(connection, {"jsonrpc": "2.0", "id": request["id"], "result": "s"})
        return True

    server.fault = fault
    async with connected(server.url) as transport:
        heads = await transport.subscribe("chain_subscribeNewHeads", [], "chain_unsubscribeNewHeads")
        assert await anext(heads) == "early"


async def test_a_subscription_that_is_answered_too_late_is_given_back(server: NodeServer) -> None:
    async def late(server: NodeServer, connection: ServerConnection, request: dict[str, Any]) -> None:
        await asyncio.sleep(0.3)
        await server.answer(connection, request)

    server.fault = once("chain_subscribeNewHeads", late)
    async with connected(server.url, request_timeout=0.1) as transport:
        with pytest.raises(RequestTimeout):
            await transport.subscribe("chain_subscribeNewHeads", [], "chain_unsubscribeNewHeads")
        await asyncio.sleep(0.5)
    assert Counter(server.seen)["chain_unsubscribeNewHeads"] == 1


async def test_many_reconnects_leave_nothing_behind(server: NodeServer) -> None:
    async with connected(server.url) as transport:
        for _ in range(15):
            await transport.request("chain_getBlockHash", [0])
            server.cut()
            await asyncio.sleep(0)
        before = len(asyncio.all_tasks())
        await transport.request("chain_getBlockHash", [0])
        assert len(asyncio.all_tasks()) <= before + 6
    await asyncio.sleep(0.1)
    assert not [task for task in asyncio.all_tasks() if "WebSocketTransport" in repr(task)]


async def test_a_subscription_without_a_transport_delivers_in_order() -> None:
    async def closed() -> None:
        return None

    subscription = Subscription(closed, size=3)
    waiting = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0)
    subscription.push(1)
    subscription.push(2)
    assert (await waiting, await anext(subscription)) == (1, 2)
    waiting = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0)
    await subscription.aclose()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_without_the_list_of_reads_a_write_would_be_sent_twice(
    server: NodeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inverse of the tests above: they look at what the list decides."""
    monkeypatch.setattr("llmnet.chain.websocket.is_idempotent", lambda _: True)
    server.node.answers = dict  # type: ignore[method-assign]
    server.fault = once("author_submitExtrinsic", cut)
    async with connected(server.url) as transport:
        with pytest.raises(MethodNotFound):
            await transport.request("author_submitExtrinsic")
    assert Counter(server.seen)["author_submitExtrinsic"] == 2
