"""Method by method: this node and polkadot-sdk's own answer alike, at the genesis of the same specification.

Results are compared whole where they speak of the genesis, else by their shape; errors by code and message (the
`data` of an error is prose, and where a message goes on to tell why, only its beginning must agree).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from .conftest import needs_polkadot_node

pytestmark = [pytest.mark.e2e, needs_polkadot_node]
STAMP = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
CODE = "0x3a636f6465"
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
CHILD = "0x3a6368696c645f73746f726167653a64656661756c743a61"
NONE = "0x" + "11" * 32
GENESIS = "GENESIS"  # stands for the hash in the tables below
# Whole answers agree.
EXACT: list[tuple[str, list[Any]]] = [
    ("system_chain", []), ("system_chainType", []), ("system_properties", []), ("system_health", []), ("system_peers", []),
    ("system_reservedPeers", []), ("system_accountNextIndex", [ALICE]), ("account_nextIndex", [ALICE]),
    ("chain_getBlockHash", [0]), ("chain_getBlockHash", ["0x0"]), ("chain_getBlockHash", [[0, 4000000]]),
    ("chain_getBlockHash", [99999999]),
    ("chain_getHeader", [GENESIS]), ("chain_getHeader", [NONE]), ("chain_getBlock", [GENESIS]), ("chain_getBlock", [NONE]),
    ("state_getStorage", [CODE, GENESIS]), ("state_getStorage", ["3a636f6465", GENESIS]), ("state_getStorage", ["0x1", GENESIS]),
    ("state_getStorage", [STAMP, GENESIS, "surplus"]), ("state_getStorageAt", [STAMP, GENESIS]),
    ("state_getStorageHash", [CODE, GENESIS]), ("state_getStorageSize", [CODE, GENESIS]), ("state_getKeys", ["0x26aa", GENESIS]),
    ("state_getKeysPaged", ["0x", 100, None, GENESIS]), ("state_getKeysPaged", [None, 7, STAMP, GENESIS]),
    ("state_getPairs", ["0x26aa", GENESIS]),
    ("state_queryStorageAt", [[STAMP, CODE, "0x12"], GENESIS]), ("state_queryStorage", [[CODE], GENESIS, GENESIS]),
    ("state_call", ["Core_version", "0x", GENESIS]), ("state_getMetadata", [GENESIS]),
    ("state_getReadProof", [[STAMP, "0x12"], GENESIS]),
    ("childstate_getStorage", [CHILD, "0x01", GENESIS]), ("childstate_getKeys", [CHILD, "0x", GENESIS]),
    ("childstate_getKeysPaged", [CHILD, "0x", 4, None, GENESIS]), ("childstate_getStorageEntries", [CHILD, ["0x01"], GENESIS]),
    ("childstate_getStorageHash", [CHILD, "0x01", GENESIS]), ("childstate_getStorageSize", [CHILD, "0x01", GENESIS]),
    ("author_pendingExtrinsics", []), ("author_removeExtrinsic", [[]]), ("author_removeExtrinsic", [[{"hash": NONE}]]),
    ("author_hasKey", ["0x01", "aura"]), ("dev_getBlockStats", [NONE]), ("dev_getBlockStats", [GENESIS]),
    ("offchain_localStorageGet", ["PERSISTENT", "0x77"]), ("offchain_localStorageSet", ["PERSISTENT", "0x01", "0x02"]),
    ("offchain_localStorageGet", ["PERSISTENT", "0x01"]), ("offchain_localStorageClear", ["PERSISTENT", "0x01"]),
    ("chainSpec_v1_chainName", []), ("chainSpec_v1_genesisHash", []), ("chainSpec_v1_properties", []),
    ("chain_unsubscribeNewHeads", ["abc"]), ("author_unwatchExtrinsic", ["x"]), ("transactionWatch_v1_unwatch", ["x"]),
    ("chainHead_v1_header", ["abc", GENESIS]), ("chainHead_v1_body", ["abc", GENESIS]), ("chainHead_v1_unpin", ["abc", GENESIS]),
    ("chainHead_v1_unfollow", ["abc"]), ("chainHead_v1_stopOperation", ["abc", "1"]), ("chainHead_v1_continue", ["abc", "1"]),
    ("chainHead_v1_storage", ["abc", GENESIS, [], None]), ("chainHead_v1_call", ["abc", GENESIS, "Core_version", "0x"]),
]  # fmt: skip
# Both refuse with this code, and with messages that begin alike.
REFUSED: list[tuple[str, list[Any], int]] = [
    ("no_such", [], -32601), ("chain_getHeader", ["0x12"], -32602), ("chain_getBlockHash", [-1], -32602),
    ("chain_getBlockHash", [1.5], -32602), ("chain_getBlockHash", [2**32], 3001), ("chain_getBlockHash", [2**70], -32602),
    ("state_getStorage", [5], -32602), ("state_getStorage", [], -32602), ("state_getStorage", ["0x", NONE], 4003),
    ("state_getKeysPaged", ["0x", 1001], 4002), ("state_getKeysPaged", ["0x", -1], -32602),
    ("state_queryStorage", [[STAMP], NONE], 4001),
    ("state_call", ["Core_nothing", "0x"], 4003), ("state_call", ["Core_version", "0x", NONE], 4003),
    ("state_call", [5, "0x"], -32602),
    ("state_call", ["AccountNonceApi_account_nonce", "0x"], 4003), ("state_call", ["Core_version"], -32602),
    ("state_getReadProof", [[STAMP], NONE], 4003), ("state_getRuntimeVersion", [NONE], 4003),
    ("childstate_getStorage", ["0x12", "0x01"], 4003),
    ("author_submitExtrinsic", ["0x"], 1040), ("author_submitExtrinsic", ["0x04"], 1040), ("author_submitExtrinsic", ["zz"], -32602),
    ("author_submitExtrinsic", ["0x0400"], 1002), ("author_submitExtrinsic", ["0x0400"], 1012),
    ("author_submitAndWatchExtrinsic", ["0x"], 1001),
    ("author_removeExtrinsic", [[{"x": NONE}]], -32602), ("author_hasKey", ["0x01", "toolong"], 1040),
    ("author_hasSessionKeys", ["0x01"], 1040),
    ("payment_queryInfo", ["0x0400"], 1), ("payment_queryInfo", ["0x"], 2), ("payment_queryFeeDetails", ["0x0400"], 1),
    ("system_dryRun", ["0x0400"], 1), ("system_accountNextIndex", ["5Grw"], -32602),
    ("offchain_localStorageGet", ["LOCAL", "0x01"], 5001),
    ("offchain_localStorageGet", ["X", "0x01"], -32602), ("transaction_v1_broadcast", ["zz"], -32602),
    ("transaction_v1_stop", ["abc"], -32602),
    ("transactionWatch_v1_submitAndWatch", ["zz"], -32602), ("chainHead_v1_follow", [], -32602),
    ("chainHead_v1_follow", ["x"], -32602),
]  # fmt: skip
# What this node does not serve, and why: there is no network, no tracing, and no migration of the trie.
LEFT_OUT = {"bitswap_v1_get", "state_callRecorded", "state_traceBlock", "state_trieMigrationStatus", "system_addLogFilter",
            "system_resetLogFilter"}  # fmt: skip


class Peer:
    """A connection to one of the two nodes."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.events: list[Any] = []

    async def ask(self, method: str, params: list[Any]) -> dict[str, Any]:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        await self._socket.send(json.dumps(body))
        while True:
            reply: dict[str, Any] = json.loads(await asyncio.wait_for(self._socket.recv(), 20))
            if reply.get("id") == 1:
                return reply
            self.events.append(reply["params"]["result"])

    async def event(self) -> Any:
        while not self.events:
            self.events.append(
                json.loads(await asyncio.wait_for(self._socket.recv(), 20))["params"]["result"]
            )
        return self.events.pop(0)


@pytest.fixture(scope="module")
def ours(polkadot_spec: Path) -> Any:
    from llmnet.devnode import ChainSpec

    return ChainSpec.read(polkadot_spec)


@pytest.fixture
async def peers(polkadot_url: str, ours: Any) -> AsyncIterator[tuple[Peer, Peer]]:
    """The real node and ours, connected."""
    from llmnet.devnode import Node, NodeConfig, serve

    async with serve(Node(ours, NodeConfig())) as server:
        for _ in range(120):
            try:
                theirs = await connect(polkadot_url, max_size=None)
                break
            except OSError:
                await asyncio.sleep(0.5)
        async with theirs, connect(server.url, max_size=None) as mine:
            yield Peer(theirs), Peer(mine)


async def test_every_method_is_served_or_left_out_for_a_reason(peers: tuple[Peer, Peer]) -> None:
    theirs, mine = [set((await peer.ask("rpc_methods", []))["result"]["methods"]) for peer in peers]
    assert theirs - mine == LEFT_OUT


async def test_answers_about_the_genesis_are_equal(peers: tuple[Peer, Peer]) -> None:
    genesis = (await peers[0].ask("chain_getBlockHash", [0]))["result"]
    for method, params in EXACT:
        asked = [genesis if item == GENESIS else item for item in params]
        theirs, mine = [await peer.ask(method, asked) for peer in peers]
        if method == "state_getReadProof":  # a set of nodes, in whatever order
            for reply in (theirs, mine):
                reply["result"]["proof"].sort()
        assert mine == theirs, (method, params)


async def test_refusals_have_the_same_codes_and_messages(peers: tuple[Peer, Peer]) -> None:
    for method, params, code in REFUSED:
        theirs, mine = [(await peer.ask(method, params)).get("error", {}) for peer in peers]
        assert (mine.get("code"), theirs.get("code")) == (code, code), (method, params, mine, theirs)
        beginning = theirs["message"].split(":")[0].split("[")[0].split("`Number")[0].strip()
        assert mine["message"].startswith(beginning), (method, params, mine, theirs)


async def test_the_head_is_followed_by_the_same_events(peers: tuple[Peer, Peer]) -> None:
    """Forms and order: initialized, best block, then new, best and final for each block."""
    forms: list[list[Any]] = []
    for peer in peers:
        await peer.ask("chainHead_v1_follow", [True])
        first = await peer.event()
        runtime = first["finalizedBlockRuntime"]
        events = [await peer.event()]
        if peer is peers[1]:
            await peer.ask("dev_newBlock", [])
        events += [await peer.event() for _ in range(3)]
        forms.append([sorted(first), runtime, *[(event["event"], sorted(event)) for event in events]])
    assert forms[0] == forms[1]


async def test_operations_on_the_genesis_say_the_same(peers: tuple[Peer, Peer]) -> None:
    asked = {
        "storage": [[{"key": CODE, "type": "hash"}, {"key": "0x26aa", "type": "descendantsValues"},
                     {"key": "0x", "type": "closestDescendantMerkleValue"}], None],
        "call": ["Core_version", "0x"],
        "body": [],
    }  # fmt: skip
    told: list[dict[str, Any]] = []
    for peer in peers:
        subscription = (await peer.ask("chainHead_v1_follow", [True]))["result"]
        block = (await peer.event())["finalizedBlockHashes"][0]
        genesis = (await peer.ask("chain_getBlockHash", [0]))["result"]
        if block != genesis:
            pytest.skip("the real node's genesis is no longer among its last final blocks")
        found: dict[str, Any] = {}
        for name, rest in asked.items():
            started = await peer.ask(f"chainHead_v1_{name}", [subscription, block, *rest])
            assert "result" in started, (name, started)
            operation = started["result"]["operationId"]
            items: list[Any] = []
            while True:
                event = await peer.event()
                if event.get("operationId") != operation:
                    continue
                items += event.pop("items", [])
                if event["event"].endswith("Done"):
                    break
            del event["operationId"]
            found[name] = [event, sorted(items, key=json.dumps)]
        told.append(found)
    assert told[0] == told[1]
