"""Read proofs of polkadot-sdk's own node and of ours are the same bytes, child tries included.

The node's binary is named by LLMNET_POLKADOT_NODE; it is no part of this project.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmnet.devnode import ChainSpec, Node, NodeConfig, Runtime
from llmnet.devnode.proofs import read_proven
from llmnet.devnode.state import DEFAULT_CHILD_PREFIX, Changes

from .peer import Rpc, available, polkadot_node, write_spec

pytestmark = pytest.mark.skipif(not available(), reason="LLMNET_POLKADOT_NODE names no polkadot-sdk node")
CHILDREN = {
    b"one": {b"k": b"v"},
    b"many": {b"key%d" % n: b"v" * n for n in range(80)},
    b"\0\xff": {b"": b"at the root", b"\0": b"x" * 100},
}


def hexed(values: list[bytes]) -> list[str]:
    return ["0x" + value.hex() for value in values]


@pytest.fixture(scope="module")
def own(spec: ChainSpec, cache_dir: Path) -> Iterator[Node]:
    """Our node on a genesis with child tries."""
    storage = spec.storage(Runtime(spec.code, cache_dir=cache_dir))
    raw = dataclasses.replace(spec, raw=Changes(storage.top, CHILDREN), patch={})
    node = Node(raw, NodeConfig(cache_dir=cache_dir))
    yield node
    node.close()


@pytest.fixture(scope="module")
def ask(own: Node, cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rpc]:
    """polkadot-sdk's node, started on the same specification."""
    runtime = Runtime(own.spec.code, cache_dir=cache_dir)
    path = write_spec(own.spec, runtime, tmp_path_factory.mktemp("sdk") / "spec.json")
    with polkadot_node(path, "--instant-seal") as rpc:
        yield rpc


def test_genesis_with_child_tries_is_the_same(own: Node, ask: Rpc) -> None:
    assert ask("chain_getBlockHash", 0) == "0x" + own.genesis_hash.hex()


def test_read_proofs_are_the_same_bytes(own: Node, ask: Rpc) -> None:
    state, rng = own.chain.state, random.Random(5)
    keys = list(state.keys())
    asked = [[], [b""], [b":code"], [b":cod"], [b":code\0"], keys[:1], keys[-1:], [keys[0] + b"\0"], keys]
    asked += [[*rng.sample(keys, 3), rng.randbytes(8)] for _ in range(20)]
    asked += [[key[: rng.randrange(1, len(key))] for key in rng.sample(keys, 4)] for _ in range(20)]
    for wanted in asked:
        theirs = ask("state_getReadProof", hexed(wanted))["proof"]
        assert theirs == hexed(state.prove(wanted)), wanted


def test_child_read_proofs_are_the_same_bytes(own: Node, ask: Rpc) -> None:
    state = own.chain.state
    asked = [
        (b"one", [b"k"]), (b"one", [b"none"]), (b"one", []), (b"many", [b"key7", b"key70", b"key8"]), (b"many", [b"key"]),
        (b"\0\xff", [b""]), (b"\0\xff", [b"\0", b"\0\0"]),
    ]  # fmt: skip
    for child, wanted in asked:
        (name,) = hexed([DEFAULT_CHILD_PREFIX + child])
        theirs = ask("state_getChildReadProof", name, hexed(wanted))["proof"]
        assert theirs == hexed(state.prove(wanted, child)), (child, wanted)


def test_their_proofs_convince_our_light_client_and_nothing_else_does(own: Node, ask: Rpc) -> None:
    root = bytes.fromhex(ask("chain_getHeader")["stateRoot"][2:])
    keys = [*list(own.chain.state.keys())[::9], b"missing"]
    answer = ask("state_getReadProof", hexed(keys))["proof"]
    proof = [bytes.fromhex(node[2:]) for node in answer]
    values = {key: ask("state_getStorage", *hexed([key])) for key in keys}
    proven = read_proven(root, proof, keys)
    assert {key: None if value is None else "0x" + value.hex() for key, value in proven.items()} == values
