from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmnet.devnode import Node, Server, serve
from llmnet.devnode.author import TIMESTAMP_KEY
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.rpc import follow
from llmnet.devnode.state import CODE_KEY

from .conftest import NodeFactory
from .rpc_client import Client, client_of, post, request, until

STAMP = "0x" + TIMESTAMP_KEY.hex()
NO_BLOCK = "0x" + "11" * 32


async def follow_head(client: Client, *, with_runtime: bool = False) -> tuple[str, dict[str, Any]]:
    """Follows, takes the first two events, and returns the subscription with the first of them."""
    subscription = await client.call("chainHead_v1_follow", with_runtime)
    first = await client.note(subscription)
    assert first["event"] == "initialized"
    assert (await client.note(subscription))["event"] == "bestBlockChanged"
    return subscription, first


async def events_of(client: Client, subscription: str, operation: str) -> list[dict[str, Any]]:
    """The events of an operation up to its last one; others are dropped."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["event"] in ("operationStorageItems", "operationWaitingForContinue"):
        event = await client.note(subscription)
        if event.get("operationId") == operation:
            found.append(event)
            if event["event"] == "operationWaitingForContinue":
                assert await client.call("chainHead_v1_continue", subscription, operation) is None
    return found


async def started(client: Client, method: str, *params: Any) -> str:
    answer = await client.call(method, *params)
    assert answer["result"] == "started", answer
    return str(answer["operationId"])


async def test_blocks_are_told_in_order(client: Client, node: Node) -> None:
    subscription, first = await follow_head(client, with_runtime=True)
    genesis = "0x" + node.genesis_hash.hex()
    assert first["finalizedBlockHashes"] == [genesis]
    runtime = first["finalizedBlockRuntime"]
    assert (runtime["type"], runtime["spec"]["specName"]) == ("valid", node.version().spec_name)
    assert runtime["spec"]["apis"]["0xdf6acb689907609b"] == node.version().core_version()
    block = await client.call("dev_newBlock")
    assert [await client.note(subscription) for _ in range(3)] == [
        {"event": "newBlock", "blockHash": block, "parentBlockHash": genesis, "newRuntime": None},
        {"event": "bestBlockChanged", "bestBlockHash": block},
        {"event": "finalized", "finalizedBlockHashes": [block], "prunedBlockHashes": []},
    ]


async def test_blocks_that_are_not_final_are_announced_first(make_node: NodeFactory) -> None:
    node = make_node(finality_lag=2)
    async with serve(node) as server, client_of(server) as client:
        blocks = [await client.call("dev_newBlock") for _ in range(3)]
        subscription = await client.call("chainHead_v1_follow", False)
        events = [await client.note(subscription) for _ in range(4)]
        assert [event["event"] for event in events] == [
            "initialized",
            "newBlock",
            "newBlock",
            "bestBlockChanged",
        ]
        assert events[0]["finalizedBlockHashes"][-1] == blocks[0]
        assert [event["blockHash"] for event in events[1:3]] == blocks[1:]
        assert "newRuntime" not in events[1]


async def test_header_and_body_of_pinned_blocks(client: Client, node: Node) -> None:
    subscription, _ = await follow_head(client)
    block = await client.call("dev_newBlock")
    await client.note(subscription)
    header = await client.call("chainHead_v1_header", subscription, block)
    assert bytes.fromhex(header[2:]) == node.best.header.encode()
    operation = await started(client, "chainHead_v1_body", subscription, block)
    (done,) = await events_of(client, subscription, operation)
    assert (done["event"], done["value"]) == (
        "operationBodyDone",
        ["0x" + item.hex() for item in node.best.body],
    )


async def test_calls_and_their_faults(client: Client, node: Node) -> None:
    subscription, first = await follow_head(client, with_runtime=True)
    block = first["finalizedBlockHashes"][-1]
    operation = await started(client, "chainHead_v1_call", subscription, block, "Core_version", "0x")
    (done,) = await events_of(client, subscription, operation)
    assert (done["event"], done["output"]) == ("operationCallDone", "0x" + node.call("Core_version").hex())
    for function, argument in (("Core_nothing", "0x"), ("AccountNonceApi_account_nonce", "")):
        operation = await started(client, "chainHead_v1_call", subscription, block, function, argument)
        (done,) = await events_of(client, subscription, operation)
        assert done["event"] == "operationError"
        assert done["error"].startswith("Execution failed")


async def test_calls_need_the_runtime_to_be_followed(client: Client) -> None:
    subscription, first = await follow_head(client)
    block = first["finalizedBlockHashes"][-1]
    refused = await client.call("chainHead_v1_call", subscription, block, "Core_version", "0x")
    assert refused["code"] == -32802


async def test_storage_by_value_hash_and_descendants(client: Client, node: Node) -> None:
    subscription, first = await follow_head(client)
    block = first["finalizedBlockHashes"][-1]
    code = "0x" + CODE_KEY.hex()
    asked = [
        ("hash", code),
        ("value", "0x1234"),
        ("descendantsHashes", "0x3a"),
        ("closestDescendantMerkleValue", "0x"),
    ]
    items = [{"key": key, "type": kind} for kind, key in asked]
    operation = await started(client, "chainHead_v1_storage", subscription, block, items, None)
    *parts, done = await events_of(client, subscription, operation)
    assert done["event"] == "operationStorageDone"
    found = [item for part in parts for item in part["items"]]
    value = node.storage(CODE_KEY)
    assert value is not None
    hashed = {"key": code, "hash": "0x" + blake2_256(value).hex()}
    below = ["0x" + key.hex() for key in node.chain.state.keys(b":")]
    assert found[0] == hashed
    assert hashed in found[1:-1]
    assert [item["key"] for item in found[1:-1]] == below
    assert found[-1] == {"key": "0x", "closestDescendantMerkleValue": "0x" + node.chain.state.root().hex()}


async def test_a_pinned_state_outlives_the_pruning(make_node: NodeFactory) -> None:
    node = make_node(keep_states=1)
    async with serve(node) as server, client_of(server) as client:
        subscription, _ = await follow_head(client)
        old = await client.call("dev_newBlock")
        stamp = await client.call("state_getStorage", STAMP)
        await client.call("dev_newBlock", 40)
        query = [{"key": STAMP, "type": "value"}]
        operation = await started(client, "chainHead_v1_storage", subscription, old, query, None)
        last = (await events_of(client, subscription, operation))[0]
        assert last["event"] == "operationInaccessible" or last["items"][0]["value"] == stamp


async def test_large_answers_wait_for_the_client(
    client: Client, monkeypatch: pytest.MonkeyPatch, node: Node
) -> None:
    monkeypatch.setattr(follow, "_ITEMS_AN_EVENT", 2)
    monkeypatch.setattr(follow, "_EVENTS_BEFORE_PAUSE", 3)
    subscription, first = await follow_head(client)
    items = [{"key": "0x", "type": "descendantsHashes"}]
    operation = await started(
        client, "chainHead_v1_storage", subscription, first["finalizedBlockHashes"][-1], items, None
    )
    events = await events_of(client, subscription, operation)
    kinds = [event["event"] for event in events]
    assert kinds[:4] == ["operationStorageItems"] * 3 + ["operationWaitingForContinue"]
    keys = [item["key"] for event in events for item in event.get("items", ())]
    assert keys == ["0x" + key.hex() for key in node.chain.state.keys(b"")]


async def test_nothing_comes_before_it_is_continued_or_after_it_is_stopped(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_ITEMS_AN_EVENT", 1)
    monkeypatch.setattr(follow, "_EVENTS_BEFORE_PAUSE", 1)
    subscription, first = await follow_head(client)
    items = [{"key": "0x", "type": "descendantsHashes"}]
    block = first["finalizedBlockHashes"][-1]
    operation = await started(client, "chainHead_v1_storage", subscription, block, items, None)
    assert (await client.note(subscription))["event"] == "operationStorageItems"
    assert (await client.note(subscription))["event"] == "operationWaitingForContinue"
    await asyncio.sleep(0.05)
    assert await client.call("chainHead_v1_stopOperation", subscription, operation) is None
    assert await client.call("chainHead_v1_continue", subscription, operation) is None  # over: left alone
    await client.call("system_name")
    assert client.notes == []


async def test_continue_out_of_turn(server: Server, client: Client) -> None:
    subscription, first = await follow_head(client, with_runtime=True)
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    blocked = asyncio.create_task(
        server.service.run(lambda: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10))
    )
    block = first["finalizedBlockHashes"][-1]
    operation = await started(client, "chainHead_v1_call", subscription, block, "Core_version", "0x")
    answer = await client.call("chainHead_v1_continue", subscription, operation)
    assert answer["code"] == -32803
    gate.set()
    await blocked


async def test_at_most_sixteen_operations_at_a_time(server: Server, client: Client) -> None:
    subscription, first = await follow_head(client, with_runtime=True)
    block = first["finalizedBlockHashes"][-1]
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    blocked = asyncio.create_task(
        server.service.run(lambda: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10))
    )
    for _ in range(follow.MAX_OPERATIONS - 2):
        await started(client, "chainHead_v1_call", subscription, block, "Core_version", "0x")
    many = [{"key": STAMP, "type": "value"}] * 5
    answer = await client.call("chainHead_v1_storage", subscription, block, many, None)
    assert (answer["result"], answer["discardedItems"]) == ("started", 3)
    await events_of(client, subscription, answer["operationId"])
    for _ in range(2):
        await started(client, "chainHead_v1_call", subscription, block, "Core_version", "0x")
    full = await client.call("chainHead_v1_call", subscription, block, "Core_version", "0x")
    assert full == {"result": "limitReached"}
    gate.set()
    await blocked


async def test_unpinned_blocks_are_unknown(client: Client) -> None:
    subscription, first = await follow_head(client)
    block = first["finalizedBlockHashes"][-1]
    codes = [
        (await client.call("chainHead_v1_unpin", subscription, hashes))["code"]
        for hashes in ([block, block], NO_BLOCK, [block, NO_BLOCK])
    ]
    assert codes == [-32804, -32801, -32801]
    assert (
        await client.call("chainHead_v1_unpin", subscription, [block]) is None
    )  # the refusals unpinned nothing
    for method, rest in (
        ("header", ()),
        ("body", ()),
        ("call", ("Core_version", "0x")),
        ("storage", ([], None)),
    ):
        answer = await client.call(f"chainHead_v1_{method}", subscription, block, *rest)
        assert answer["code"] == -32801
    assert (await client.call("chainHead_v1_unpin", subscription, block))["code"] == -32801


async def test_a_client_that_never_unpins_is_stopped(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "MAX_PINNED", 3)
    subscription, _ = await follow_head(client)
    await client.call("dev_newBlock", 4)
    events = []
    while not events or events[-1] != {"event": "stop"}:
        events.append(await client.note(subscription))
    assert sum(event["event"] == "newBlock" for event in events) == 2
    assert await client.call("chainHead_v1_unfollow", subscription) is False


async def test_what_is_over_or_was_never_there(client: Client) -> None:
    subscription, first = await follow_head(client)
    block = first["finalizedBlockHashes"][-1]
    assert await client.call("chainHead_v1_unfollow", subscription) is True
    for name in (subscription, "never"):
        assert await client.call("chainHead_v1_unfollow", name) is False
        assert await client.call("chainHead_v1_header", name, block) is None
        assert await client.call("chainHead_v1_unpin", name, block) is None
        assert await client.call("chainHead_v1_continue", name, "1") is None
        assert await client.call("chainHead_v1_body", name, block) == {"result": "limitReached"}
    await client.call("dev_newBlock")
    assert client.notes == []


async def test_follows_are_limited_and_belong_to_their_connection(server: Server, client: Client) -> None:
    names = [(await follow_head(client))[0] for _ in range(4)]
    assert (await client.call("chainHead_v1_follow", False))["code"] == -32800
    async with client_of(server) as other:
        assert await other.call("chainHead_v1_unfollow", names[0]) is False
        await follow_head(other)
        assert len(server.app.hub.follows) == 5
    await until(lambda: len(server.app.hub.follows) == 4)
    overhttp = (await post(server, request("chainHead_v1_follow", False))).json()
    assert overhttp["error"]["code"] == -32601


@pytest.mark.parametrize(
    ("method", "params"),
    [("follow", []), ("follow", ["yes"]), ("header", ["x", "0x12"]), ("header", ["x", None]), ("body", [5, NO_BLOCK]),
     ("storage", ["x", NO_BLOCK, [{"key": "0x1", "type": "value"}], None]), ("storage", ["x", NO_BLOCK, {}, None]),
     ("storage", ["x", NO_BLOCK, [{"key": "0x", "type": "all"}], None]), ("storage", ["x", NO_BLOCK, [5], None]),
     ("call", ["x", NO_BLOCK, "f", "zz"]), ("call", ["x", NO_BLOCK, 5, "0x"]), ("unpin", ["x", "0x12"]), ("continue", ["x", 1])],
)  # fmt: skip
async def test_wrong_parameters(client: Client, method: str, params: list[Any]) -> None:
    assert (await client.call(f"chainHead_v1_{method}", *params))["code"] == -32602
