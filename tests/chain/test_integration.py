"""The client against this project's own node and runtime, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from llmnet.chain import Block, Client, Cursor, CursorMismatch, DispatchFailed, Keypair, decode_extrinsic
from llmnet.devnode import Node, NodeConfig, Seal, Server, serve

from .conftest import ARTIFACTS

UNIT = 10**12
RUNTIME = ARTIFACTS / "llmnet_runtime.compact.compressed.wasm"


@pytest.fixture
async def devnode() -> AsyncIterator[Server]:
    async with serve(
        Node.from_preset(RUNTIME, config=NodeConfig(self_check=True)), seal=Seal("instant")
    ) as server:
        yield server


@pytest.fixture
async def chain(devnode: Server) -> AsyncIterator[Client]:
    async with Client.connect(f"ws://127.0.0.1:{devnode.port}") as client:
        yield client


async def test_a_transfer_with_fee_events_and_storage(chain: Client, alice: Keypair) -> None:
    dave = Keypair.from_uri("//Dave-of-the-integration-test")
    call = chain.call("Balances", "transfer_keep_alive", dest=dave.public, value=5 * UNIT)
    estimate = await chain.fee(call, alice.public, tip=9)
    result = await chain.submit(call, alice, tip=9)
    transfer = result.find("Balances", "Transfer")
    assert transfer is not None
    assert transfer.fields == {"from": alice.public, "to": dave.public, "amount": 5 * UNIT}
    assert result.fee == pytest.approx(estimate, rel=0.01)
    account = await chain.at(result.block_hash).query("System", "Account", dave.public)
    assert account["data"]["free"] == 5 * UNIT
    accounts = {key async for key, _ in chain.at().query_map("System", "Account")}
    assert {alice.public, dave.public} <= accounts
    body = [decode_extrinsic(chain.runtime, data) for data in await chain.at(result.block_hash).extrinsics()]
    assert body[result.index].call.function == "transfer_keep_alive"
    assert body[0].call.pallet == "Timestamp"


async def test_failures_have_names_and_dry_runs_foresee_them(
    chain: Client, alice: Keypair, bob: Keypair
) -> None:
    await chain.submit(chain.call("System", "remark", remark=b"block one"), alice)
    good = chain.call("Balances", "transfer_keep_alive", dest=bob.public, value=UNIT)
    bad = chain.call("Balances", "force_transfer", source=bob.public, dest=alice.public, value=UNIT)
    assert (await chain.dry_run(good, alice)).ok
    trial = await chain.dry_run(bad, alice)
    assert str(trial.error) == "BadOrigin"
    with pytest.raises(DispatchFailed, match="BadOrigin"):
        await chain.submit(bad, alice)


async def test_twenty_tasks_of_one_account(chain: Client, alice: Keypair, bob: Keypair) -> None:
    call = chain.call("Balances", "transfer_keep_alive", dest=bob.public, value=UNIT)
    before = (await chain.query("System", "Account", bob.public))["data"]["free"]
    results = await asyncio.gather(*(chain.submit(call, alice) for _ in range(20)))
    after = (await chain.query("System", "Account", bob.public))["data"]["free"]
    assert after - before == 20 * UNIT
    assert len({result.extrinsic_hash for result in results}) == 20
    assert await chain.next_nonce(alice.public) == 20


async def test_events_follow_the_chain(chain: Client, alice: Keypair, bob: Keypair) -> None:
    call = chain.call("Balances", "transfer_keep_alive", dest=bob.public, value=UNIT)
    events = chain.events([("Balances", "Transfer")], from_block=1)
    for _ in range(3):
        result = await chain.submit(call, alice)
        async with asyncio.timeout(5):
            event = await anext(events)
        assert (event.block_number, event.block_hash) == (result.block_number, result.block_hash)
    await events.aclose()


async def test_every_view_function_without_arguments_answers(chain: Client) -> None:
    answered = 0
    for pallet in chain.runtime.metadata.pallets.values():
        for name, function in pallet.view_functions.items():
            if not function.inputs:
                await chain.view_function(pallet.name, name)
                answered += 1
    nonce = await chain.at().runtime_api("AccountNonceApi", "account_nonce", account=bytes(32))
    assert (nonce, answered > 0) == (0, True)


async def test_client_and_follower_outlive_a_restart_of_the_node(alice: Keypair, tmp_path: Path) -> None:
    """The node is stopped under them and comes back on the same port with the chain it had."""

    def node() -> Node:
        return Node.from_preset(RUNTIME, config=NodeConfig(base_path=tmp_path / "chain"))

    async def outlive(client: Client, blocks: AsyncGenerator[Block, None], text: bytes) -> Block:
        await client.submit(client.call("System", "remark", remark=text), alice, timeout=20)
        async with asyncio.timeout(20):
            return await anext(blocks)

    async with AsyncExitStack() as stack:
        async with serve(node(), seal=Seal("instant")) as first:
            port = first.port
            client = await stack.enter_async_context(
                Client.connect(f"ws://127.0.0.1:{port}", backoff=(0.02, 0.1), poll=0.1)
            )
            blocks = client.blocks(1)
            one = await outlive(client, blocks, b"1")
        async with serve(node(), port=port, seal=Seal("instant")):
            two = await outlive(client, blocks, b"2")
            await blocks.aclose()
    assert (one.number, two.number, two.header.parent) == (1, 2, one.hash)


async def test_a_chain_that_was_reset_is_not_mistaken_for_the_old_one(alice: Keypair) -> None:
    async with serve(Node.from_preset(RUNTIME), seal=Seal("instant")) as first:
        port = first.port
        async with Client.connect(f"ws://127.0.0.1:{port}") as client:
            result = await client.submit(client.call("System", "remark", remark=b"old"), alice)
            cursor = Cursor(result.block_number, result.block_hash)
    async with (
        serve(Node.from_preset(RUNTIME), port=port, seal=Seal("instant")),
        Client.connect(f"ws://127.0.0.1:{port}") as client,
    ):
        for text in (b"new", b"newer"):
            await client.submit(client.call("System", "remark", remark=text), alice)
        with pytest.raises(CursorMismatch, match="block 2 does not follow block 1"):
            await anext(client.blocks(after=cursor))
