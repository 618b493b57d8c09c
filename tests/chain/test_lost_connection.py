"""A transaction lands exactly once when the connection dies around it; or its caller is told what is not known."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from llmnet.chain import (
    Client,
    ConnectionLost,
    Keypair,
    RequestTimeout,
    RpcError,
    Subscription,
    TransactionExpired,
    TransactionUnresolved,
    TransactionUsurped,
)
from llmnet.chain.fake import FakeTransport
from llmnet.chain.hashing import blake2_256

from .node import FakeNode, landed, remark
from .server import NodeServer


def break_once(node: FakeNode, transport: FakeTransport, deliver: bool, watch: bool) -> None:
    """deliver: the node gets the transaction. watch: the client gets a subscription that dies later."""

    def open_and_die(subscription: Subscription, data: str) -> None:
        transport.streams.update(node.streams())
        if deliver:
            node.accept(bytes.fromhex(data[2:]))
        if not watch:
            raise ConnectionLost("gone")
        subscription.push("ready")
        subscription.end(ConnectionLost("gone"))

    transport.streams["author_submitAndWatchExtrinsic"] = open_and_die


@pytest.mark.parametrize("watch", [True, False])
async def test_delivered_but_unseen_is_found_and_not_sent_again(
    node: FakeNode, client: Client, alice: Keypair, watch: bool
) -> None:
    node.auto = False
    assert isinstance(client.transport, FakeTransport)
    break_once(node, client.transport, deliver=True, watch=watch)
    waiting = asyncio.ensure_future(client.submit(remark(client), alice))
    await asyncio.sleep(0.1)  # it waits in the pool and is seen there
    assert not waiting.done()
    node.seal()
    assert (await waiting).block_number == 1
    assert (landed(node), len(node.submitted)) == ([b"hello"], 1)


async def test_never_delivered_is_handed_over_again_as_the_same_bytes(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    assert isinstance(client.transport, FakeTransport)
    break_once(node, client.transport, deliver=False, watch=False)
    result = await client.submit(remark(client), alice)
    assert landed(node) == [b"hello"]
    assert [blake2_256(data) for data in node.submitted] == [result.extrinsic_hash]


async def test_included_before_anybody_could_look_is_found(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    assert isinstance(client.transport, FakeTransport)

    def include_and_die(subscription: Subscription, data: str) -> None:
        node.submit(data)
        node.seal(12)
        raise ConnectionLost("gone")

    client.transport.streams["author_submitAndWatchExtrinsic"] = include_and_die
    assert (await client.submit(remark(client), alice)).block_number == 1
    assert len(node.submitted) == 1


async def test_a_window_that_passes_is_reported_and_frees_the_nonce(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    break_once(node, transport, deliver=False, watch=False)
    transport.answers["author_submitExtrinsic"] = lambda data: "0x00"  # says yes and forgets it
    waiting = asyncio.ensure_future(client.submit(remark(client), alice))
    await asyncio.sleep(0.05)
    node.seal(62)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    node.seal()
    with pytest.raises(TransactionExpired):
        await waiting
    assert (await client.submit(remark(client, b"anew"), alice)).block_number == 64
    assert landed(node) == [b"anew"]


@pytest.mark.parametrize(
    "error",
    [
        RpcError(1012, "Transaction is temporarily banned"),
        RpcError(1010, "Invalid Transaction", "Transaction has a bad signature"),
    ],
)
async def test_a_second_hand_over_that_is_refused_is_no_verdict_by_itself(
    node: FakeNode, client: Client, alice: Keypair, error: RpcError
) -> None:
    """Banned may mean included; and when the window passes in that moment, the node reads another era."""
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    node.lag = 3
    break_once(node, transport, deliver=False, watch=False)

    def refuse(data: str) -> None:
        if error.code == 1010:
            node.seal(64)
        raise error

    transport.answers["author_submitExtrinsic"] = refuse
    waiting = asyncio.ensure_future(client.submit(remark(client), alice))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    node.seal(70)
    with pytest.raises(TransactionExpired):
        await waiting


async def test_a_nonce_taken_while_searching_is_a_usurpation(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    assert isinstance(client.transport, FakeTransport)
    other = await client.sign(remark(client, b"other"), alice)

    def lose_the_race(subscription: Subscription, data: str) -> None:
        node.submit("0x" + other.data.hex())
        raise ConnectionLost("gone")

    client.transport.streams["author_submitAndWatchExtrinsic"] = lose_the_race
    with pytest.raises(TransactionUsurped):
        await client.submit(remark(client), alice)
    assert landed(node) == [b"other"]


async def test_a_caller_who_stops_waiting_is_told_that_it_may_still_land(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    node.auto = False
    with pytest.raises(TransactionUnresolved) as caught:
        await client.submit(remark(client), alice, timeout=0.05)
    assert caught.value.valid_until == 63
    node.seal()
    assert blake2_256(node.chain[1].body[1]) == caught.value.extrinsic_hash
    await_next = asyncio.ensure_future(client.submit(remark(client, b"next"), alice))
    await asyncio.sleep(0.05)
    node.seal()
    await await_next
    assert landed(node) == [b"hello", b"next"]


async def test_a_node_that_stays_away_leaves_it_unresolved(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    assert isinstance(client.transport, FakeTransport)
    break_once(node, client.transport, deliver=True, watch=False)

    def away(*_: Any) -> None:
        raise RequestTimeout("no answer")

    client.transport.answers["author_pendingExtrinsics"] = away
    with pytest.raises(TransactionUnresolved, match="cannot be asked"):
        await client.submit(remark(client), alice)


async def test_a_hostile_line_loses_and_doubles_nothing(
    server: NodeServer, node: FakeNode, alice: Keypair
) -> None:
    """Twenty tasks of one account while connections are cut at random, every frame comes twice and answers
    get lost."""
    node.auto = False
    dice = random.Random(7)
    server.twice = True

    async def fault(server: NodeServer, connection: Any, request: dict[str, Any]) -> bool:
        chance = dice.random()
        if chance < 0.02:
            connection.transport.abort()  # before it is done
            return True
        if chance < 0.04 and request["method"] == "author_submitAndWatchExtrinsic":
            node.accept(bytes.fromhex(request["params"][0][2:]))  # done, but nobody hears of it
            connection.transport.abort()
            return True
        return False

    async def author() -> None:
        while True:
            await asyncio.sleep(0.03)
            node.seal()
            if dice.random() < 0.05:
                server.cut()

    texts = [b"%d" % number for number in range(60)]
    server.fault = fault
    sealing = asyncio.ensure_future(author())
    async with Client.connect(server.url, poll=0.05, backoff=(0.01, 0.05), request_timeout=20) as client:

        async def work(number: int) -> None:
            for text in texts[number::20]:
                while True:
                    try:
                        await client.submit(remark(client, text), alice)
                        break
                    except TransactionExpired:  # a window is two seconds here: on a busy machine it may pass
                        continue

        await asyncio.gather(*(work(number) for number in range(20)))
    sealing.cancel()
    assert sorted(landed(node)) == sorted(texts)
    assert server.accepted > 1
