"""A real node whose unfinalised blocks are replaced by others, and one that is killed under senders and followers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from llmnet.chain import Client, Event, Keypair, TxStatus
from llmnet.devnode import Node, NodeConfig, Seal, serve

from .conftest import ARTIFACTS
from .test_hostile import amounts_on_chain, events_of_chain, send_all

RUNTIME = ARTIFACTS / "llmnet_runtime.compact.compressed.wasm"
UNIT = 10**12
FAST = {"backoff": (0.02, 0.1), "poll": 0.1, "quiet": 1.0, "patience": 1.0}


def node(folder: Path, lag: int) -> Node:
    return Node.from_preset(RUNTIME, config=NodeConfig(base_path=folder, finality_lag=lag))


async def produce(client: Client, count: int) -> None:
    for _ in range(count):
        await client.request("dev_newBlock")


async def test_a_reorganisation_is_told_and_what_it_removed_lands_again_once(
    alice: Keypair, tmp_path: Path
) -> None:
    """The node comes back with the chain it had two blocks ago and makes others: the same port, another fork."""
    chain, older = tmp_path / "chain", tmp_path / "older"
    steps: list[TxStatus] = []
    async with contextlib.AsyncExitStack() as stack:
        async with serve(node(chain, 4), seal=Seal("manual")) as first:
            port = first.port
            client = await stack.enter_async_context(Client.connect(f"ws://127.0.0.1:{port}", **FAST))  # type: ignore[arg-type]
            best, final = client.blocks(1, finalized=False), client.blocks(1)
            events = client.events([("System", "Remarked")], 1, finalized=False)
            await produce(client, 3)
        shutil.copytree(chain, older)
        async with serve(node(chain, 4), port=port, seal=Seal("manual")):
            call = client.call("System", "remark_with_event", remark=b"on either fork")
            waiting = asyncio.create_task(client.submit(call, alice, on_status=steps.append))
            while not steps:
                await asyncio.sleep(0.02)
            await produce(client, 2)
            old = [await anext(best) for _ in range(5)]
            seen = await anext(events)
        async with serve(node(older, 4), port=port, seal=Seal("manual")):
            await client.request("chain_getHeader")
            while "searching" not in [step.kind for step in steps] or not await client.request(
                "author_pendingExtrinsics"
            ):
                await asyncio.sleep(0.05)
            await client.request("dev_timeTravel", 2_000_000_000_000)  # other blocks than before
            await produce(client, 8)
            new = [await anext(best) for _ in range(8)]
            again, anew = await anext(events), await anext(events)
            result = await waiting
            finals = [await anext(final) for _ in range(7)]
            for walk in (best, events, final):
                await walk.aclose()
    assert [block.number for block in new] == list(range(4, 12))
    assert new[0].retracts == (old[4].hash, old[3].hash)
    assert not any(block.retracts for block in [*old, *new[1:]])
    assert (again.retracted, again.block_hash) == (True, seen.block_hash)
    assert (anew.retracted, anew.block_hash) == (False, result.block_hash)
    assert seen.block_hash == old[3].hash != result.block_hash
    assert steps[-1].kind == "finalized" and steps[-1].block_hash == result.block_hash
    assert [block.hash for block in finals] == [block.hash for block in (*old[:3], *new[:4])]


@asynccontextmanager
async def process(folder: Path, port: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    command = [sys.executable, "-m", "llmnet.cli.node", "--dev", "--json", "--port", str(port)]
    command += ["--block-time", "0.3", "--finality-lag", "2", "--base-path", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    child = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        yield child, int(json.loads(await child.stdout.readline())["url"].rsplit(":", 1)[1])
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


@pytest.mark.e2e
async def test_a_node_that_is_killed_under_senders_and_followers(alice: Keypair, tmp_path: Path) -> None:
    count, dest = 30, Keypair.from_uri("//after-the-kill").public
    seen: list[Event] = []

    async def follow(client: Client) -> None:
        async for event in client.events(from_block=1):
            seen.append(event)  # noqa: PERF401 - it grows while it is looked at

    async with contextlib.AsyncExitStack() as stack:
        async with process(tmp_path / "chain", 0) as (first, port):
            url = f"ws://127.0.0.1:{port}"
            client = await stack.enter_async_context(Client.connect(url, **FAST))  # type: ignore[arg-type]
            following = asyncio.create_task(follow(client))
            sending = asyncio.create_task(send_all(client, alice, dest, count, tasks=8))
            for _ in range(2):
                await asyncio.sleep(1.0)
            assert not sending.done()
            first.send_signal(signal.SIGKILL)
            await first.wait()
        async with process(tmp_path / "chain", port) as (second, _):
            await asyncio.sleep(1.0)
            assert not sending.done()
            second.send_signal(signal.SIGKILL)
            await second.wait()
        async with process(tmp_path / "chain", port):
            await sending
            last = (await client.finalized_head()).number
            async with asyncio.timeout(20):
                while not seen or seen[-1].block_number < last:
                    await asyncio.sleep(0.05)
            following.cancel()
            sent = await amounts_on_chain(client, alice.public, last)
            assert sent == {UNIT + amount: 1 for amount in range(count)}
            assert [event for event in seen if event.block_number <= last] == await events_of_chain(
                client, last
            )
