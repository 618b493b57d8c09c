"""Blocks and events in order and without gap; reorganisations are told; cursors are checked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from llmnet.chain import (
    Block,
    Client,
    Cursor,
    CursorMismatch,
    Keypair,
    RequestTimeout,
    TransportClosed,
    UnknownEntry,
)
from llmnet.chain.fake import FakeTransport

from .node import FakeNode
from .server import NodeServer


async def take(blocks: AsyncGenerator[Block, None], count: int) -> list[Block]:
    """The next blocks; raises TimeoutError when they do not come."""
    async with asyncio.timeout(20):
        return [await anext(blocks) for _ in range(count)]


async def nothing_comes(blocks: AsyncGenerator[Block, None]) -> bool:
    task = asyncio.ensure_future(anext(blocks))
    await asyncio.sleep(0.1)
    came = task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return not came


async def test_blocks_come_from_the_past_and_then_as_they_are_made(node: FakeNode, client: Client) -> None:
    node.seal(30)
    blocks = client.blocks(3)
    assert [block.number for block in await take(blocks, 28)] == list(range(3, 31))
    node.seal()
    assert [block.hash for block in await take(blocks, 1)] == [node.chain[31].hash]
    assert await nothing_comes(blocks)


async def test_a_new_follower_starts_with_the_next_block(node: FakeNode, client: Client) -> None:
    node.seal(5)
    blocks = client.blocks()
    first = asyncio.ensure_future(anext(blocks))
    await asyncio.sleep(0.05)
    node.seal()
    assert (await first).number == 6
    await blocks.aclose()


async def test_only_finalised_blocks_unless_asked(node: FakeNode, client: Client) -> None:
    node.lag = 2
    node.seal(5)
    final, best = client.blocks(1), client.blocks(1, finalized=False)
    assert [block.number for block in await take(final, 3)] == [1, 2, 3]
    assert [block.number for block in await take(best, 5)] == [1, 2, 3, 4, 5]
    assert await nothing_comes(final)


async def test_a_cursor_goes_on_where_it_stopped(node: FakeNode, client: Client) -> None:
    node.seal(5)
    first = (await take(client.blocks(1), 2))[-1].cursor
    assert first == Cursor(2, node.chain[2].hash)
    assert [block.number for block in await take(client.blocks(after=first), 3)] == [3, 4, 5]


async def test_a_cursor_of_another_chain_is_refused(node: FakeNode, client: Client) -> None:
    node.seal(5)
    with pytest.raises(CursorMismatch, match="block 3 does not follow block 2"):
        await take(client.blocks(after=Cursor(2, bytes(32))), 1)


async def test_a_cursor_ahead_of_the_node_waits_and_is_then_checked(
    node: FakeNode, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    blocks = client.blocks(after=Cursor(3, bytes(32)))
    first = asyncio.ensure_future(anext(blocks))
    await asyncio.sleep(0.05)
    assert "before our cursor 3" in caplog.text
    node.seal(4)
    with pytest.raises(CursorMismatch):
        await first


async def test_lost_late_and_double_notifications_lose_and_double_no_block(
    node: FakeNode, client: Client
) -> None:
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    blocks = client.blocks(1)
    collected: list[Block] = []

    async def collect() -> None:
        async for block in blocks:
            collected.append(block)  # noqa: PERF401 - it grows while it is looked at

    task = asyncio.ensure_future(collect())
    dice = random.Random(3)
    for _ in range(60):
        event = dice.randrange(4)
        if event == 0:
            transport.drop()
            node.heads["Finalized"].clear()
        elif event == 1:
            node.heads["Finalized"].clear()  # silence: these notifications are lost
            node.seal()
            transport.drop()
        else:
            node.seal(dice.randrange(3))
            node._announce()  # once more
        await asyncio.sleep(0.01)
    node.seal()
    await asyncio.sleep(0.4)
    task.cancel()
    assert [block.hash for block in collected] == [block.hash for block in node.chain[1:]]


async def test_events_over_a_line_that_is_cut_equal_the_chains(
    server: NodeServer, node: FakeNode, alice: Keypair
) -> None:
    dice = random.Random(5)
    server.twice = True
    seen: list[tuple[int, str]] = []
    async with Client.connect(server.url, backoff=(0.01, 0.05)) as client:

        async def collect() -> None:
            async for event in client.events(None, 1):
                seen.append((event.block_number, str(event)))  # noqa: PERF401 - as above

        task = asyncio.ensure_future(collect())
        for number in range(40):
            if number % 5 == 0:
                await client.submit(
                    client.call("System", "remark_with_event", remark=b"x"), alice, wait="in_block"
                )
            node.seal()
            if dice.random() < 0.3:
                server.cut()
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            while not seen or seen[-1][0] < len(node.chain) - 1:
                await asyncio.sleep(0.02)
        task.cancel()
        wanted = []
        for block in node.chain[1:]:
            wanted += [
                (block.number, str(e))
                for e in node.runtime.decode_events(block.events, block.number, block.hash)
            ]
    assert seen == wanted
    assert server.accepted > 3


async def test_a_time_out_is_waited_through_and_a_closed_transport_is_not(
    node: FakeNode, client: Client
) -> None:
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    failures = 3

    def head() -> str:
        nonlocal failures
        failures -= 1
        if failures > 0:
            raise RequestTimeout("no answer")
        return "0x" + node.finalized.hash.hex()

    transport.answers["chain_getFinalizedHead"] = head
    node.seal(2)
    blocks = client.blocks(1)
    assert len(await take(blocks, 2)) == 2
    await transport.close()
    with pytest.raises(TransportClosed):
        await take(blocks, 1)


@pytest.mark.parametrize("depth", [1, 2, 4])
async def test_a_reorganisation_is_told(node: FakeNode, client: Client, depth: int) -> None:
    node.lag = 10
    node.seal(6)
    blocks = client.blocks(1, finalized=False)
    first = await take(blocks, 6)
    node.reorganise(depth)
    second = await take(blocks, depth + 1)
    assert [block.number for block in second] == list(range(7 - depth, 8))
    assert second[0].retracts == tuple(block.hash for block in reversed(first[-depth:]))
    assert not any(block.retracts for block in [*first, *second[1:]])
    assert second[-1].hash == node.chain[-1].hash


async def test_a_reorganised_finalised_chain_is_an_error(node: FakeNode, client: Client) -> None:
    node.seal(3)
    blocks = client.blocks(1)
    await take(blocks, 3)
    node.reorganise(2)
    with pytest.raises(CursorMismatch, match="does not follow block 3"):
        await take(blocks, 1)


async def test_events_are_filtered_by_name(node: FakeNode, client: Client, alice: Keypair) -> None:
    call: Any = client.call("System", "remark_with_event", remark=b"x")
    await client.submit(call, alice)
    await client.submit(call, alice)
    events = client.events([("System", "Remarked")], 1)
    async with asyncio.timeout(20):
        found = [await anext(events) for _ in range(2)]
    assert [(event.block_number, event.extrinsic_index) for event in found] == [(1, 1), (2, 1)]
    assert found[0].fields["sender"] == alice.public
    assert found[0].block_hash == node.chain[1].hash
    with pytest.raises(UnknownEntry, match="no event 'Remark'"):
        await anext(client.events([("System", "Remark")]))


async def test_events_of_retracted_blocks_come_once_more(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    node.lag = 10
    events = client.events([("System", "Remarked")], 1, finalized=False)
    for text in (b"1", b"2", b"3"):
        call: Any = client.call("System", "remark_with_event", remark=text)
        await client.submit(call, alice, wait="in_block")
    async with asyncio.timeout(20):
        first = [await anext(events) for _ in range(3)]
        node.reorganise(2)
        again = [await anext(events) for _ in range(2)]
    assert [event.block_number for event in first] == [1, 2, 3]
    assert [(event.block_hash, event.fields) for event in again] == [
        (event.block_hash, event.fields) for event in (first[2], first[1])
    ]
    assert [event.retracted for event in [*first, *again]] == [False] * 3 + [True] * 2
    await events.aclose()


async def test_a_lost_notification_is_made_up_for_after_a_while(node: FakeNode) -> None:
    client = await Client.over(node.transport(), poll=0.01, quiet=0.05)
    blocks = client.blocks(1)
    node.seal()
    await take(blocks, 1)
    node.heads["Finalized"].clear()  # nobody will say so
    node.seal(2)
    assert [block.number for block in await take(blocks, 2)] == [2, 3]
    await blocks.aclose()


async def test_leaving_the_loop_ends_the_subscription(node: FakeNode, client: Client) -> None:
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    node.seal(2)
    blocks = client.blocks(1)
    await take(blocks, 1)
    assert len(transport.open["chain_subscribeFinalizedHeads"]) == 1
    await blocks.aclose()
    assert transport.open["chain_subscribeFinalizedHeads"] == []
