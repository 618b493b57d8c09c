"""`archive_v1`, `transaction_v1`, `transactionWatch_v1`, `chainSpec_v1`, `offchain` and what else is not state or head."""

from __future__ import annotations

from typing import Any

import pytest

from llmnet.devnode import Limits, Node, Server, serve
from llmnet.devnode.author import TIMESTAMP_KEY
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.rpc.errors import RpcError
from llmnet.devnode.rpc.offchain_storage import OffchainStorage
from llmnet.devnode.state import CODE_KEY, Changes

from .conftest import NodeFactory
from .rpc_client import Client, client_of, post, request, until
from .support import UNIT, Signer

STAMP = "0x" + TIMESTAMP_KEY.hex()
NO_BLOCK = "0x" + "11" * 32


# -- archive


async def test_archive_by_hash_and_height(client: Client, node: Node) -> None:
    block = await client.call("dev_newBlock")
    assert await client.call("archive_v1_genesisHash") == "0x" + node.genesis_hash.hex()
    assert await client.call("archive_v1_finalizedHeight") == 1
    assert await client.call("archive_v1_hashByHeight", 1) == [block]
    assert await client.call("archive_v1_hashByHeight", 2**40) == []
    assert await client.call("archive_v1_header", block) == "0x" + node.best.header.encode().hex()
    assert await client.call("archive_v1_body", block) == ["0x" + item.hex() for item in node.best.body]
    for method in ("header", "body"):
        assert await client.call(f"archive_v1_{method}", NO_BLOCK) is None


async def test_archive_calls_tell_success_and_fault(client: Client, node: Node) -> None:
    genesis = "0x" + node.genesis_hash.hex()
    answer = await client.call("archive_v1_call", genesis, "Core_version", "0x")
    assert answer == {"success": True, "value": "0x" + node.call("Core_version").hex()}
    failed = await client.call("archive_v1_call", genesis, "Core_nothing", "0x")
    assert failed["success"] is False
    assert "Core_nothing" in failed["error"]
    assert await client.call("archive_v1_call", NO_BLOCK, "Core_version", "0x") is None


async def _all(client: Client, method: str, *params: Any, last: tuple[str, ...]) -> list[dict[str, Any]]:
    subscription = await client.call(method, *params)
    events = [await client.note(subscription)]
    while events[-1]["event"] not in last:
        events.append(await client.note(subscription))
    return events


async def test_archive_storage_streams_and_ends(client: Client, node: Node) -> None:
    genesis = "0x" + node.genesis_hash.hex()
    items = [{"key": "0x", "type": "descendantsHashes"}, {"key": "0x77", "type": "value"}]
    events = await _all(client, "archive_v1_storage", genesis, items, last=("storageDone", "storageError"))
    assert [event.get("key") for event in events[:-1]] == [
        "0x" + key.hex() for key in node.chain.state.keys(b"")
    ]
    assert events[-1] == {"event": "storageDone"}
    from_key = {"key": "0x", "type": "descendantsHashes", "paginationStartKey": events[5]["key"]}
    rest = await _all(client, "archive_v1_storage", genesis, [from_key], last=("storageDone",))
    assert rest == events[6:]
    failed = await _all(client, "archive_v1_storage", NO_BLOCK, items, last=("storageDone", "storageError"))
    assert failed[-1]["event"] == "storageError"


async def test_archive_storage_of_child_tries(client: Client, node: Node) -> None:
    node.set_storage(Changes({}, {b"kid": {b"a": b"1", b"b": b"2"}}))
    best = "0x" + node.best.hash.hex()
    kid = "0x" + b"kid".hex()
    items = [{"key": "0x", "type": "descendantsValues"}]
    events = await _all(client, "archive_v1_storage", best, items, kid, last=("storageDone",))
    assert [(event["key"], event["value"], event["childTrieKey"]) for event in events[:-1]] == [
        ("0x61", "0x31", kid),
        ("0x62", "0x32", kid),
    ]
    prefixed = "0x" + b":child_storage:default:kid".hex()
    assert await client.call("childstate_getKeys", prefixed, "0x") == ["0x61", "0x62"]
    assert await client.call("childstate_getStorageEntries", prefixed, ["0x61", "0x63"]) == ["0x31", None]
    assert await client.call("childstate_getStorageSize", prefixed, "0x61") == 1
    assert await client.call("childstate_getStorageHash", prefixed, "0x61") == "0x" + blake2_256(b"1").hex()
    assert (await client.call("childstate_getKeys", "0x12", "0x"))["code"] == 4003


async def test_archive_storage_diff(client: Client, node: Node) -> None:
    await client.call("dev_setStorage", [["0x0101", "0x01"], ["0x0102", "0x01"]])
    before = "0x" + node.best.hash.hex()
    after = await client.call("dev_setStorage", [["0x0101", "0x02"], ["0x0102", None], ["0x0103", "0x03"]])
    expected = [
        {"event": "storageDiff", "key": "0x0101", "value": "0x02", "type": "modified"},
        {"event": "storageDiff", "key": "0x0102", "value": "0x01", "type": "deleted"},
        {"event": "storageDiff", "key": "0x0103", "value": "0x03", "type": "added"},
        {"event": "storageDiffDone"},
    ]
    ends = ("storageDiffDone", "storageDiffError")
    wanted = [{"key": "0x01", "returnType": "value"}]
    assert await _all(client, "archive_v1_storageDiff", after, wanted, last=ends) == expected
    assert await _all(client, "archive_v1_storageDiff", after, wanted, before, last=ends) == expected
    whole = await _all(client, "archive_v1_storageDiff", after, last=ends)
    assert STAMP in [event.get("key") for event in whole]
    backwards = await _all(client, "archive_v1_storageDiff", before, wanted, after, last=ends)
    assert backwards[-1]["event"] == "storageDiffError"
    assert (await client.call("archive_v1_storageDiff", after, [{"returnType": "all"}]))["code"] == -32602


async def test_streams_end_when_they_are_stopped_and_with_their_connection(
    server: Server, node: Node
) -> None:
    genesis = "0x" + node.genesis_hash.hex()
    async with client_of(server) as client:
        items = [{"key": "0x", "type": "descendantsValues"}]
        subscription = await client.call("archive_v1_storage", genesis, items)
        await client.call("archive_v1_stopStorage", subscription)
        assert await client.call("archive_v1_stopStorage", subscription) is False
        await client.call("archive_v1_storage", genesis, items)
        client.socket.transport.abort()
    await until(lambda: not server.app.backlog.connections)


# -- transactions


async def test_watched_transaction_is_validated_included_and_final(client: Client, signer: Signer) -> None:
    extrinsic = "0x" + signer.transfer("//Alice", "//Bob", UNIT, 0).hex()
    watch = await client.call("transactionWatch_v1_submitAndWatch", extrinsic)
    assert await client.note(watch) == {"event": "validated"}
    block = await client.call("dev_newBlock")
    place = {"hash": block, "index": "1"}  # behind the timestamp
    assert await client.note(watch) == {"event": "bestChainBlockIncluded", "block": place}
    assert await client.note(watch) == {"event": "finalized", "block": place}
    assert await client.call("transactionWatch_v1_unwatch", watch) is False  # it has ended by itself


@pytest.mark.parametrize("bad", ["0x", "0x0400", "0x04"])
async def test_refused_transactions_are_told_by_an_event(client: Client, bad: str, server: Server) -> None:
    watch = await client.call("transactionWatch_v1_submitAndWatch", bad)
    event = await client.note(watch)
    assert event["event"] == "invalid"
    assert event["error"]
    assert len(server.app.hub.watches) == 0


async def test_usurped_and_removed_transactions_end_their_watch(client: Client, signer: Signer) -> None:
    old = await client.call(
        "transactionWatch_v1_submitAndWatch", "0x" + signer.transfer("//Alice", "//Bob", 1, 0).hex()
    )
    better = signer.transfer("//Alice", "//Bob", 1, 0, tip=UNIT)
    new = await client.call("transactionWatch_v1_submitAndWatch", "0x" + better.hex())
    assert [(await client.note(old))["event"] for _ in range(2)] == ["validated", "invalid"]
    await client.call("author_removeExtrinsic", [{"extrinsic": "0x" + better.hex()}])
    assert [(await client.note(new))["event"] for _ in range(2)] == ["validated", "dropped"]


async def test_broadcast_brings_a_transaction_into_a_block(
    client: Client, signer: Signer, node: Node
) -> None:
    extrinsic = signer.transfer("//Alice", "//Bob", UNIT, 0)
    operation = await client.call("transaction_v1_broadcast", "0x" + extrinsic.hex())
    assert isinstance(operation, str)
    await until(lambda: node.pool.ready_count == 1)
    await client.call("dev_newBlock")
    assert extrinsic in node.best.body
    # It is final, so nothing is broadcast any more.
    assert (await client.call("transaction_v1_stop", operation))["code"] == -32602


async def test_broadcast_goes_on_until_it_is_stopped(client: Client, signer: Signer, node: Node) -> None:
    extrinsic = signer.transfer("//Alice", "//Bob", UNIT, 0)
    tx_hash = blake2_256(extrinsic)
    operation = await client.call("transaction_v1_broadcast", "0x" + extrinsic.hex())
    await until(lambda: node.pool.ready_count == 1)
    _drop(node, tx_hash)
    assert node.pool.ready_count == 0
    await client.call("dev_newBlock")
    await until(lambda: node.pool.ready_count == 1)  # submitted again
    assert await client.call("transaction_v1_stop", operation) is None
    _drop(node, tx_hash)
    await client.call("dev_newBlock")
    await client.call("dev_newBlock")
    assert node.pool.ready_count == 0


def _drop(node: Node, tx_hash: bytes) -> None:
    """As a full pool lets a transaction go: without a ban."""
    found = node.pool._find(tx_hash)
    assert found is not None
    node.pool._remove(found, "dropped")


async def test_broadcasts_are_limited_and_end_with_their_connection(
    make_node: NodeFactory,
) -> None:
    node = make_node()
    signer = Signer(node)
    async with serve(node) as server, client_of(server) as client:
        operations = [
            await client.call(
                "transaction_v1_broadcast", "0x" + signer.transfer("//Alice", "//Bob", 1, nonce).hex()
            )
            for nonce in range(17)
        ]
        assert None not in operations[:16]
        assert operations[16] is None
        async with client_of(server) as other:
            assert (await other.call("transaction_v1_stop", operations[0]))["code"] == -32602
    await until(lambda: not server.app.hub._broadcasts)


# -- the rest


async def test_chain_spec(client: Client, node: Node) -> None:
    assert await client.call("chainSpec_v1_chainName") == node.spec.name
    assert await client.call("chainSpec_v1_genesisHash") == "0x" + node.genesis_hash.hex()
    assert await client.call("chainSpec_v1_properties") == dict(node.spec.properties)


async def test_offchain_storage(client: Client) -> None:
    assert await client.call("offchain_localStorageGet", "PERSISTENT", "0x01") is None
    assert await client.call("offchain_localStorageSet", "PERSISTENT", "0x01", "0x02") is None
    assert await client.call("offchain_localStorageGet", "PERSISTENT", "0x01") == "0x02"
    await client.call("offchain_localStorageClear", "PERSISTENT", "0x01")
    assert await client.call("offchain_localStorageGet", "PERSISTENT", "0x01") is None
    assert (await client.call("offchain_localStorageGet", "LOCAL", "0x01"))["code"] == 5001
    assert (await client.call("offchain_localStorageGet", "SHARED", "0x01"))["code"] == -32602


def test_offchain_storage_is_bounded() -> None:
    storage = OffchainStorage(10)
    storage.put(b"abc", b"12345")
    storage.put(b"abc", b"1234567")
    with pytest.raises(RpcError):
        storage.put(b"x", b"")
    storage.clear(b"abc")
    storage.clear(b"abc")
    storage.put(b"x", b"123456789")
    assert storage.get(b"x") == b"123456789"


_UNSAFE = ["author_removeExtrinsic", "dev_newBlock", "dev_setStorage", "dev_timeTravel", "state_getPairs", "system_dryRun",
           "system_peers", "offchain_localStorageGet", "author_insertKey"]  # fmt: skip


@pytest.mark.parametrize(("methods", "host", "allowed"), [("auto", "127.0.0.1", True), ("safe", "127.0.0.1", False),
                                                          ("auto", "0.0.0.0", False), ("unsafe", "0.0.0.0", True)])  # fmt: skip
async def test_unsafe_methods_are_for_the_operator(
    node: Node, methods: Any, host: str, allowed: bool
) -> None:
    async with serve(node, host, limits=Limits(methods=methods)) as server:
        for name in _UNSAFE:
            answer = (await post(server, request(name))).json()
            refused = answer.get("error", {}).get("message") == "RPC call is unsafe to be called externally"
            assert refused is not allowed, (name, answer)
        assert "result" in (await post(server, request("system_health"))).json()


async def test_session_keys_are_made_found_and_taken(client: Client) -> None:
    keys = await client.call("author_rotateKeys")
    assert keys != await client.call("author_rotateKeys")
    assert await client.call("author_hasSessionKeys", keys) is True
    other = keys[:-2] + ("00" if keys[-2:] != "00" else "01")
    assert await client.call("author_hasSessionKeys", other) is False
    assert (await client.call("author_hasSessionKeys", "0x01"))["code"] == 1040
    assert await client.call("author_hasKey", keys[:66], "aura") is True
    assert await client.call("author_hasKey", keys[:66], "gran") is False
    assert (await client.call("author_hasKey", "0x01", "aurora"))["code"] == 1040
    owned = await client.call("author_rotateKeysWithOwner", "0x" + "11" * 32)
    assert len(owned["keys"]) == len(keys)
    assert len(owned["proof"]) > 2


async def test_keys_are_taken_by_their_seed(client: Client) -> None:
    import sr25519

    seed = "42" * 32
    public = "0x" + bytes(sr25519.pair_from_seed(bytes.fromhex(seed))[0]).hex()
    assert await client.call("author_insertKey", "aura", seed, public) is None
    assert await client.call("author_hasKey", public, "aura") is True
    for wrong in (("aura", seed, "0x" + "11" * 32), ("aura", "//Alice", public), ("aur", seed, public)):
        assert (await client.call("author_insertKey", *wrong))["code"] == 1040


async def test_there_is_no_network(client: Client) -> None:
    assert (await client.call("system_localPeerId"))["code"] == -32603
    assert await client.call("system_reservedPeers") == await client.call("system_localListenAddresses") == []


async def test_ranges_and_numbers_out_of_bounds(client: Client, node: Node) -> None:
    genesis, best = "0x" + node.genesis_hash.hex(), await client.call("dev_newBlock")
    code = "0x" + CODE_KEY.hex()
    assert (await client.call("state_queryStorage", [code], best, genesis))["code"] == 4001
    assert (await client.call("state_queryStorage", [code], NO_BLOCK))["code"] == 4001
    assert (await client.call("chain_getBlockHash", 2**32))["code"] == 3001
    assert (await client.call("chain_getBlockHash", 2**64))["code"] == -32602
    assert (await client.call("payment_queryInfo", "0x"))["code"] == 2
    assert (await client.call("payment_queryInfo", "0x0400"))["code"] == 1
    assert (await client.call("system_dryRun", "0x0400"))["code"] == 1
