"""The client, unchanged, on somebody else's chain: its public specification run by our node.

LLMNET_FOREIGN_SPEC names a raw chain specification of a solo chain with Aura, pallet Balances and MultiSignature; such as
`chainspecs/raw_spec_testfinney.json` of the project subtensor."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from llmnet.chain import Client, DispatchFailed, Keypair, SyncClient, decode_extrinsic
from llmnet.devnode import ChainSpec, Node, NodeConfig, Seal, serve

SPEC = os.environ.get("LLMNET_FOREIGN_SPEC", "")
pytestmark = pytest.mark.skipif(not Path(SPEC).is_file(), reason="LLMNET_FOREIGN_SPEC names no specification")
FUNDS, AMOUNT = 10**18, 10**15 + 5


async def fund(client: Client, account: bytes) -> None:
    """Money out of nothing, as only a development node can: whatever the account's layout, `free` is in it."""
    entry = client.runtime.storage("System", "Account")
    value = await client.query("System", "Account", account)
    value = {**value, "providers": 1, "data": {**value["data"], "free": FUNDS}}
    raw = client.runtime.codec.encode(entry.value, value)
    key = client.runtime.storage_key(entry, (account,))
    await client.request("dev_setStorage", [["0x" + key.hex(), "0x" + raw.hex()]])


async def test_reading_trading_and_listening_there(tmp_path: Path) -> None:
    node = Node(ChainSpec.read(Path(SPEC)), NodeConfig())
    alice, bob = Keypair.from_uri("//Alice"), Keypair.from_uri("//Bob", "ed25519")
    async with (
        serve(node, seal=Seal("instant")) as server,
        Client.connect(f"ws://127.0.0.1:{server.port}", cache_dir=tmp_path) as client,
    ):
        assert client.runtime_version.spec_name != "llmnet"
        deposit = client.constant("Balances", "ExistentialDeposit")
        holders = [pair async for pair in client.at().query_map("System", "Account")]
        assert all(len(account) == 32 for account, _ in holders)
        await client.request("dev_newBlock")
        await fund(client, alice.account)
        name = "transfer_keep_alive"
        call = client.call("Balances", name, dest=bob.account, value=AMOUNT)
        fee, trial = await client.fee(call, alice.account), await client.dry_run(call, alice)
        assert trial.ok and fee >= 0
        events = client.events([("Balances", "Transfer")], from_block=1)
        result = await client.submit(call, alice)
        async with asyncio.timeout(30):
            event = await anext(events)
        await events.aclose()
        assert (event.block_hash, event.extrinsic_index) == (result.block_hash, result.index)
        assert event.fields == {"from": alice.account, "to": bob.account, "amount": AMOUNT}
        found = await client.at(result.block_hash).query("System", "Account", bob.account)
        assert found["data"]["free"] == AMOUNT
        body = await client.at(result.block_hash).extrinsics()
        assert decode_extrinsic(client.runtime, body[result.index]).signer == alice.account
        await client.submit(client.call("Balances", name, dest=alice.account, value=deposit), bob)
        with pytest.raises(DispatchFailed):
            await client.submit(client.call("Balances", name, dest=bob.account, value=10 * FUNDS), alice)

        def script() -> int:
            with SyncClient.connect(f"ws://127.0.0.1:{server.port}", cache_dir=tmp_path) as chain:
                return int(chain.query("System", "Account", alice.account)["nonce"])

        assert await asyncio.to_thread(script) == 2
