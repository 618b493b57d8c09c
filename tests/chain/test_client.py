"""Views, runtimes over an upgrade, the metadata cache, and the synchronous face."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from llmnet.chain import (
    BlockNotFound,
    Client,
    EncodeError,
    Keypair,
    MethodNotFound,
    ProtocolViolation,
    Runtime,
    RuntimeVersion,
    UnknownEntry,
    Variant,
)
from llmnet.chain.fake import FakeTransport
from llmnet.chain.metadata_reader import parse_metadata
from llmnet.chain.runtimes import read_cached, write_cached
from llmnet.chain.scale import encode_bytes

from .node import FakeNode

ACCOUNT = {"nonce": 1, "consumers": 0, "providers": 1, "sufficients": 0}
DATA = {"free": 7, "reserved": 0, "frozen": 0, "flags": 0}


def put(node: FakeNode, item: str, keys: tuple[Any, ...], value: Any, pallet: str = "System") -> None:
    entry = node.runtime.storage(pallet, item)
    node.storage[node.runtime.storage_key(entry, keys)] = node.runtime.codec.encode(entry.value, value)


def requests(client: Client) -> list[str]:
    assert isinstance(client.transport, FakeTransport)
    return [method for method, _ in client.transport.requests]


async def test_storage_reads_as_python(node: FakeNode, client: Client, alice: Keypair, bob: Keypair) -> None:
    put(node, "Account", (alice.public,), {**ACCOUNT, "data": DATA})
    assert await client.query("System", "Account", alice.public) == {**ACCOUNT, "data": DATA}
    assert (await client.query("System", "Account", bob.public))["data"]["free"] == 0  # the runtime's default
    assert await client.query("Sudo", "Key") is None  # optional and absent
    put(node, "Key", (), alice.public, "Sudo")
    assert await client.query("Sudo", "Key") == alice.public


async def test_maps_are_read_page_by_page(node: FakeNode, client: Client) -> None:
    keys = [bytes([number % 256, number // 256]) + bytes(30) for number in range(600)]
    for number, key in enumerate(keys):
        put(node, "Account", (key,), {**ACCOUNT, "data": {**DATA, "free": number}})
    found = {key: value["data"]["free"] async for key, value in client.at().query_map("System", "Account")}
    assert found == {key: number for number, key in enumerate(keys)}
    assert requests(client).count("state_getKeysPaged") == 3
    assert [entry async for entry in client.at().query_map("Balances", "Holds")] == []


async def test_keys_must_fit(client: Client) -> None:
    with pytest.raises(TypeError, match="takes 1 keys, got 0: use query_map"):
        await client.query("System", "Account")
    with pytest.raises(EncodeError, match="takes 1 keys, got 2"):
        await client.query("System", "Account", bytes(32), bytes(32))
    with pytest.raises(EncodeError, match="wanted 32 bytes"):
        await client.query("System", "Account", bytes(31))


async def test_a_view_stays_at_its_block(node: FakeNode, client: Client) -> None:
    node.seal(2)
    view, head = client.at(), await client.head()
    assert (await view.header()) == head
    node.seal(2)
    assert (await view.header()).number == 2
    assert (await client.at(head).header()) == (await client.at(head.hash).header()) == head
    assert (await client.finalized_head()).number == 4
    with pytest.raises(BlockNotFound):
        await client.at(bytes(32)).header()


async def test_constants_and_events(node: FakeNode, client: Client) -> None:
    node.seal()
    assert client.constant("Balances", "ExistentialDeposit") == 10**9
    assert await client.at().constant("System", "SS58Prefix") == 42
    events = await client.at().events()
    assert [(str(event), event.extrinsic_index) for event in events] == [("System.ExtrinsicSuccess", 0)]
    assert events[0].fields["dispatch_info"]["pays_fee"] == Variant("Yes")


async def test_a_view_function_is_called_with_its_id_and_arguments(
    node: FakeNode, client: Client, alice: Keypair, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = node.runtime.view_function("StakingProbe", "member")
    asked: list[bytes] = []

    def execute(method: str, data: str, at: str) -> str:
        assert method == "RuntimeViewFunction_execute_view_function"
        asked.append(bytes.fromhex(data[2:]))
        return "0x" + replies.pop(0).hex()

    value = {"stake": 5, "since": 9}
    replies = [b"\0" + encode_bytes(node.runtime.codec.encode(function.output, value)), b"\1\0"]
    assert isinstance(client.transport, FakeTransport)
    client.transport.answers["state_call"] = execute
    assert await client.view_function("StakingProbe", "member", who=alice.public) == value
    assert asked == [function.id + b"\x80" + alice.public]
    with pytest.raises(UnknownEntry, match="failed"):
        await client.view_function("StakingProbe", "member", who=alice.public)
    with pytest.raises(EncodeError, match=r"member takes \(who\), got \(account\)"):
        await client.view_function("StakingProbe", "member", account=alice.public)


async def test_nonces_come_from_the_runtime_where_the_node_does_not_tell(
    node: FakeNode, client: Client, alice: Keypair
) -> None:
    assert isinstance(client.transport, FakeTransport)
    node.nonces[alice.public] = 4
    del client.transport.answers["system_accountNextIndex"]
    assert await client.next_nonce(alice.public) == 4


def upgraded(node: FakeNode, renamed: str) -> Runtime:
    """The same runtime with one pallet called differently, as version 2."""
    metadata = node.runtime.metadata
    pallets = {(renamed if name == "Sudo" else name): pallet for name, pallet in metadata.pallets.items()}
    return Runtime(dataclasses.replace(metadata, pallets=pallets), RuntimeVersion("llmnet", 2, 1, 1))


async def test_an_upgrade_is_noticed_and_old_blocks_keep_their_runtime(
    node: FakeNode, client: Client, alice: Keypair, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.seal(3)
    second = upgraded(node, "Root")
    monkeypatch.setattr("llmnet.chain.runtimes.parse_metadata", lambda _: second.metadata)
    node.version = 2
    upgrade = node.seal()  # its state holds the new code; it was itself executed by the old
    node.seal()
    assert "Sudo" in (await client.at(upgrade.hash).runtime()).metadata.pallets
    assert "Root" in (await client.at(upgrade.hash).code_runtime()).metadata.pallets
    assert "Root" in (await client.at().runtime()).metadata.pallets
    assert "Sudo" in (await client.at(node.chain[2].hash).runtime()).metadata.pallets
    assert client.runtime_version.spec_version == 2
    extrinsic = await client.sign(client.call("System", "remark", remark=b""), alice)
    node.runtime = second  # checks signatures as version 2 from here on
    node.accept(extrinsic.data)


async def test_metadata_is_fetched_once_per_version(node: FakeNode, client: Client) -> None:
    node.seal(20)
    for block in node.chain:
        await client.at(block.hash).runtime()
    assert requests(client).count("state_call") == 2  # which versions there are, and one of them


@pytest.mark.parametrize("version", [14, 15, 16])
async def test_the_newest_common_metadata_is_taken(
    node: FakeNode, metadata_bytes: dict[int, bytes], version: int
) -> None:
    node.metadata = {known: data for known, data in metadata_bytes.items() if known <= version}
    client = await Client.over(node.transport())
    assert client.runtime.metadata.version == version


async def test_a_runtime_from_before_v15_is_read_through_the_old_method(
    node: FakeNode, metadata_bytes: dict[int, bytes]
) -> None:
    node.metadata = {}
    transport = node.transport()
    original = transport.answers["state_call"]

    def old(method: str, data: str, at: str) -> str:
        if method.startswith("Metadata"):
            return str(original("Old", data, at))  # "is not exported"
        return str(original(method, data, at))

    transport.answers["state_call"] = old
    transport.answers["state_getMetadata"] = lambda at: "0x" + metadata_bytes[14].hex()
    assert (await Client.over(transport)).runtime.metadata.version == 14


async def test_the_cache_saves_the_second_start_from_asking(node: FakeNode, tmp_path: Path) -> None:
    first = await Client.over(node.transport(), cache_dir=tmp_path / "cache")
    assert requests(first).count("state_call") == 2
    second = await Client.over(node.transport(), cache_dir=tmp_path / "cache")
    assert requests(second).count("state_call") == 0
    assert list(second.runtime.metadata.pallets.values()) == list(first.runtime.metadata.pallets.values())
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    third = await Client.over(node.transport(), cache_dir=tmp_path / "cache")
    assert requests(third).count("state_call") == 2


def test_a_damaged_or_absent_cache_file_reads_as_none(tmp_path: Path) -> None:
    path = tmp_path / "x.scale"
    assert read_cached(path) is None
    write_cached(path, b"metadata")
    assert read_cached(path) == b"metadata"
    for damaged in (b"", bytes(40), path.read_bytes()[:-1], path.read_bytes() + b"x"):
        path.write_bytes(damaged)
        assert read_cached(path) is None
    write_cached(tmp_path / "x.scale" / "below", b"metadata")  # no folder there: reported, not raised
    assert list(tmp_path.iterdir()) == [path]


async def test_a_node_without_the_code_hash_is_read_all_the_same(node: FakeNode, tmp_path: Path) -> None:
    transport = node.transport()
    del transport.answers["state_getStorageHash"]
    client = await Client.over(transport, cache_dir=tmp_path)
    assert client.runtime_version.spec_version == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("chain_getBlockHash", 17),
        ("chain_getBlockHash", "0xzz"),
        ("chain_getHeader", {"number": 5}),
        ("chain_getHeader", {"number": "0x1"}),
        ("chain_getHeader", []),
        ("state_getRuntimeVersion", {"specName": "x"}),
        ("state_getRuntimeVersion", None),
        ("state_getStorage", {"a": 1}),
        ("state_getKeysPaged", "0x"),
        ("state_queryStorageAt", [{"block": "0x"}]),
        ("system_accountNextIndex", "3"),
        ("chain_getBlock", {"block": {}}),
    ],
)
async def test_answers_of_another_shape_are_protocol_violations(
    node: FakeNode, client: Client, alice: Keypair, method: str, answer: Any
) -> None:
    put(node, "Account", (alice.public,), {**ACCOUNT, "data": DATA})
    node.seal(2)
    transport = client.transport
    assert isinstance(transport, FakeTransport)
    client._runtimes._by_block.clear()
    transport.answers[method] = lambda *_: answer
    with pytest.raises(ProtocolViolation):
        await client.query("System", "Account", alice.public)
        [entry async for entry in client.at().query_map("System", "Account")]
        await client.next_nonce(alice.public)
        await client.at().extrinsics()


async def test_raw_requests_go_through(client: Client) -> None:
    assert await client.request("chain_getBlockHash", 0) == "0x" + client.genesis_hash.hex()
    with pytest.raises(MethodNotFound):
        await client.request("dev_newBlock")


async def test_dry_run_needs_a_block(client: Client, alice: Keypair) -> None:
    trial = await client.dry_run(client.call("System", "remark", remark=b""), alice)
    assert (trial.ok, trial.invalid) == (
        False,
        "the genesis state cannot execute transactions: wait for block 1",
    )


async def test_a_runtime_is_the_same_whatever_version_it_was_read_from(
    metadata_bytes: dict[int, bytes],
) -> None:
    version = RuntimeVersion("llmnet", 1, 1, 1)
    calls = [
        Runtime(parse_metadata(data), version).call("System", "remark", {"remark": b"x"})
        for data in metadata_bytes.values()
    ]
    assert calls[0] == calls[1] == calls[2]
