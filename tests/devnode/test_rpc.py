from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from llmnet.devnode import Limits, Node, Seal, Server, ServerError, serve
from llmnet.devnode.author import TIMESTAMP_KEY
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.rpc.registry import METHODS
from llmnet.devnode.state import CODE_KEY

from .conftest import NodeFactory
from .rpc_client import Client, client_of, post, request, until
from .support import UNIT, Signer

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
STAMP = "0x" + TIMESTAMP_KEY.hex()


# -- reading


async def test_what_a_client_asks_when_it_connects(client: Client, node: Node) -> None:
    assert await client.call("system_chain") == node.spec.name
    assert (await client.call("system_properties"))["ss58Format"] == 42
    assert (await client.call("system_health"))["isSyncing"] is False
    assert await client.call("chain_getBlockHash", 0) == "0x" + node.genesis_hash.hex()
    assert (await client.call("state_getRuntimeVersion"))["specName"] == node.version().spec_name
    assert (await client.call("state_getMetadata")).startswith("0x6d657461")
    assert (await client.call("rpc_methods"))["methods"] == sorted(METHODS)
    assert (await client.call("system_syncState"))["currentBlock"] == 0


async def test_blocks_by_hash_number_and_list(client: Client, node: Node) -> None:
    block_hash = await client.call("dev_newBlock")
    assert (
        block_hash
        == await client.call("chain_getBlockHash")
        == await client.call("chain_getBlockHash", "0x1")
    )
    assert await client.call("chain_getBlockHash", [0, 1, 2]) == [
        "0x" + node.genesis_hash.hex(),
        block_hash,
        None,
    ]
    header = await client.call("chain_getHeader", block_hash)
    assert (header["number"], header["parentHash"]) == ("0x1", "0x" + node.genesis_hash.hex())
    block = (await client.call("chain_getBlock", block_hash))["block"]
    assert block["header"] == header
    assert [bytes.fromhex(extrinsic[2:]) for extrinsic in block["extrinsics"]] == list(node.best.body)
    assert await client.call("chain_getBlock", "0x" + "11" * 32) is None
    assert await client.call("chain_getFinalizedHead") == block_hash


async def test_storage_now_and_then(client: Client) -> None:
    first, second = await client.call("dev_newBlock"), await client.call("dev_newBlock")
    old, new = (
        await client.call("state_getStorage", STAMP, first),
        await client.call("state_getStorage", STAMP),
    )
    assert old != new == await client.call("state_getStorageAt", STAMP, second)
    assert await client.call("state_getStorageSize", STAMP) == 8
    assert await client.call("state_getStorageHash", STAMP) == "0x" + blake2_256(bytes.fromhex(new[2:])).hex()
    assert await client.call("state_getStorage", "0x1234") is None
    assert await client.call("state_queryStorageAt", [STAMP, "0x12"], first) == [
        {"block": first, "changes": [[STAMP, old], ["0x12", None]]}
    ]
    assert await client.call("state_queryStorage", [STAMP, "0x12"], first) == [
        {"block": first, "changes": [[STAMP, old], ["0x12", None]]},
        {"block": second, "changes": [[STAMP, new]]},
    ]


async def test_keys_by_page(client: Client, node: Node) -> None:
    prefix = "0x" + TIMESTAMP_KEY[:1].hex()
    every = await client.call("state_getKeys", "0x")
    assert every == sorted(every)
    pages: list[str] = []
    while page := await client.call("state_getKeysPaged", "0x", 7, pages[-1] if pages else None):
        pages += page
    assert pages == every
    assert all(key.startswith(prefix) for key in await client.call("state_getKeysPaged", prefix, 100))
    pairs = await client.call("state_getPairs", "0x" + CODE_KEY.hex())
    assert [key for key, _ in pairs] == ["0x" + CODE_KEY.hex()]
    assert (await client.call("state_getKeysPaged", "0x", 1001))["code"] == 4002


async def test_runtime_calls_fees_and_nonces(client: Client, signer: Signer) -> None:
    extrinsic = "0x" + signer.transfer("//Alice", "//Bob", UNIT, 0).hex()
    info = await client.call("payment_queryInfo", extrinsic)
    assert int(info["partialFee"]) > 0
    assert info["class"] == "normal"
    details = await client.call("payment_queryFeeDetails", extrinsic)
    assert int(details["inclusionFee"]["baseFee"], 16) > 0
    assert (
        await client.call(
            "state_call", "AccountNonceApi_account_nonce", "0x" + signer.account("//Alice").hex()
        )
        == "0x00000000"
    )
    assert await client.call("system_accountNextIndex", ALICE) == 0
    await client.call("author_submitExtrinsic", extrinsic)
    assert await client.call("account_nextIndex", ALICE) == 1
    assert await client.call("system_dryRun", extrinsic) == "0x0000"


# -- transactions


async def test_watched_transaction_becomes_ready_in_block_and_final(client: Client, signer: Signer) -> None:
    extrinsic = "0x" + signer.transfer("//Alice", "//Bob", UNIT, 0).hex()
    watch = await client.call("author_submitAndWatchExtrinsic", extrinsic)
    assert await client.note(watch) == "ready"
    block_hash = await client.call("dev_newBlock")
    assert [await client.note(watch), await client.note(watch)] == [
        {"inBlock": block_hash},
        {"finalized": block_hash},
    ]
    assert await client.call("author_unwatchExtrinsic", watch) is False  # it has ended by itself


async def test_finality_comes_as_late_as_told(make_node: NodeFactory) -> None:
    node = make_node(finality_lag=2)
    signer = Signer(node)
    async with serve(node) as server, client_of(server) as client:
        final = await client.call("chain_subscribeFinalizedHeads")
        assert (await client.note(final))["number"] == "0x0"
        watch = await client.call(
            "author_submitAndWatchExtrinsic", "0x" + signer.transfer("//Alice", "//Bob", 1, 0).hex()
        )
        first = await client.call("dev_newBlock")
        assert [await client.note(watch), await client.note(watch)] == ["ready", {"inBlock": first}]
        await client.call("dev_newBlock")
        assert await client.call("chain_getFinalizedHead") == "0x" + node.genesis_hash.hex()
        await client.call("dev_newBlock")
        assert await client.note(watch) == {"finalized": first}
        assert (await client.note(final))["number"] == "0x1"


async def test_replaced_and_removed_transactions_are_told(client: Client, signer: Signer) -> None:
    old = await client.call(
        "author_submitAndWatchExtrinsic", "0x" + signer.transfer("//Alice", "//Bob", 1, 0).hex()
    )
    better = signer.transfer("//Alice", "//Bob", 1, 0, tip=UNIT)
    new = await client.call("author_submitAndWatchExtrinsic", "0x" + better.hex())
    tx_hash = "0x" + blake2_256(better).hex()
    assert [await client.note(old), await client.note(old)] == ["ready", {"usurped": tx_hash}]
    assert await client.call("author_pendingExtrinsics") == ["0x" + better.hex()]
    assert await client.call("author_removeExtrinsic", [{"hash": tx_hash}, {"extrinsic": "0x00"}]) == [
        tx_hash
    ]
    assert [await client.note(new), await client.note(new)] == ["ready", "dropped"]
    assert await client.call("author_pendingExtrinsics") == []


async def test_refusals_carry_substrates_codes(client: Client, signer: Signer) -> None:
    good = "0x" + signer.transfer("//Alice", "//Bob", 1, 0, tip=UNIT).hex()
    assert (
        await client.call("author_submitExtrinsic", good) == "0x" + blake2_256(bytes.fromhex(good[2:])).hex()
    )
    assert (await client.call("author_submitExtrinsic", good))["code"] == 1013
    cheaper = await client.call(
        "author_submitExtrinsic", "0x" + signer.transfer("//Alice", "//Bob", 2, 0).hex()
    )
    assert cheaper["code"] == 1014
    await client.call("dev_newBlock")
    stale = await client.call("author_submitExtrinsic", good)
    assert stale == {"code": 1010, "message": "Invalid Transaction", "data": "Transaction is outdated"}
    for bad in ("0x", "0x04", "0x" + "ff" * 20):  # no extrinsics at all; the codes differ in polkadot-sdk too
        assert (await client.call("author_submitExtrinsic", bad))["code"] == 1040
        assert (await client.call("author_submitAndWatchExtrinsic", bad))["code"] == 1001
    assert (await client.call("author_submitExtrinsic", "0x0400"))["code"] == 1002  # the runtime panics
    assert (await client.call("author_submitExtrinsic", "0x0400"))["code"] == 1012
    other = signer.transfer("//Bob", "//Alice", 1, 0)
    await client.call(
        "author_removeExtrinsic", [{"hash": await client.call("author_submitExtrinsic", "0x" + other.hex())}]
    )
    assert (await client.call("author_submitExtrinsic", "0x" + other.hex()))["code"] == 1012


async def test_failed_watch_leaves_nothing_behind(client: Client, server: Server) -> None:
    for _ in range(3):
        await client.call("author_submitAndWatchExtrinsic", "0x0400")
    assert len(server.app.hub.watches) == 0


# -- subscriptions


async def test_heads_begin_with_the_present_one(client: Client) -> None:
    best = await client.call("chain_subscribeNewHeads")
    every = await client.call("chain_subscribeAllHeads")
    await client.call("dev_newBlock", 2)
    for subscription in (best, every):
        assert [(await client.note(subscription))["number"] for _ in range(3)] == ["0x0", "0x1", "0x2"]
    assert await client.call("chain_unsubscribeNewHeads", best) is True
    assert await client.call("chain_unsubscribeNewHeads", best) is False
    await client.call("dev_newBlock")
    assert (await client.note(every))["number"] == "0x3"
    assert not [note for note in client.notes if note["params"]["subscription"] == best]


async def test_storage_is_told_only_when_it_changes(client: Client) -> None:
    quiet = await client.call("state_subscribeStorage", ["0x" + CODE_KEY.hex()])
    moving = await client.call("state_subscribeStorage", [STAMP, "0x12"])
    assert (await client.note(moving))["changes"] == [[STAMP, None], ["0x12", None]]
    block_hash = await client.call("dev_newBlock")
    change = await client.note(moving)
    assert change["block"] == block_hash
    assert [key for key, _ in change["changes"]] == [STAMP]
    assert len((await client.note(quiet))["changes"]) == 1
    await client.call("dev_newBlock")
    assert not [note for note in client.notes if note["params"]["subscription"] == quiet]


async def test_runtime_version_is_told_once(client: Client, node: Node) -> None:
    subscription = await client.call("state_subscribeRuntimeVersion")
    assert (await client.note(subscription))["specVersion"] == node.version().spec_version
    await client.call("dev_newBlock")
    await client.call("system_health")
    assert client.notes == []


async def test_subscriptions_end_with_their_connection_and_are_limited(node: Node) -> None:
    async with serve(node, limits=Limits(subscriptions=2)) as server:
        async with client_of(server) as client:
            for _ in range(2):
                await client.call("chain_subscribeNewHeads")
            assert (await client.call("chain_subscribeNewHeads"))["code"] == -32006
        hub = server.app.hub
        await until(lambda: not hub._heads["best"])


# -- malformed, oversized, batches


@pytest.mark.parametrize(
    ("text", "code"),
    [("", -32700), ("{", -32700), ("nonsense", -32700), ("[" * 100_000, -32700), ("5", -32600), ('"x"', -32600), ("null", -32600),
     ("[]", -32600), ("{}", -32600), ('{"jsonrpc": "1.0", "id": 1, "method": "system_name"}', -32600),
     ('{"jsonrpc": "2.0", "id": 1}', -32600), ('{"jsonrpc": "2.0", "id": 1, "method": 5}', -32600),
     ('{"jsonrpc": "2.0", "id": {}, "method": "system_name"}', -32600),
     ('{"jsonrpc": "2.0", "id": 1, "method": "no_such"}', -32601),
     ('{"jsonrpc": "2.0", "id": 1, "method": "system_name", "params": 5}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "system_name", "params": {"x": 1}}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": []}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": {"kee": "0x"}}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": ["0xzz"]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": ["0x12 34"]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": [null]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": ["0x12", "0x12"]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "chain_getBlockHash", "params": [-1]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "chain_getBlockHash", "params": [true]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "chain_getBlockHash", "params": [1.5]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "system_accountNextIndex", "params": ["5Grw"]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_call", "params": [7, "0x"]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_call", "params": ["Core_nothing", "0x"]}', 4003),
     ('{"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": ["0x", "0x' + "11" * 32 + '"]}', 4003),
     ('{"jsonrpc": "2.0", "id": 1, "method": "author_removeExtrinsic", "params": [[{"x": "0x"}]]}', -32602),
     ('{"jsonrpc": "2.0", "id": 1, "method": "chain_subscribeNewHeads", "params": []}', -32601)],
)  # fmt: skip
async def test_faulty_requests_over_http(server: Server, text: str, code: int) -> None:
    answer = (await post(server, text)).json()
    assert answer["error"]["code"] == code
    assert answer["jsonrpc"] == "2.0"


async def test_faulty_requests_do_not_end_a_websocket(client: Client) -> None:
    for text in ("{", "[]", '{"jsonrpc": "2.0"}', "\x00"):
        await client.socket.send(text)
        assert "error" in json.loads(await client.socket.recv())
    await client.socket.send(b"\xff\xfe")  # a binary frame that is no text at all
    assert json.loads(await client.socket.recv())["error"]["code"] == -32700
    assert await client.call("system_health")


async def test_named_parameters_and_string_ids(server: Server) -> None:
    body = {
        "jsonrpc": "2.0",
        "id": "seven",
        "method": "state_getStorage",
        "params": {"key": "0x12", "at": None},
    }
    assert (await post(server, body)).json() == {"jsonrpc": "2.0", "id": "seven", "result": None}


async def test_notifications_get_no_answer(server: Server) -> None:
    response = await post(server, {"jsonrpc": "2.0", "method": "dev_newBlock"})
    assert (response.status_code, response.content) == (204, b"")
    assert server.service.node.best.number == 1


async def test_batch_answers_in_order_and_faults_stay_single(server: Server) -> None:
    batch = [
        request("system_chain", number=1),
        request("no_such", number=2),
        5,
        {"jsonrpc": "2.0", "method": "system_name"},
    ]
    answer = (await post(server, batch)).json()
    assert [(entry["id"], "result" in entry) for entry in answer] == [(1, True), (2, False), (None, False)]


async def test_batch_with_a_subscription(client: Client) -> None:
    await client.socket.send(
        json.dumps([request("chain_subscribeNewHeads", number=1), request("system_chain", number=2)])
    )
    answer = json.loads(await client.socket.recv())
    assert [entry["id"] for entry in answer] == [1, 2]
    assert (await client.note(answer[0]["result"]))["number"] == "0x0"


async def test_limits_of_batch_request_and_response(node: Node) -> None:
    limits = Limits(batch=3, request_bytes=2000, response_bytes=4000)
    async with serve(node, limits=limits) as server:
        assert (await post(server, [request("system_name")] * 4)).json()["error"]["code"] == -32010
        assert len((await post(server, [request("system_name")] * 3)).json()) == 3
        too_big = await post(server, request("state_getStorage", "0x" + "00" * 2000))
        assert (too_big.status_code, too_big.json()["error"]["code"]) == (413, -32007)
        answer = (await post(server, request("state_getMetadata"))).json()
        assert (answer["id"], answer["error"]["code"]) == (1, -32008)
        whole = (await post(server, [request("rpc_methods")] * 3)).json()
        assert whole["error"]["code"] == -32008
        async with client_of(server) as client:
            await client.socket.send("x" * 3000)
            with pytest.raises(ConnectionClosed) as closed:
                await client.socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009


async def test_http_beside_posts(server: Server) -> None:
    base = server.url.replace("ws", "http", 1)
    async with httpx.AsyncClient() as http:
        assert (await http.get(base + "/health")).json()["isSyncing"] is False
        assert (await http.get(base)).status_code == 405
        assert (await http.put(base)).status_code == 405


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("http://localhost:3000", True), ("https://polkadot.js.org", True), ("https://evil.example", False),
     ("http://localhost.evil.example", False), ("null", False), ("http://[", False), ("", False), ("https://mine.example", True)],
)  # fmt: skip
async def test_web_pages_of_strangers_are_kept_out(node: Node, origin: str, allowed: bool) -> None:
    async with serve(node, limits=Limits(origins=("https://mine.example",))) as server:
        response = await post(server, request("system_name"), headers={"origin": origin})
        assert (response.status_code == 200) is allowed
        try:
            async with connect(server.url, origin=origin):  # type: ignore[arg-type]
                connected = True
        except InvalidStatus:
            connected = False
        assert connected is allowed


async def test_connections_are_limited(node: Node) -> None:
    async with serve(node, limits=Limits(connections=1)) as server:
        async with client_of(server):
            with pytest.raises(InvalidStatus):
                await connect(server.url)
        async with client_of(server) as client:
            assert await client.call("system_name")


async def test_port_in_use_is_a_clear_error(server: Server, make_node: NodeFactory) -> None:
    with pytest.raises(ServerError, match=r"in use.*another port"):
        async with serve(make_node(), port=server.port):
            pytest.fail("served twice")


async def test_reading_goes_on_while_the_runtime_is_busy(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage and headers come from what is kept and need not wait for a block in the making."""
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    def busy() -> None:
        asyncio.run_coroutine_threadsafe(_wait(gate), loop).result(10)

    blocked = asyncio.create_task(server.service.run(busy))
    assert (await client.call("chain_getHeader"))["number"] == "0x0"
    assert await client.call("state_getStorage", "0x" + CODE_KEY.hex()) is not None
    assert not blocked.done()
    gate.set()
    await blocked


async def _wait(gate: asyncio.Event) -> None:
    await gate.wait()


# -- seals


async def _heights(server: Server, wanted: int) -> list[str]:
    async with client_of(server) as client:
        subscription = await client.call("chain_subscribeNewHeads")
        return [(await client.note(subscription))["number"] for _ in range(wanted)]


async def test_interval_seal_makes_blocks_by_itself(node: Node) -> None:
    async with serve(node, seal=Seal("interval", 0.05)) as server:
        assert len(set(await _heights(server, 4))) == 4


async def test_instant_seal_makes_a_block_for_each_transaction_and_none_without(
    node: Node, signer: Signer
) -> None:
    async with serve(node, seal=Seal("instant")) as server, client_of(server) as client:
        assert node.best.number == 0
        for nonce in range(2):
            extrinsic = "0x" + signer.transfer("//Alice", "//Bob", UNIT, nonce).hex()
            watch = await client.call("author_submitAndWatchExtrinsic", extrinsic)
            assert await client.note(watch) == "ready"
            assert "inBlock" in await client.note(watch)
        assert node.best.number == 2


async def test_manual_seal_waits_to_be_asked(node: Node, signer: Signer) -> None:
    async with serve(node) as server, client_of(server) as client:
        await client.call("author_submitExtrinsic", "0x" + signer.transfer("//Alice", "//Bob", UNIT, 0).hex())
        await asyncio.sleep(0.1)
        assert node.best.number == 0
        await client.call("dev_newBlock")
        assert len(node.best.body) == 2


async def test_node_goes_on_after_a_block_that_could_not_be_made(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from llmnet.devnode.errors import AuthoringError

    produce, failures = node.produce_block, [3]

    def unreliable() -> Any:
        if failures[0]:
            failures[0] -= 1
            raise AuthoringError("the runtime panics")
        return produce()

    monkeypatch.setattr(node, "produce_block", unreliable)
    async with serve(node, seal=Seal("interval", 0.02)) as server:
        assert await _heights(server, 2)
    assert "the runtime panics" in caplog.text
