from __future__ import annotations

from pathlib import Path

import pytest

from llmnet.devnode import Node
from llmnet.devnode.database import Database
from llmnet.devnode.hashing import blake2_256, twox_128
from llmnet.devnode.inspection import (
    inspect_block,
    inspect_file,
    inspect_state,
    inspect_trie,
    name_of,
    names_in,
)
from llmnet.devnode.node import database_path
from llmnet.devnode.scale import Reader
from llmnet.devnode.state import CODE_KEY, Changes, State
from llmnet.devnode.trie import Trie

from .conftest import NodeFactory
from .support import UNIT, Signer


def test_a_block_shows_its_extrinsics_and_events(node: Node, signer: Signer) -> None:
    transfer = signer.transfer("//Alice", "//Bob", UNIT, 0)
    block = node.produce_block([transfer]).block
    facts = inspect_block(block, node.chain.state)
    assert (facts.number, facts.hash, facts.parent) == (1, block.hash, node.genesis_hash)
    assert facts.state_root == node.chain.state.root()
    last = facts.extrinsics[-1]
    assert (last.hash, last.size, last.version, last.signed) == (blake2_256(transfer), len(transfer), 4, True)
    assert not facts.extrinsics[0].signed
    assert ("pre-runtime", b"aura") in [(kind, engine) for kind, engine, _ in facts.digest]
    assert facts.event_count == len(signer.events())
    assert facts.size > len(transfer)
    without = inspect_block(block, None)
    assert (without.events, without.event_count) == (None, None)


def test_a_state_is_told_in_the_runtime_s_words(node: Node) -> None:
    names = names_in(Reader(node.call("Metadata_metadata")).vector())
    state = node.chain.state
    facts = inspect_state(state, names, largest=3)
    assert facts.root == state.root()
    items = {fact.name: fact for fact in facts.items}
    assert items["System.Account"].keys >= 2
    assert facts.largest[0][0] == CODE_KEY
    assert len(facts.largest) == 3
    assert not [fact.name for fact in facts.pallets if fact.name.startswith("0x")]
    for counted in (facts.items, facts.pallets):
        assert sum(fact.keys for fact in counted) == facts.keys == len(list(state.keys()))
        assert sum(fact.value_bytes for fact in counted) == facts.value_bytes
        sizes = [fact.key_bytes + fact.value_bytes for fact in counted]
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (b":code", ":code"),
        (b":child_storage:default:\0\1", ":child_storage:default:"),
        (twox_128(b"System"), "System"),
        (twox_128(b"System") + twox_128(b"Number"), "System.Number"),
        (twox_128(b"System") + twox_128(b"Unknown") + b"rest", "System." + twox_128(b"Unknown").hex()),
        (b"\1" * 40, "0x" + "01" * 16),
    ],
)
def test_names_of_keys(key: bytes, name: str) -> None:
    assert name_of(key, {twox_128(word): word.decode() for word in (b"System", b"Number")}) == name


def test_names_are_read_by_their_length() -> None:
    # "Balances" is followed by a letter that belongs to something else.
    names = names_in(b"\x20Balances" + b"A" + b"\x18System\0\xff\x00")
    assert set(names.values()) == {"Balances", "System"}


def test_child_tries_are_counted() -> None:
    state = State().apply(Changes({b"k": b"v"}, {b"c": {b"a": b"12345", b"b": b""}}), 1)
    assert inspect_state(state, {}).children == ((b"c", 2, 5),)


def test_a_trie_is_counted_by_its_nodes() -> None:
    # a branch with a value of 40 bytes (by hash), below it a leaf by hash and a leaf inside it
    entries = {b"\x13": b"h" * 40, b"\x13\x14": b"x" * 32, b"\x13\x25": b"y"}
    trie = Trie().update(entries.items(), 1)
    facts = inspect_trie(trie)
    assert facts.root == trie.root()
    assert facts.kinds == {"branch with value": 1, "leaf": 1, "inside its parent": 1}
    inside = bytes.fromhex("41050479")
    root_size = 1 + 1 + 2 + 32 + 33 + 1 + len(inside)
    assert facts.bytes_by_kind == {"branch with value": root_size, "leaf": 1 + 1 + 1 + 32}
    assert (facts.hashed_values, facts.hashed_value_bytes) == (1, 40)
    assert facts.depths == {0: 1, 1: 2}
    assert (facts.nodes, facts.children_of_branches) == (3, 2.0)
    assert facts.bytes == root_size + 35 + 40
    assert inspect_trie(Trie()).nodes == 0


def test_a_file_explains_its_size(make_node: NodeFactory, tmp_path: Path) -> None:
    node = make_node(base_path=tmp_path, keep_states=3)
    for _ in range(6):
        node.produce_block()
    node.close()
    path = database_path(tmp_path, node.spec.id)
    database = Database(path, None)
    facts = inspect_file(database)
    trie = inspect_trie(database.state(6).trie())
    database.close()
    assert facts.bytes == path.stat().st_size
    assert (facts.blocks, facts.oldest_state) == (7, 4)
    tables = {name: (rows, size) for name, rows, size in facts.tables}
    assert tables["block"][0] == 7
    assert tables["dead"][0] == 2
    assert tables["node"][1] > trie.bytes
    assert sum(size for _, _, size in facts.tables) < facts.bytes
