"""Read proofs: the nodes on the way to some keys, with which the state root vouches for their values.

`prove` collects what polkadot-sdk's nodes answer to `state_getReadProof`; `read_proven` is the other side, as
a light client does it: it needs the root and the proof and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from llmnet.devnode.errors import CodecError, InvalidProof
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.trie import EMPTY_ROOT, Trie
from llmnet.devnode.trie_node import (
    HashedValue,
    Node,
    decode_node,
    encode_node,
    hash_reference,
    is_hash,
    nibbles,
)


def prove(trie: Trie, keys: Iterable[bytes]) -> set[bytes]:
    """The encodings of all nodes on the ways to `keys`, and their values where those are kept by hash.

    A key that is not there is proven by the nodes at which its way ends.
    """
    trie.root()
    proof: set[bytes] = set()
    for key in keys:
        _prove_one(trie, nibbles(key), proof)
    return proof


def _prove_one(trie: Trie, path: bytes, proof: set[bytes]) -> None:
    at, node = 0, trie.node
    while node is not None:
        node.open()
        if node is trie.node or (node.reference is not None and is_hash(node.reference)):
            proof.add(encode_node(node))
        if not path.startswith(node.partial, at):
            return
        at += len(node.partial)
        if at == len(path):
            if isinstance(node.value, HashedValue):
                proof.add(node.value.data())
            return
        node = None if node.children is None else node.children[path[at]]
        at += 1


class _Proven:
    """The nodes of a proof, by their hash."""

    def __init__(self, proof: Iterable[bytes]) -> None:
        self._nodes = {blake2_256(item): item for item in proof}

    def _item(self, item_hash: bytes) -> bytes:
        found = self._nodes.get(item_hash)
        if found is None:
            raise InvalidProof(f"the proof lacks the node or value 0x{item_hash.hex()}")
        return found

    def fill(self, node: Node) -> None:
        """Reads a node of the proof."""
        item = self._item(node.hash())
        contents, end, _ = decode_node(item, self)
        if end != len(item):
            raise InvalidProof(f"{len(item) - end} bytes too many in a node of the proof")
        node.keep(contents)

    def value(self, holder: HashedValue) -> bytes:
        """A value of the proof."""
        return self._item(holder.hash())


def read_proven(root: bytes, proof: Iterable[bytes], keys: Iterable[bytes]) -> dict[bytes, bytes | None]:
    """The values of `keys` in the state with this root, None for keys that are proven not to be there.

    Raises InvalidProof if the proof does not decide one of them.
    """
    trie = Trie()
    if root != EMPTY_ROOT:
        trie = Trie(Node.promise(hash_reference(root), 0, _Proven(proof)))
    try:
        return {key: trie.get(key) for key in keys}
    except CodecError as error:
        raise InvalidProof(f"a node of the proof cannot be read: {error}") from None
