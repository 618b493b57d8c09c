from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.devnode.hashing import blake2_256, keccak_256, twox_64, twox_128, twox_256
from llmnet.devnode.scale import compact
from llmnet.devnode.state import DEFAULT_CHILD_PREFIX, Changes, State
from llmnet.devnode.trie import EMPTY_ROOT, Trie, ordered_root, trie_root

KEY = st.binary(max_size=4)
VALUE = st.binary(max_size=40)
CHANGES = st.lists(st.tuples(KEY, st.none() | VALUE), max_size=60)


def test_empty_root() -> None:
    assert EMPTY_ROOT.hex() == "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"
    assert Trie().root() == EMPTY_ROOT == trie_root([], 1)


def test_single_leaf_by_hand() -> None:
    # leaf (01) with 2 nibbles, key aa, value of one byte
    assert trie_root([(b"\xaa", b"\xbb")], 0) == blake2_256(bytes.fromhex("42aa04bb"))


def test_branch_of_two_leaves_by_hand() -> None:
    # branch (10) without partial key, children 1 and 4; each a leaf with one nibble, kept inline
    node = bytes.fromhex("80" + "1200" + "10" + "41030414" + "10" + "41080419")
    assert trie_root([(b"\x48", b"\x19"), (b"\x13", b"\x14")], 0) == blake2_256(node)


def test_branch_with_value_by_hand() -> None:
    # branch with value (11), partial key 1 3, child 1: leaf with one nibble
    node = bytes.fromhex("c2" + "13" + "0200" + "0414" + "10" + "41040419")
    assert trie_root([(b"\x13", b"\x14"), (b"\x13\x14", b"\x19")], 0) == blake2_256(node)


def test_long_partial_key_by_hand() -> None:
    key = b"\x11" * 40  # 80 nibbles = 63 + 17
    assert trie_root([(key, b"")], 0) == blake2_256(bytes.fromhex("7f11") + key + b"\0")


def test_large_value_is_hashed_in_version_1_only() -> None:
    small, large = b"v" * 32, b"v" * 33
    assert trie_root([(b"\xaa", large)], 1) == blake2_256(bytes.fromhex("22aa") + blake2_256(large))
    assert trie_root([(b"\xaa", large)], 0) == blake2_256(bytes.fromhex("42aa") + compact(33) + large)
    assert trie_root([(b"\xaa", small)], 1) == trie_root([(b"\xaa", small)], 0)


def test_hashed_value_in_a_branch_by_hand() -> None:
    large = b"v" * 33
    node = bytes.fromhex("12" + "13" + "0200") + blake2_256(large) + bytes.fromhex("10" + "41040419")
    assert trie_root([(b"\x13", large), (b"\x13\x14", b"\x19")], 1) == blake2_256(node)


def test_writing_the_same_value_again_takes_the_new_version_s_form() -> None:
    """This is how chains migrate their state from version 0 to 1."""
    entries = {b"\xaa": b"v" * 40, b"\xab": b"small"}
    trie = Trie().update(entries.items(), 0)
    assert trie.update([(b"\xaa", b"v" * 40)], 0) is trie
    assert trie.update([(b"\xab", b"small")], 1) is trie
    migrated = trie.update([(b"\xaa", b"v" * 40)], 1)
    assert migrated.root() == trie_root(entries.items(), 1) != trie.root()
    assert migrated.update(entries.items(), 1) is migrated


def test_roots_over_changing_versions_are_those_of_the_sdk() -> None:
    """`data/trie_roots.json`: tries of version 0 changed under both versions by polkadot-sdk's sp-trie 47.0.0."""
    cases = json.loads((Path(__file__).parent / "data" / "trie_roots.json").read_text())
    assert len(cases) == 40
    for case in cases:
        trie = Trie().update(((bytes.fromhex(key), bytes.fromhex(value)) for key, value in case["pairs"]), 0)
        for step in case["steps"]:
            changes = [
                (bytes.fromhex(k), None if v is None else bytes.fromhex(v)) for k, v in step["changes"]
            ]
            trie = trie.update(changes, step["v"])
            assert trie.root().hex() == step["root"]


def test_ordered_root_maps_compact_indices() -> None:
    values = [bytes([n]) * n for n in range(70)]
    assert ordered_root(values, 1) == trie_root([(compact(n), value) for n, value in enumerate(values)], 1)
    assert ordered_root(values, 0) != ordered_root(values[::-1], 0)


def test_keccak_root_hashes_with_keccak() -> None:
    assert trie_root([(b"\xaa", b"\xbb")], 0, keccak_256) == keccak_256(bytes.fromhex("42aa04bb"))


@given(CHANGES, st.sampled_from([0, 1]))
def test_root_depends_only_on_the_contents(changes: list[tuple[bytes, bytes | None]], version: int) -> None:
    """Whatever the order of insertions and removals, the root is that of a trie built at once from what is left."""
    trie, model = Trie(), dict[bytes, bytes]()
    for key, value in changes:
        trie = trie.update([(key, value)], version)
        trie.root()  # fills the caches that later changes must not reuse wrongly
        if value is None:
            model.pop(key, None)
        else:
            model[key] = value
    assert list(trie.items()) == sorted(model.items())
    assert trie.root() == trie_root(sorted(model.items(), reverse=True), version)
    assert bool(trie) == bool(model)


@given(st.dictionaries(KEY, VALUE, max_size=40), KEY, KEY | st.none())
def test_ordered_reading_equals_a_sorted_dictionary(
    model: dict[bytes, bytes], prefix: bytes, after: bytes | None
) -> None:
    trie = Trie().update(model.items(), 1)
    wanted = sorted(key for key in model if key.startswith(prefix) and (after is None or key > after))
    assert list(trie.keys(prefix, after)) == wanted
    assert trie.next_key(prefix) == min((key for key in model if key > prefix), default=None)
    assert trie.get(prefix) == model.get(prefix)


@given(st.dictionaries(KEY, VALUE, min_size=1), KEY, VALUE)
def test_an_older_trie_never_changes(model: dict[bytes, bytes], key: bytes, value: bytes) -> None:
    trie = Trie().update(model.items(), 1)
    root = trie.root()
    trie.insert(key, value, 1).root()
    trie.remove(next(iter(model))).root()
    assert trie.root() == root
    assert dict(trie.items()) == model


def test_removing_a_missing_key_is_the_same_trie() -> None:
    trie = Trie().update([(b"ab", b"1"), (b"ac", b"2")], 1)
    assert trie.remove(b"a") is trie
    assert trie.remove(b"abc") is trie
    assert trie.remove(b"zz") is trie


def test_deeply_nested_keys_do_not_overflow_the_stack() -> None:
    keys = [b"k" * size for size in range(1, 1200)]
    trie = Trie().update(((key, b"v") for key in keys), 1)
    root = trie.root()
    assert len(list(islice(trie.keys(), 5000))) == len(keys)
    assert trie.remove(keys[-1]).insert(keys[-1], b"v", 1).root() == root


@settings(max_examples=30)
@given(st.dictionaries(KEY, VALUE, max_size=5), st.dictionaries(KEY, VALUE, max_size=5))
def test_child_roots_stand_in_the_top_trie(top: dict[bytes, bytes], child: dict[bytes, bytes]) -> None:
    state = State().apply(Changes(top, {b"c": child}), 1)
    held = state.get(DEFAULT_CHILD_PREFIX + b"c")
    assert held == (trie_root(child.items(), 1) if child else None)
    emptied = state.apply(Changes({}, {b"c": dict.fromkeys(child)}), 1)
    assert emptied.root() == trie_root(top.items(), 1)
    assert emptied.child_keys() == []


@pytest.mark.parametrize(
    ("function", "wanted"),
    [(twox_64, "99e9d85137db46ef"), (twox_128, "99e9d85137db46ef4bbea33613baafd5"),
     (twox_256, "99e9d85137db46ef4bbea33613baafd56f963c64b1f3685a4eb4abd67ff6203a")],
)  # fmt: skip
def test_twox_of_nothing_known_values(function: object, wanted: str) -> None:
    assert function(b"").hex() == wanted  # type: ignore[operator]
