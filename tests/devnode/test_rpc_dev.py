from __future__ import annotations

from typing import Any

import pytest

from llmnet.devnode import Node, Server
from llmnet.devnode.author import TIMESTAMP_KEY
from llmnet.devnode.state import CODE_KEY

from .conftest import NodeFactory
from .rpc_client import Client, post, request
from .support import UNIT, Signer

STAMP = "0x" + TIMESTAMP_KEY.hex()


async def stamp(client: Client) -> int:
    value = await client.call("state_getStorage", STAMP)
    return int.from_bytes(bytes.fromhex(value[2:]), "little")


async def test_blocks_by_count_height_and_with_transactions(
    client: Client, node: Node, signer: Signer
) -> None:
    await client.call("dev_newBlock", {"count": 2})
    assert node.best.number == 2
    last = await client.call("dev_newBlock", {"to": 5})
    assert (node.best.number, last) == (5, "0x" + node.best.hash.hex())
    transfers = [signer.transfer("//Alice", "//Bob", UNIT, nonce) for nonce in range(2)]
    await client.call("dev_newBlock", {"transactions": ["0x" + item.hex() for item in transfers]})
    assert list(node.best.body[1:]) == transfers


async def test_a_block_with_a_bad_transaction_is_not_made(client: Client, node: Node, signer: Signer) -> None:
    late = "0x" + signer.transfer("//Alice", "//Bob", UNIT, 7).hex()
    assert (await client.call("dev_newBlock", {"transactions": [late]}))["code"] == 1010
    assert node.best.number == 0


async def test_time_goes_where_it_is_told(client: Client, node: Node) -> None:
    moment = 2_000_000_000_000
    assert await client.call("dev_timeTravel", moment) == moment
    await client.call("dev_newBlock")
    assert moment <= await stamp(client) < moment + 60_000
    for date, milliseconds in (
        ("2040-01-01", 2_208_988_800_000),
        ("2041-01-01T01:00:00+01:00", 2_240_611_200_000),
    ):
        assert await client.call("dev_timeTravel", date) == milliseconds
        await client.call("dev_newBlock")
        assert milliseconds <= await stamp(client) < milliseconds + 60_000
    await client.call("dev_newBlock", {"timestamp": 2_300_000_000_000})
    assert await stamp(client) >= 2_300_000_000_000
    before = await stamp(client)
    await client.call("dev_timeTravel", 1_000)  # a chain's time only goes forward
    await client.call("dev_newBlock")
    assert await stamp(client) > before


async def test_storage_is_set_by_a_block_that_holds_together(
    client: Client, node: Node, signer: Signer
) -> None:
    account = "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
    key = next(
        k
        for k in await client.call("state_getKeysPaged", account, 100)
        if k.endswith(signer.account("//Bob").hex())
    )
    old = await client.call("state_getStorage", key)
    rich = old[:34] + (3 * 10**18).to_bytes(16, "little").hex() + old[66:]
    told = await client.call("state_subscribeStorage", [key])
    await client.note(told)
    block = await client.call("dev_setStorage", [[key, rich], ["0x1234", "0x56"]])
    assert block == "0x" + node.best.hash.hex()
    assert node.best.header.state_root == node.chain.state.root()
    assert (await client.note(told))["changes"] == [[key, rich]]
    assert signer.free("//Bob") == 3 * 10**18
    assert await client.call("state_getStorage", "0x1234") == "0x56"
    await client.call("dev_setStorage", [["0x1234", None]])
    assert await client.call("state_getStorage", "0x1234") is None
    # The chain goes on from there, and each later block survives its re-execution.
    await client.call(
        "author_submitExtrinsic", "0x" + signer.transfer("//Bob", "//Alice", 2 * 10**18, 0).hex()
    )
    await client.call("dev_newBlock")
    assert signer.free("//Bob") < 10**18 + UNIT


async def test_set_storage_survives_a_restart(make_node: NodeFactory, tmp_path: Any) -> None:
    from llmnet.devnode.state import Changes

    node = make_node(base_path=tmp_path)
    node.set_storage(Changes({b"key": b"value" * 20}, {b"kid": {b"a": b"b"}}))
    best = node.best.hash
    node.close()
    again = make_node(base_path=tmp_path)
    assert (again.best.hash, again.storage(b"key")) == (best, b"value" * 20)
    assert again.storage(b"a", child=b"kid") == b"b"
    again.produce_block()


async def test_a_dry_run_tells_its_outcome_and_leaves_nothing(
    client: Client, node: Node, signer: Signer
) -> None:
    root = node.chain.state.root()
    good = "0x" + signer.transfer("//Alice", "//Bob", UNIT, 0).hex()
    told = await client.call("dev_dryRun", {"extrinsic": good})
    assert told["outcome"] == "0x0000"
    changed = {key for key, _ in told["storageDiff"]}
    assert any(key.endswith(signer.account("//Bob").hex()) for key in changed)
    assert STAMP not in changed  # the block's own doing is left out
    stale = "0x" + signer.transfer("//Alice", "//Bob", UNIT, 9).hex()
    assert (await client.call("dev_dryRun", {"extrinsic": stale}))["outcome"].startswith("0x01")
    assert (await client.call("dev_dryRun", {"extrinsic": "0x0400"}))["code"] == 9000
    assert (node.best.number, node.chain.state.root(), len(node.pool)) == (0, root, 0)


async def test_block_stats(client: Client, node: Node) -> None:
    block = await client.call("dev_newBlock")
    stats = await client.call("dev_getBlockStats", block)
    assert stats == {"blockLen": len(node.best.encode()), "numExtrinsics": 1}
    assert await client.call("dev_getBlockStats", "0x" + node.genesis_hash.hex()) is None


@pytest.mark.parametrize(
    ("method", "params"),
    [("newBlock", [{"count": -1}]), ("newBlock", [{"to": 0}]), ("newBlock", [{"to": 5000}]), ("newBlock", [{"cuont": 1}]),
     ("newBlock", [1001]), ("newBlock", [{"transactions": "0x"}]), ("newBlock", [{"timestamp": "soon"}]), ("timeTravel", ["yesterday"]),
     ("timeTravel", [-5]), ("timeTravel", [None]), ("setStorage", [{}]), ("setStorage", [[["0x12"]]]), ("setStorage", [[["zz", "0x"]]]),
     ("setStorage", [[["0x" + CODE_KEY.hex(), None]]]), ("setStorage", [[["0x" + b":child_storage:default:a".hex(), "0x12"]]]),
     ("setStorage", [[["0x12", "0x34"]], "0x" + "11" * 32]), ("dryRun", ["0x00"]), ("dryRun", [{}]), ("dryRun", [{"extrinsic": 5}])],
)  # fmt: skip
async def test_wrong_parameters_change_nothing(server: Server, method: str, params: list[Any]) -> None:
    node = server.service.node
    root = node.chain.state.root()
    answer = (await post(server, request(f"dev_{method}", *params))).json()
    assert answer["error"]["code"] == -32602, answer
    assert (node.best.number, node.chain.state.root()) == (0, root)
