"""What a client can do at most: memory, connections, origins; and what an operator sees of it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from llmnet.devnode import Limits, Node, Server, ServerError, serve
from llmnet.devnode.rpc import hub
from llmnet.devnode.rpc.connection import Backlog, Connection
from llmnet.devnode.state import Changes

from .conftest import NodeFactory
from .rpc_client import Client, client_of, post, request, until
from .support import Signer

MEGABYTE = 1024 * 1024


def resident() -> int:
    """Bytes of memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Mute:
    """A WebSocket client that sends requests and reads nothing after its handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, server: Server) -> Mute:
        # A small buffer of its own, so that the node feels it at once.
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13"
        hello = f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n\r\n"
        writer.write(hello.encode())
        await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    def ask(self, method: str, *params: Any) -> None:
        text = json.dumps(request(method, *params)).encode()
        size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
        self._writer.write(b"\x81" + size + bytes(4) + text)

    def vanish(self) -> None:
        self._writer.transport.abort()


async def test_notifications_that_nobody_reads_do_not_grow_the_memory(make_node: NodeFactory) -> None:
    """Blocks of hundreds of kilobytes of news for eight mute clients: the node keeps a fixed amount of it."""
    node = make_node(self_check=False)
    limits = Limits(queue_bytes=2 * MEGABYTE, backlog_bytes=6 * MEGABYTE, subscriptions=4)
    big = ["0x" + (b"big%d" % number).hex() for number in range(2)]
    async with serve(node, limits=limits) as server, client_of(server) as client:
        mutes = [await Mute.connect(server) for _ in range(8)]
        for mute in mutes:
            mute.ask("state_subscribeStorage", big)
        await until(lambda: len(server.app.hub._storage) == 8)
        await client.call("dev_setStorage", [[key, "0x" + "00" * 100_000] for key in big])
        before = resident()
        highest = 0
        for turn in range(60):  # 60 blocks * 8 clients * 400 kB = 190 MB of notifications
            value = "0x" + f"{turn % 256:02x}" * 100_000
            await client.call("dev_setStorage", [[key, value] for key in big])
            highest = max(highest, server.app.backlog.bytes)
        assert highest <= limits.backlog_bytes
        assert resident() - before < 60 * MEGABYTE
        await until(lambda: server.app.metrics.cut_off == 8)
        assert await client.call("system_name")
        for mute in mutes:
            mute.vanish()


async def test_answers_that_nobody_reads_stop_the_reading_of_requests(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that asks much and reads nothing is not heard any more, and is let go after a while."""
    limits = Limits(pause_bytes=200_000, stall_seconds=0.5)
    async with serve(node, limits=limits) as server:
        mute = await Mute.connect(server)
        for _ in range(400):
            mute.ask("state_getMetadata")
        await until(lambda: server.app.metrics.cut_off == 1)
        answered = server.app.metrics.calls["state_getMetadata", False]
        assert answered < 100
        assert "does not read" in caplog.text
        async with client_of(server) as client:
            assert await client.call("system_name")
        mute.vanish()


async def test_a_reading_client_gets_all_of_many_large_answers(node: Node) -> None:
    async with serve(node, limits=Limits(pause_bytes=1000)) as server, client_of(server) as client:
        for number in range(40):
            await client.socket.send(json.dumps(request("state_getMetadata", number=1000 + number)))
        answers = [json.loads(await client.socket.recv()) for _ in range(40)]
        assert sorted(answer["id"] for answer in answers) == list(range(1000, 1040))


async def test_a_client_that_falls_behind_with_its_news_is_cut_off(node: Node) -> None:
    async with serve(node, limits=Limits(queue_bytes=10_000)) as server:
        async with client_of(server) as client:
            with pytest.raises(ConnectionClosed) as closed:
                await client.call("state_subscribeStorage", ["0x" + b":code".hex()])  # larger than the queue
                await client.socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
        async with client_of(server) as client:
            assert await client.call("system_name")


async def test_the_client_furthest_behind_goes_first() -> None:
    backlog = Backlog(1000)
    slow, fast = (Connection(100, 10_000, 1, backlog=backlog) for _ in range(2))
    slow.reply("x" * 700)
    fast.reply("x" * 200)
    assert not slow.overrun.is_set()
    fast.reply("x" * 200)
    assert (slow.overrun.is_set(), fast.overrun.is_set()) == (True, False)
    assert (slow.bytes, backlog.bytes) == (0, fast.bytes)


_STEPS = st.lists(
    st.tuples(st.sampled_from(["send", "reply", "read", "close"]), st.integers(0, 2), st.integers(1, 60))
)


@settings(max_examples=60, deadline=None)
@given(_STEPS)
def test_the_backlog_is_the_sum_of_what_waits_and_never_over_its_limit(
    steps: list[tuple[str, int, int]],
) -> None:
    async def run() -> None:
        backlog = Backlog(120)
        connections = [Connection(4, 80, 1, pause_bytes=30, backlog=backlog) for _ in range(3)]
        for kind, which, size in steps:
            connection = connections[which]
            if kind == "send":
                connection.send("x" * size)
            elif kind == "reply":
                connection.reply("x" * size)
            elif kind == "read" and connection.bytes:
                await connection.next_message()
            elif kind == "close":
                connection.close()
                connections[which] = Connection(4, 80, 1, pause_bytes=30, backlog=backlog)
            assert backlog.bytes == sum(one.bytes for one in connections) <= 120
            assert all(
                one._room.is_set() == (one.bytes <= 30 and len(one._queue) <= 2) for one in connections
            )

    asyncio.run(run())


# -- HTTP beside JSON-RPC


async def test_health_and_preflight(server: Server) -> None:
    base = server.url.replace("ws", "http", 1)
    async with httpx.AsyncClient() as http:
        health = await http.get(base + "/health", headers={"origin": "http://localhost:1234"})
        assert health.json()["isSyncing"] is False
        assert health.headers["access-control-allow-origin"] == "http://localhost:1234"
        assert (await http.get(base + "/health/readiness")).status_code == 200
        preflight = await http.options(base, headers={"origin": "https://polkadot.js.org"})
        assert preflight.status_code == 204
        assert "POST" in preflight.headers["access-control-allow-methods"]
        refused = await http.options(base, headers={"origin": "https://evil.example"})
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)


async def test_posts_at_a_time_are_limited(node: Node) -> None:
    async with serve(node, limits=Limits(connections=1)) as server:
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()
        blocked = asyncio.create_task(
            server.service.run(lambda: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10))
        )
        slow = asyncio.create_task(post(server, request("state_call", "Core_version", "0x")))
        await until(lambda: server.app.posts == 1)
        assert (await post(server, request("system_name"))).status_code == 503
        gate.set()
        assert "result" in (await slow).json()
        await blocked
        assert (await post(server, request("system_name"))).status_code == 200


async def test_a_post_that_does_not_come_is_given_up(node: Node) -> None:
    async with serve(node, limits=Limits(stall_seconds=0.1)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
        assert server.app.posts == 0
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("everyone", ["*", "all"])
async def test_all_origins_can_be_let_in(node: Node, everyone: str) -> None:
    async with serve(node, limits=Limits(origins=(everyone,))) as server:
        response = await post(server, request("system_name"), headers={"origin": "https://evil.example"})
        assert response.headers["access-control-allow-origin"] == "https://evil.example"


# -- metrics


async def test_metrics_count_blocks_calls_and_connections(node: Node, signer: Signer) -> None:
    async with serve(node, metrics_port=0) as server, client_of(server) as client:
        await client.call("author_submitExtrinsic", "0x" + signer.transfer("//Alice", "//Bob", 1, 0).hex())
        await client.call("dev_newBlock")
        await client.call("author_submitExtrinsic", "0x" + signer.transfer("//Alice", "//Bob", 1, 1).hex())
        await client.call("author_submitExtrinsic", "0x" + signer.transfer("//Alice", "//Bob", 1, 9).hex())
        await client.call("no_such")
        await client.call("state_getStorage")
        lines = (await _metrics(server)).splitlines()
        for line in (
            'substrate_block_height{status="best"} 1',
            'substrate_block_height{status="finalized"} 1',
            "substrate_ready_transactions_number 1",
            "llmnet_future_transactions_number 1",
            "llmnet_blocks_produced_total 1",
            "llmnet_extrinsics_included_total 2",
            'substrate_rpc_calls_finished{method="author_submitExtrinsic",is_error="false"} 3',
            'substrate_rpc_calls_finished{method="state_getStorage",is_error="true"} 1',
            'substrate_rpc_calls_finished{method="unknown",is_error="true"} 1',
            "substrate_rpc_sessions_opened 1",
        ):
            assert line in lines, line
        families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
        assert len(families) == len(set(families))


async def _metrics(server: Server) -> str:
    async with httpx.AsyncClient() as http:
        base = f"http://127.0.0.1:{server.metrics_port}"
        assert (await http.get(base)).status_code == 404
        answer = await http.get(base + "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return answer.text


async def test_metrics_port_in_use_leaves_nothing_open(server: Server, make_node: NodeFactory) -> None:
    with pytest.raises(ServerError, match="in use"):
        async with serve(make_node(), metrics_port=server.port):
            pytest.fail("served twice")


async def test_unknown_methods_do_not_fill_the_metrics(client: Client, server: Server) -> None:
    for number in range(20):
        await client.call(f"no_such_{number}")
    assert [name for name, _ in server.app.metrics.calls] == ["unknown"]


async def test_keys_that_a_connection_watches_are_limited(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MAX_WATCHED_KEYS", 3)
    first = await client.call("state_subscribeStorage", ["0x01", "0x02"])
    assert (await client.call("state_subscribeStorage", ["0x03", "0x04"]))["code"] == 4002
    await client.call("state_unsubscribeStorage", first)
    assert isinstance(await client.call("state_subscribeStorage", ["0x03", "0x04"]), str)


async def test_storage_is_told_also_where_states_are_gone_at_once(make_node: NodeFactory) -> None:
    """With one state kept and blocks faster than the event loop, some changes are told together."""
    node = make_node(keep_states=1, self_check=False)
    async with serve(node) as server, client_of(server) as client:
        watch = await client.call("state_subscribeStorage", ["0x1234"])
        heads = await client.call("chain_subscribeNewHeads")
        await client.note(watch)

        for number in range(20):  # all of them before the event loop hears of the first
            node.set_storage(Changes({b"\x12\x34": bytes([number])}))
        while (await client.note(watch))["changes"] != [["0x1234", "0x13"]]:
            pass
        assert [(await client.note(heads))["number"] for _ in range(21)] == [
            hex(number) for number in range(21)
        ]
