"""Whatever a client sends, the node answers or refuses, goes on, and its state is what it was.

LLMNET_FUZZ_EXAMPLES makes the runs longer: `LLMNET_FUZZ_EXAMPLES=5000 pytest tests/devnode/test_rpc_fuzz.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmnet.devnode import Node
from llmnet.devnode.rpc.app import Limits, RpcApp
from llmnet.devnode.rpc.connection import Connection
from llmnet.devnode.rpc.dispatch import answer
from llmnet.devnode.rpc.registry import METHODS, Context
from llmnet.devnode.scale import compact
from llmnet.devnode.service import NodeService

from .support import Signer

EXAMPLES = int(os.environ.get("LLMNET_FUZZ_EXAMPLES", "60"))
# What changes the chain or waits for the next block when asked rightly; wrong use of them is tested by name.
_CHANGING = {name for name in METHODS if name.startswith("dev_")}
_FUZZED = sorted(set(METHODS) - _CHANGING)


class Door:
    """A node's dispatcher with a connection of its own, in an event loop that outlives the examples."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        self.service = NodeService(self.node)
        app = RpcApp(self.service, Limits())
        self.connection = Connection(100_000, 1 << 30, 1 << 20)
        self.context = Context(self.service, app.hub, self.connection, app.metrics)

    def ask(self, text: str | bytes) -> Any:
        """The answer as JSON, None where none is due."""

        async def run() -> str | None:
            reply, started = await answer(self.context, text, max_batch=64, max_bytes=1 << 22)
            for subscription in started:
                subscription.activate()
            await asyncio.sleep(0)
            for subscription in list(self.connection.subscriptions.values()):
                subscription.end()
            return reply

        reply = self.loop.run_until_complete(run())
        return None if reply is None else json.loads(reply)

    def call(self, method: str, *params: Any) -> Any:
        return self.ask(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))

    def close(self) -> None:
        self.connection.close()
        self.loop.run_until_complete(self.service.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@pytest.fixture(scope="module")
def door(spec: Any, cache_dir: Any) -> Iterator[Door]:
    from llmnet.devnode import NodeConfig

    node = Node(spec, NodeConfig(cache_dir=cache_dir))
    opened = Door(node)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def nothing_has_changed(door: Door) -> Iterator[None]:
    """After each test: the chain is where it was, and the node makes a block as before."""
    best, root = door.node.best.hash, door.node.chain.state.root()
    yield
    assert (door.node.best.hash, door.node.chain.state.root()) == (best, root)
    assert door.call("system_name")["result"]


fuzz = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_HEX = st.binary(max_size=40).map(lambda data: "0x" + data.hex())
_HASH = st.binary(min_size=32, max_size=32).map(lambda data: "0x" + data.hex())
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-2, 70_000), st.floats(allow_nan=False), st.text(max_size=20),
    _HEX, _HASH, st.sampled_from(["0x", "0x1", "0xzz", "0x" + "00" * 32, "Core_version", "PERSISTENT", "aura", "hash", "value"]),
)  # fmt: skip
_JSON = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["key", "type", "hash", "extrinsic", "returnType", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def is_answer(reply: Any) -> bool:
    """Whether this is what JSON-RPC 2.0 allows: a result or an error with a code and a text."""
    if not isinstance(reply, dict) or reply.get("jsonrpc") != "2.0" or "id" not in reply:
        return False
    error = reply.get("error")
    return "result" in reply if error is None else isinstance(error["code"], int) and bool(error["message"])


@fuzz
@given(st.binary(max_size=200))
def test_random_bytes(door: Door, data: bytes) -> None:
    reply = door.ask(data)
    replies = reply if isinstance(reply, list) else [reply]
    assert all(is_answer(one) for one in replies if one is not None)


@fuzz
@given(st.text(max_size=200))
def test_random_text(door: Door, text: str) -> None:
    reply = door.ask(text)
    assert reply is None or is_answer(reply) or isinstance(reply, list)


@fuzz
@given(_JSON, _JSON, _JSON, _JSON)
def test_random_members(door: Door, version: Any, number: Any, method: Any, params: Any) -> None:
    body = {"jsonrpc": version, "id": number, "method": method, "params": params}
    assert is_answer(door.ask(json.dumps(body)))


@settings(fuzz, max_examples=6 * EXAMPLES)
@given(
    st.sampled_from(_FUZZED),
    st.lists(_JSON, max_size=5) | st.dictionaries(st.text(max_size=8), _JSON, max_size=3),
)
def test_random_parameters_of_every_method(door: Door, method: str, params: Any) -> None:
    reply = door.ask(json.dumps({"jsonrpc": "2.0", "id": "x", "method": method, "params": params}))
    assert is_answer(reply)
    assert reply["id"] == "x"
    assert reply.get("error", {}).get("code") != -32603 or "keys" in str(reply) or "network" in str(reply), (
        reply
    )


@pytest.mark.parametrize("method", sorted(METHODS))
def test_no_method_falls_over_a_wrong_type(door: Door, method: str) -> None:
    """Each parameter in turn gets what it cannot be; nothing ends as an internal error of ours."""
    for wrong in (None, -1, 2**300, 1e308, "x", [], {}, [[]], "0x" + "ff" * 5000):
        for count in (0, 1, 2, 4):
            if method == "dev_newBlock" and (count == 0 or wrong in (None, {})):
                continue  # that is right
            if method in ("dev_setStorage", "dev_timeTravel") and wrong in ([],):
                continue  # no writes: a block
            reply = door.call(method, *[wrong] * count)
            error = reply.get("error", {})
            assert error.get("code") != -32603 or "this node" in error["message"], (method, wrong, reply)


@fuzz
@given(st.integers(1, 200_000), st.sampled_from(["[", '{"a":', '[{"x":']))
def test_deep_nesting(door: Door, depth: int, piece: str) -> None:
    assert door.ask(piece * depth)["error"]["code"] in (-32700, -32600)


@pytest.mark.parametrize("number", ["1e999", "-0", "123456789" * 600, "NaN", "Infinity", "1" * 10_000])
def test_huge_and_odd_numbers(door: Door, number: str) -> None:
    for method in ("chain_getBlockHash", "archive_v1_hashByHeight"):
        text = f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": [{number}]}}'
        assert is_answer(door.ask(text))


@fuzz
@given(st.lists(_JSON, max_size=80))
def test_random_batches(door: Door, batch: list[Any]) -> None:
    reply = door.ask(json.dumps(batch))
    if batch and len(batch) <= 64:
        assert len(reply) == len(batch)
        assert all(one["error"]["code"] == -32600 for one in reply)
    else:
        assert is_answer(reply)


@fuzz
@given(st.binary(max_size=300), st.booleans())
def test_random_extrinsics(door: Door, body: bytes, with_length: bool) -> None:
    data = compact(len(body)) + body if with_length else body
    for method in (
        "author_submitExtrinsic",
        "payment_queryInfo",
        "system_dryRun",
        "transactionWatch_v1_submitAndWatch",
    ):
        assert is_answer(door.call(method, "0x" + data.hex()))
    assert len(door.node.pool) == 0


@pytest.fixture(scope="module")
def honest(door: Door) -> bytes:
    """A valid transfer, which the examples below bend."""
    return Signer(door.node).transfer("//Alice", "//Bob", 1, 0)


@fuzz
@given(st.integers(0, 10**6), st.integers(0, 255), st.integers(0, 10**6), st.binary(max_size=20))
def test_bent_extrinsics(door: Door, honest: bytes, at: int, bits: int, cut: int, tail: bytes) -> None:
    """One byte changed, cut short, or with something behind: refused, unless nothing was changed at all."""
    bent = bytearray(honest)
    bent[at % len(bent)] ^= bits
    shown = bytes(bent[: len(bent) - cut % 3 * 7]) + (tail if cut % 5 == 0 else b"")
    reply = door.call("author_submitExtrinsic", "0x" + shown.hex())
    assert is_answer(reply)
    if shown == honest:
        door.call("author_removeExtrinsic", [{"extrinsic": "0x" + shown.hex()}])
    else:
        assert reply["error"]["code"] in (1001, 1002, 1010, 1011, 1012, 1040)
    assert len(door.node.pool) == 0
