"""The client against this project's own node and runtime, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from llmnet.chain import (
    Block,
    Client,
    Cursor,
    CursorFile,
    CursorMismatch,
    Delegate,
    DispatchFailed,
    KeyFormatError,
    Keypair,
    Proxy,
    TxStatus,
    add_proxy,
    decode_extrinsic,
    proxies_of,
    remove_proxy,
)
from llmnet.chain.client import BatchMode
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


async def test_accounts_of_the_other_schemes_trade(chain: Client, alice: Keypair) -> None:
    for scheme in ("ed25519", "ecdsa"):
        pair = Keypair.from_uri("//Alice//of-the-integration-test", scheme)
        call = chain.call("Balances", "transfer_keep_alive", dest=pair.account, value=5 * UNIT)
        await chain.submit(call, alice)
        call = chain.call("Balances", "transfer_keep_alive", dest=alice.public, value=UNIT)
        estimate = await chain.fee(call, pair)
        assert (await chain.dry_run(call, pair)).ok
        result = await chain.submit(call, pair)
        assert result.find("Balances", "Transfer") is not None
        assert result.fee == pytest.approx(estimate, rel=0.01)
        body = await chain.at(result.block_hash).extrinsics()
        assert decode_extrinsic(chain.runtime, body[result.index]).signer == pair.account


async def test_a_transaction_tells_its_steps_its_weight_and_can_be_sent_later(
    chain: Client, alice: Keypair
) -> None:
    steps: list[TxStatus] = []
    call = chain.call("System", "remark", remark=b"steps")
    result = await chain.submit(call, alice, on_status=steps.append)
    assert [step.kind for step in steps][-1] == "finalized"
    assert steps[-1].block_hash == result.block_hash and steps[-1].extrinsic_hash == result.extrinsic_hash
    assert result.weight is not None and result.weight.ref_time > 0
    signed = await chain.sign(call, alice)
    first = await chain.submit_signed(signed)
    again = await chain.submit_signed(signed)  # it is found, not executed twice
    assert (first.block_hash, first.index) == (again.block_hash, again.index)
    assert await chain.next_nonce(alice.public) == 2


async def test_batches_fail_as_their_mode_says(chain: Client, alice: Keypair) -> None:
    modes: list[tuple[BatchMode, int]] = [("all", 0), ("until_failure", 1), ("each", 2)]
    for mode, kept in modes:
        dave = Keypair.from_uri(f"//Dave//{mode}").public
        amounts = (UNIT, 10**30, UNIT)
        calls = [chain.call("Balances", "transfer_keep_alive", dest=dave, value=amount) for amount in amounts]
        result = await chain.submit(chain.batch(calls, mode), alice, check=False)
        assert result.error is not None
        assert (await chain.query("System", "Account", dave))["data"]["free"] == kept * UNIT


async def test_a_hot_key_acts_for_a_cold_account_within_its_kind(chain: Client, bob: Keypair) -> None:
    cold, hot = Keypair.from_uri("//Charlie"), bob
    await chain.submit(add_proxy(hot.account, "NonTransfer"), cold)
    assert (await proxies_of(chain.at(), cold.account))[0] == [Proxy(hot.account, "NonTransfer", 0)]
    daemon = Delegate(hot, cold.account)
    remark = chain.call("System", "remark_with_event", remark=b"as the owner")
    estimate = await chain.fee(remark, daemon)
    assert estimate > await chain.fee(remark, cold.account)
    for result in (
        await chain.submit(remark, daemon),
        await chain.submit(remark, hot, proxy_for=cold.account),
    ):
        event = result.find("System", "Remarked")
        assert event is not None and event.fields["sender"] == cold.account
        assert result.fee == pytest.approx(estimate, rel=0.02)
    transfer = chain.call("Balances", "transfer_keep_alive", dest=hot.account, value=UNIT)
    with pytest.raises(DispatchFailed, match=r"System\.CallFiltered"):
        await chain.submit(transfer, daemon)
    assert not (await chain.dry_run(transfer, Delegate(hot, Keypair.from_uri("//Dave").account))).ok
    with pytest.raises(KeyFormatError, match="proxy cannot sign messages"):
        daemon.sign(b"a receipt")
    await chain.submit(remove_proxy(hot.account, "NonTransfer"), cold)
    with pytest.raises(DispatchFailed, match=r"Proxy\.NotProxy"):
        await chain.submit(remark, daemon)
    assert await proxies_of(chain.at(), cold.account) == ([], 0)


async def test_a_cursor_file_goes_on_where_a_daemon_died(
    chain: Client, alice: Keypair, tmp_path: Path
) -> None:
    cursor = CursorFile(tmp_path / "cursor")
    for text in (b"1", b"2", b"3"):
        await chain.submit(chain.call("System", "remark_with_event", remark=text), alice)

    async def some(count: int) -> list[int]:
        events = chain.events([("System", "Remarked")], from_block=1, after=cursor)
        try:
            async with asyncio.timeout(30):
                return [(await anext(events)).block_number for _ in range(count)]
        finally:
            await events.aclose()

    assert await some(2) == [1, 2]
    assert await some(2) == [2, 3]  # block 2 was not known to be processed
    with pytest.raises(CursorMismatch, match="genesis"):
        cursor.load(bytes(32))
    with pytest.raises(ValueError, match="finalised"):
        await anext(chain.blocks(after=cursor, finalized=False))
    for damaged in ("", "{}", "[1]", '{"genesis": 1}', (tmp_path / "cursor").read_text()[:-5]):
        (tmp_path / "cursor").write_text(damaged)
        with pytest.raises(CursorMismatch, match="damaged"):
            cursor.load(chain.genesis_hash)


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
        async with asyncio.timeout(30):
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
