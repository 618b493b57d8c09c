"""What a long life costs: nothing is kept of clients that were closed, of blocks that were followed, of transactions that landed.

LLMNET_LONG=1 opens 1,000 clients and follows 5,000 blocks."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from llmnet.chain import Client, FakeTransport, Keypair

from .node import FakeNode
from .server import NodeServer

LONG = bool(os.environ.get("LLMNET_LONG"))
# What the chain in memory keeps was made by these.
OF_THE_FAKE = [
    tracemalloc.Filter(False, f"*/llmnet/chain/{name}.py")
    for name in ("fake", "codec", "encoder", "rpc", "scale")
]
WATCHED = [
    tracemalloc.Filter(True, "*/llmnet/chain/*"),
    tracemalloc.Filter(True, "*/websockets/*"),
    *OF_THE_FAKE,
]
SLACK = 24 << 10  # bytes: a rehashed dictionary, what the interpreter keeps for itself


def held() -> int:
    """Bytes that were allocated by the client, or by what it stands on, and are still there."""
    gc.collect()
    # CPython's cache of attributes keeps a new name for every `match` on a class, up to 4,096 of them.
    sys._clear_type_cache()
    snapshot = tracemalloc.take_snapshot().filter_traces(WATCHED)
    return sum(statistic.size for statistic in snapshot.statistics("filename"))


async def growth(step: Callable[[], Awaitable[None]], first: int, more: int) -> int:
    """How much more is held after `more` steps than after the `first`."""
    tracemalloc.start()
    try:
        for _ in range(first):
            await step()
        before = held()
        for _ in range(more):
            await step()
        return held() - before
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(0 if LONG else 120)
async def test_clients_that_were_closed_leave_nothing(
    server: NodeServer, alice: Keypair, tmp_path: Path
) -> None:
    async def step() -> None:
        async with (
            Client.connect(server.url, cache_dir=tmp_path) as client,
            await client.transport.subscribe("chain_subscribeNewHeads", [], "chain_unsubscribeNewHeads"),
        ):
            await client.head()
        server.node.heads["New"].clear()  # the server at the other end is not what is measured
        await server.hang_up()

    tasks = len(asyncio.all_tasks())
    warm_up = 100 if LONG else 5  # what is shared by all clients is made once
    assert await growth(step, warm_up, 900 if LONG else 20) < SLACK
    async with asyncio.timeout(10):  # the server's side of the connections takes a moment
        while len(asyncio.all_tasks()) > tasks + 1:
            await asyncio.sleep(0.05)


@pytest.mark.timeout(0 if LONG else 120)
async def test_a_follower_keeps_nothing_of_what_it_gave(
    node: FakeNode, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmnet.chain.runtimes.MAX_BLOCKS", 16)
    monkeypatch.setattr("llmnet.chain.follow.HISTORY", 16)
    monkeypatch.setattr("llmnet.chain.client.HISTORY", 16)
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    final, best = client.events(None, 1), client.events(None, 1, finalized=False)

    async def step() -> None:
        node.seal()
        transport.requests.clear()
        assert (await anext(final)).block_number == (await anext(best)).block_number == node.chain[-1].number

    assert await growth(step, 60, 5000 if LONG else 150) < SLACK
    await final.aclose()
    await best.aclose()


async def test_transactions_that_landed_leave_nothing(node: FakeNode, client: Client, alice: Keypair) -> None:
    call = client.call("System", "remark_with_event", remark=bytes(1000))
    node.seal(2)

    async def step() -> None:
        await client.submit(call, alice)

    client._runtimes._by_block.clear()
    assert await growth(step, 30, 60) < SLACK + 60 * 200  # and a line each in the list of known blocks
    assert client._nonces._accounts == {}


async def test_a_leak_would_be_noticed(node: FakeNode, client: Client) -> None:
    kept: list[bytes] = []
    exec(
        compile("def keep(kept):\n    kept.append(bytes(2000))\n", "x/llmnet/chain/leak.py", "exec"),
        globals(),
    )

    async def step() -> None:
        globals()["keep"](kept)

    assert await growth(step, 5, 50) > SLACK
