"""Transactions land exactly once, or say why not; whatever happens to pool and chain."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmnet.chain import (
    Client,
    DispatchFailed,
    Keypair,
    RpcError,
    Subscription,
    TransactionDropped,
    TransactionInvalid,
    TransactionRejected,
    TransactionUsurped,
    TxStatus,
    decode_extrinsic,
)
from llmnet.chain.fake import FakeTransport
from llmnet.chain.hashing import blake2_256
from llmnet.chain.submit import long_enough

from .node import FakeNode, landed, remark


async def test_a_transaction_lands_and_tells_its_story(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    node.seal(5)
    result = await client.submit(remark(client), alice)
    assert (result.block_number, result.block_hash, result.index) == (6, node.chain[6].hash, 1)
    assert (result.fee, result.error, result.finalized) == (7, None, True)
    assert [str(event) for event in result.events][-1] == "System.ExtrinsicSuccess"
    assert result.extrinsic_hash == blake2_256(node.chain[6].body[1])
    assert result.find("System", "Remarked") is not None
    assert result.find("System", "NewAccount") is None


async def test_transactions_are_mortal_from_the_finalised_head(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    node.lag = 3
    node.seal(70)
    extrinsic = await client.sign(remark(client), alice)
    assert (extrinsic.first_block, extrinsic.last_block) == (68, 67 + 63)
    decoded = decode_extrinsic(node.runtime, extrinsic.data)
    assert decoded.extensions is not None
    assert decoded.extensions["CheckMortality"].name != "Immortal"


async def test_a_failed_call_raises_with_its_name_and_docs(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    node.fail_next = 2
    with pytest.raises(DispatchFailed, match=r"Balances\.InsufficientBalance: Balance too low") as caught:
        await client.submit(remark(client), alice)
    assert caught.value.result.fee == 7
    assert (caught.value.error.pallet, caught.value.error.name) == ("Balances", "InsufficientBalance")
    result = await client.submit(remark(client), alice, check=False)
    assert result.error == caught.value.error


async def test_in_block_comes_before_finalised(node: FakeNode, client: Client, alice: Keypair) -> None:
    node.lag = 2
    result = await client.submit(remark(client), alice, wait="in_block")
    assert (result.block_number, result.finalized) == (1, False)
    waiting = asyncio.ensure_future(client.submit(remark(client, b"two"), alice))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    node.seal(2)
    assert (await waiting).block_number == 2


async def test_a_retracted_block_is_not_a_result(node: FakeNode, client: Client, alice: Keypair) -> None:
    node.lag = 2
    steps: list[TxStatus] = []
    waiting = asyncio.ensure_future(client.submit(remark(client), alice, on_status=steps.append))
    await asyncio.sleep(0.05)
    data, block = node.chain[1].body[1], node.chain[1].hash
    subscriptions = node.watched[data]
    node.reorganise(1)
    for subscription in subscriptions:
        subscription.push({"retracted": "0x" + block.hex()})
    await asyncio.sleep(0.05)
    assert not waiting.done()
    node.nonces.clear()
    node.pool.append(
        (data, decode_extrinsic(node.runtime, data))
    )  # as a pool does with a retracted block's content
    node.seal(3)
    result = await waiting
    assert result.block_number == 3
    assert landed(node) == [b"hello"]
    told = [(step.kind, step.block_hash) for step in steps]
    assert told == [
        ("ready", None),
        ("in_block", block),
        ("retracted", block),
        ("in_block", result.block_hash),
        ("finalized", result.block_hash),
    ]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("dropped", TransactionDropped),
        ("invalid", TransactionInvalid),
        ({"usurped": "0x00"}, TransactionUsurped),
    ],
)
async def test_ends_without_a_block(
    node: FakeNode, client: Client, alice: Keypair, status: Any, kind: type[Exception]
) -> None:
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    transport.streams["author_submitAndWatchExtrinsic"] = lambda subscription, data: subscription.push(status)
    with pytest.raises(kind) as caught:
        await client.submit(remark(client), alice)
    assert caught.value.valid_until == 63  # type: ignore[attr-defined]
    transport.streams.update(node.streams())
    assert (await client.submit(remark(client), alice)).block_number == 1  # its nonce is free again


async def test_a_wrong_report_is_checked_against_the_blocks(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    """A node that says `invalid` for what is in a block, or names a block that does not hold it."""
    transport = client.transport
    assert isinstance(transport, FakeTransport)

    def lie(subscription: Subscription, data: str) -> None:
        node.submit(data)
        subscription.push(lies.pop())

    lies: list[Any] = [
        "invalid",
        {"finalized": "0x" + node.chain[0].hash.hex()},
        {"finalized": "0x" + bytes(32).hex()},
    ]
    transport.streams["author_submitAndWatchExtrinsic"] = lie
    for number in (1, 2, 3):
        assert (await client.submit(remark(client), alice)).block_number == number


@pytest.mark.parametrize(
    "error",
    [
        RpcError(1010, "Invalid Transaction", "Inability to pay some fees (e.g. account balance too low)"),
        RpcError(1012, "Transaction is temporarily banned"),
        RpcError(1016, "Immediately Dropped"),
    ],
)
async def test_a_refusal_is_raised_and_does_not_use_up_the_nonce(
    node: FakeNode, client: Client, alice: Keypair, error: RpcError
) -> None:
    transport = client.transport
    assert isinstance(transport, FakeTransport)

    def refuse(subscription: Subscription, data: str) -> None:
        raise error

    transport.streams["author_submitAndWatchExtrinsic"] = refuse
    with pytest.raises(TransactionRejected, match=error.message):
        await client.submit(remark(client), alice)
    transport.streams.update(node.streams())
    await client.submit(remark(client), alice)
    assert landed(node) == [b"hello"]


async def test_a_nonce_taken_by_another_process_is_replaced(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    other = await Client.over(node.transport())
    await client.submit(remark(client, b"1"), alice)
    await other.submit(remark(client, b"2"), alice)
    await client.submit(remark(client, b"3"), alice)  # outdated
    node.auto = False
    extrinsic = await other.sign(remark(client, b"4"), alice)
    node.accept(extrinsic.data)
    waiting = asyncio.ensure_future(client.submit(remark(client, b"5"), alice))  # priority too low
    await asyncio.sleep(0.05)
    node.seal()
    await waiting
    assert landed(node) == [b"1", b"2", b"3", b"4", b"5"]


async def test_twenty_tasks_of_one_account_land_once_each(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    node.auto = False
    texts = [b"%d" % number for number in range(60)]

    async def work(number: int) -> None:
        for text in texts[number::20]:
            await client.submit(remark(client, text), alice)

    async def author() -> None:
        while True:
            await asyncio.sleep(0.01)
            node.seal()

    sealing = asyncio.ensure_future(author())
    await asyncio.gather(*(work(number) for number in range(20)))
    sealing.cancel()
    assert sorted(landed(node)) == sorted(texts)
    assert len(node.submitted) == 60
    assert client._nonces.in_flight(alice.public) == frozenset()


async def test_a_dropped_one_among_many_does_not_stop_the_others(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    """Its nonce becomes a hole that the next transaction fills."""
    node.auto = False
    tasks = [asyncio.ensure_future(client.submit(remark(client, b"%d" % n), alice)) for n in range(3)]
    await asyncio.sleep(0.1)
    data, _ = node.pool.pop(1)
    for subscription in node.watched.pop(data):
        subscription.push("dropped")
    with pytest.raises(TransactionDropped):
        await tasks[1]
    tasks[1] = asyncio.ensure_future(client.submit(remark(client, b"again"), alice))
    await asyncio.sleep(0.05)
    node.seal()
    await asyncio.gather(*tasks)
    assert landed(node) == [b"0", b"again", b"2"]


async def test_an_era_reaches_beyond_a_finality_that_lags(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    """With 64 blocks from the finalised head it would be over before it could be included."""
    node.lag = 200
    node.seal(220)
    extrinsic = await client.sign(remark(client), alice)
    assert (extrinsic.first_block, extrinsic.last_block) == (21, 20 + 255)
    assert [long_enough(64, lag) for lag in (0, 32, 33, 96, 97, 5000)] == [64, 64, 128, 128, 256, 4096]


async def test_a_node_that_is_behind_the_one_that_refused_does_not_make_us_sign_anew(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    """Behind one address there are two nodes: one has the transaction in a block and calls its nonce used, the other, which
    answers next, has not seen that block."""
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    behind = {name: transport.answers[name] for name in ("chain_getBlockHash", "state_call")}

    def refuse(subscription: Subscription, data: str) -> None:
        transport.streams.update(node.streams())
        node.submit(data)
        genesis = "0x" + node.chain[0].hash.hex()
        transport.answers["chain_getBlockHash"] = lambda number=None: None if number else genesis
        transport.answers["state_call"] = lambda method, data, at: (
            "0x00000000"
            if method == "AccountNonceApi_account_nonce"
            else behind["state_call"](method, data, at)
        )
        raise RpcError(1010, "Invalid Transaction", "Transaction is outdated")

    transport.streams["author_submitAndWatchExtrinsic"] = refuse
    waiting = asyncio.ensure_future(client.submit(remark(client), alice))
    await asyncio.sleep(0.05)
    transport.answers.update(behind)  # it has caught up
    assert (await waiting).block_number == 1
    assert landed(node) == [b"hello"]


async def test_a_report_that_was_lost_is_not_waited_for(node: FakeNode, alice: Keypair) -> None:
    transport = node.transport()
    client = await Client.over(transport, poll=0.01, quiet=0.05)

    def mute(subscription: Subscription, data: str) -> None:
        node.submit(data)
        subscription.push("ready")  # and never again

    transport.streams["author_submitAndWatchExtrinsic"] = mute
    assert (await client.submit(remark(client), alice)).block_number == 1
    assert len(node.submitted) == 1


async def test_a_cancelled_hand_over_does_not_hold_its_nonce(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    transport = client.transport
    assert isinstance(transport, FakeTransport)

    async def hang(subscription: Subscription, data: str) -> None:
        await asyncio.sleep(60)

    transport.streams["author_submitAndWatchExtrinsic"] = hang
    waiting = asyncio.ensure_future(client.submit(remark(client), alice))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert client._nonces._accounts == {}
    transport.streams.update(node.streams())
    assert (await client.submit(remark(client), alice)).block_number == 1


async def test_what_is_not_a_way_to_wait_is_refused(client: Client, alice: Keypair) -> None:
    with pytest.raises(ValueError, match="in_block"):
        await client.submit(remark(client), alice, wait="soon")  # type: ignore[arg-type]
