"""Compact trie proofs: nodes from the root down, without the value and the hashes that the verifier can compute.

This is the form that runtimes check with `ext_trie_*_verify_proof`; what is left out stands as nothing: an
omitted value as an empty one (in a branch as none), an omitted child hash as an inline child of no bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmnet.devnode.errors import CodecError, InvalidProof
from llmnet.devnode.trie_node import (
    HASH_BYTES,
    HASHED_VALUE_BYTES,
    HashedValue,
    Hasher,
    Node,
    decode_node,
    encode_node,
    hash_reference,
    is_hash,
    nibbles,
)

_OMITTED = b"\0"


class _NoSource:
    """Nothing can be loaded: what a compact proof does not show is not needed."""

    def fill(self, node: Node) -> None:
        raise InvalidProof(f"the node {node.reference!r} is only referred to")

    def value(self, holder: HashedValue) -> bytes:
        raise InvalidProof(f"the value with hash 0x{holder.hash().hex()} is only referred to")


def verify_compact_proof(
    root: bytes, proof: Sequence[bytes], key: bytes, value: bytes, version: int, hasher: Hasher
) -> bool:
    """Whether `proof` shows that the trie with this root, written by state version `version`, has the entry.

    As in polkadot-sdk a proof with a node, value or hash too many is no proof.
    """
    nodes = iter(proof)
    try:
        way = _descend(nodes, nibbles(key), HashedValue(value) if _by_hash(value, version) else value)
    except (CodecError, InvalidProof):
        return False
    return next(nodes, None) is None and _hash_up(way, hasher) == root


def _by_hash(value: bytes, version: int) -> bool:
    return version >= 1 and len(value) >= HASHED_VALUE_BYTES


def _read(data: bytes | None) -> Node:
    if data is None:
        raise InvalidProof("the proof ends too early")
    return decode_node(data, _NoSource())[0]


def _descend(nodes: Iterator[bytes], path: bytes, value: bytes | HashedValue) -> list[tuple[Node, int, bool]]:
    """The nodes on the way to the key, each with the index of the next one and whether it lay in its parent.

    The last one has got the value.
    """
    way: list[tuple[Node, int, bool]] = []
    at, inline, node = 0, False, _read(next(nodes, None))
    while True:
        if not path.startswith(node.partial, at):
            raise InvalidProof("the key is not in the trie")
        at += len(node.partial)
        if at == len(path):
            if node.value != (None if node.children is not None else b""):
                raise InvalidProof("the value must be left out")
            node.value = value
            return [*way, (node, 0, inline)]
        child = None if node.children is None else node.children[path[at]]
        if child is None:
            raise InvalidProof("the key is not in the trie")
        way.append((node, path[at], inline))
        at += 1
        if child.reference is not None and is_hash(child.reference):
            raise InvalidProof("the hash of a node that follows must be left out")
        inline = child.reference != _OMITTED
        node = child.open() if inline else _read(next(nodes, None))


def _hash_up(way: list[tuple[Node, int, bool]], hasher: Hasher) -> bytes | None:
    """The root that follows from the last node, None if a node cannot lie in its parent."""
    reference = b""
    for node, index, inline in reversed(way):
        if reference:
            assert node.children is not None
            child = Node(b"", None, None)
            child.reference = reference
            node.children[index] = child
        encoded = encode_node(node, hasher)
        if inline and len(encoded) > HASH_BYTES:
            return None
        reference = bytes((len(encoded) << 2,)) + encoded if inline else hash_reference(hasher(encoded))
    return reference[1:]
