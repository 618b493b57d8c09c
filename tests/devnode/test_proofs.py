"""Read proofs and compact proofs: what they prove, and that nothing less proves it.

`data/compact_proofs.json` was made with polkadot-sdk's own library sp-trie 47.0.0, which also gave the verdicts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.devnode.compact_proof import verify_compact_proof
from llmnet.devnode.errors import CodecError, InvalidProof
from llmnet.devnode.hashing import blake2_256, keccak_256
from llmnet.devnode.proofs import prove, read_proven
from llmnet.devnode.scale import compact, vec
from llmnet.devnode.state import DEFAULT_CHILD_PREFIX, Changes, State
from llmnet.devnode.trie import EMPTY_ROOT, Trie
from llmnet.devnode.trie_node import Node, decode_node, encode_node

from .support import HostScript, Ptr

KEY = st.binary(max_size=4)
ENTRIES = st.dictionaries(KEY, st.binary(max_size=40), max_size=30)
VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "compact_proofs.json").read_text()
)


class _Nowhere:
    def fill(self, node: Node) -> None:
        raise AssertionError(f"{node.reference!r} was followed")

    def value(self, holder: object) -> bytes:
        raise AssertionError(f"{holder!r} was loaded")


@given(ENTRIES, st.lists(KEY, max_size=5), st.sampled_from([0, 1]))
def test_a_proof_gives_the_values_of_its_keys(
    entries: dict[bytes, bytes], keys: list[bytes], version: int
) -> None:
    trie = Trie().update(entries.items(), version)
    asked = [*keys, *list(entries)[:3]]
    proof = prove(trie, asked)
    assert read_proven(trie.root(), proof, asked) == {key: entries.get(key) for key in asked}


@given(ENTRIES.filter(bool), st.data(), st.sampled_from([0, 1]))
def test_every_part_of_a_proof_is_needed(entries: dict[bytes, bytes], data: Any, version: int) -> None:
    trie = Trie().update(entries.items(), version)
    key = data.draw(st.sampled_from(sorted(entries)) | KEY)
    proof = sorted(prove(trie, [key]))
    without = data.draw(st.sampled_from(proof))
    changed = without[:-1] + bytes((without[-1] ^ 1,))
    for faulty in ([item for item in proof if item != without], [*(set(proof) - {without}), changed]):
        with pytest.raises(InvalidProof):
            read_proven(trie.root(), faulty, [key])


def test_a_proof_says_nothing_about_other_keys_and_other_roots() -> None:
    trie = Trie().update([(bytes((n, n)), b"v" * 40) for n in range(60)], 1)
    proof = prove(trie, [b"\1\1"])
    assert read_proven(trie.root(), proof, [b"\1\1"]) == {b"\1\1": b"v" * 40}
    with pytest.raises(InvalidProof, match="lacks"):
        read_proven(trie.root(), proof, [b"\x31\x31"])
    with pytest.raises(InvalidProof):
        read_proven(blake2_256(b"another"), proof, [b"\1\1"])
    assert read_proven(EMPTY_ROOT, [], [b"k"]) == {b"k": None}


def test_a_node_with_something_behind_it_proves_nothing() -> None:
    node = bytes.fromhex("42aa04bb00")
    with pytest.raises(InvalidProof, match="too many"):
        read_proven(blake2_256(node), [node], [b"\xaa"])
    with pytest.raises(InvalidProof, match="cannot be read"):
        read_proven(blake2_256(b"\x0f"), [b"\x0f"], [b"\xaa"])


def test_a_child_proof_goes_from_the_state_root_to_the_child_s_key() -> None:
    top = {b"t%d" % n: b"x" * 50 for n in range(20)}
    child = {b"k%d" % n: b"v%d" % n for n in range(20)}
    state = State().apply(Changes(top, {b"c": child}), 1)
    proof = state.prove([b"k7", b"no"], b"c")
    assert proof == sorted(set(proof))
    name = DEFAULT_CHILD_PREFIX + b"c"
    root = read_proven(state.root(), proof, [name])[name]
    assert root == state.root(b"c")
    assert root is not None
    assert read_proven(root, proof, [b"k7", b"no"]) == {b"k7": b"v7", b"no": None}
    nothing = state.prove([b"k7"], b"none")
    assert read_proven(state.root(), nothing, [DEFAULT_CHILD_PREFIX + b"none"]) == {
        DEFAULT_CHILD_PREFIX + b"none": None
    }


# -- nodes


@given(ENTRIES.filter(bool), st.sampled_from([0, 1]))
def test_nodes_are_read_as_they_are_written(entries: dict[bytes, bytes], version: int) -> None:
    trie = Trie().update(entries.items(), version)
    for encoded in prove(trie, entries):
        try:
            node, end, _ = decode_node(encoded, _Nowhere())
        except CodecError:  # a value that is kept by hash, which may be anything
            assert encoded in entries.values()
            continue
        if end == len(encoded):
            assert encode_node(node) == encoded


@given(st.binary(max_size=80))
def test_reading_a_node_fails_in_one_way_only(data: bytes) -> None:
    try:
        node, end, _ = decode_node(data, _Nowhere())
    except CodecError:
        return
    assert 0 < end <= len(data)
    assert node.source is None


@pytest.mark.parametrize(
    "data",
    [
        "",  # nothing
        "00",  # the empty trie, which is no node
        "41",  # no partial key
        "4114",  # padding that is not zero
        "42aa08bb",  # a value that is cut off
        "22aa" + "00" * 31,  # a hash that is cut off
        "80",  # no bitmap
        "800100" + "84" + "00" * 33,  # a child reference of 33 bytes
        "7fff",  # a length without end
    ],
)
def test_malformed_nodes(data: str) -> None:
    with pytest.raises(CodecError):
        decode_node(bytes.fromhex(data), _Nowhere())


# -- compact proofs, as runtimes check them


def _case(case: dict[str, Any]) -> tuple[bytes, list[bytes], bytes, bytes]:
    unhex = bytes.fromhex
    return (
        unhex(case["root"]),
        [unhex(node) for node in case["proof"]],
        unhex(case["key"]),
        unhex(case["value"]),
    )


def test_verdicts_on_compact_proofs_are_those_of_the_sdk() -> None:
    found = [verify_compact_proof(*_case(case), case["version"], blake2_256) for case in VECTORS]
    assert found == [case["valid"] for case in VECTORS]
    assert {True, False} == set(found)


def test_the_hash_function_counts() -> None:
    (leaf, root) = (bytes.fromhex("42aa00"), keccak_256(bytes.fromhex("42aa04bb")))
    assert verify_compact_proof(root, [leaf], b"\xaa", b"\xbb", 0, keccak_256)
    assert not verify_compact_proof(root, [leaf], b"\xaa", b"\xbb", 0, blake2_256)


@settings(max_examples=50)
@given(st.data())
def test_random_bytes_are_no_proof(data: Any) -> None:
    case = data.draw(st.sampled_from([case for case in VECTORS if case["valid"]]))
    root, proof, key, value = _case(case)
    place = data.draw(st.integers(0, len(proof) - 1))
    node = data.draw(st.binary(max_size=40).filter(lambda node: node != proof[place]))
    longer = node.startswith(proof[place])  # what stands behind a node is not looked at, as in the SDK
    faulty = [*proof[:place], node, *proof[place + 1 :]]
    assert verify_compact_proof(root, faulty, key, value, case["version"], blake2_256) is longer


@pytest.mark.parametrize("hash_name", ["blake2_256", "keccak_256"])
def test_verify_proof_as_a_host_function(hash_name: str) -> None:
    hasher = {"blake2_256": blake2_256, "keccak_256": keccak_256}[hash_name]
    large = b"v" * 40
    roots = {
        0: hasher(bytes.fromhex("42aa") + compact(40) + large),
        1: hasher(bytes.fromhex("22aa") + hasher(large)),
    }
    leaf = bytes.fromhex("42aa00")

    def verify(version: int, *arguments: Any) -> bytes:
        name = f"ext_trie_{hash_name}_verify_proof_version_{version}"
        return HostScript().call(name, *arguments, result="i32").run()

    proof = compact(1) + vec(leaf)
    assert verify(1, Ptr(roots[0]), proof, b"\xaa", large) == b"\1\0\0\0"
    assert verify(1, Ptr(roots[1]), proof, b"\xaa", large) == bytes(4)
    for version in (0, 1):
        assert verify(2, Ptr(roots[version]), proof, b"\xaa", large, version) == b"\1\0\0\0"
        assert verify(2, Ptr(roots[version]), proof, b"\xaa", large, 1 - version) == bytes(4)
        assert verify(2, Ptr(roots[version]), b"\0", b"\xaa", large, version) == bytes(4)
