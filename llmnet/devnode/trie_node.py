"""Nodes of the Merkle-Patricia trie: in memory, and as the bytes that are hashed.

Format: Polkadot protocol specification, "Merkle proof / node value"; state versions 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from llmnet.devnode.errors import CodecError
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.scale import compact, read_compact

Hasher = Callable[[bytes], bytes]
HASH_BYTES = 32
# State version 1 stores the hash of a value instead of the value from this size on.
HASHED_VALUE_BYTES = 33

# References carry their compact length: a hash, or a node's whole encoding below 32 bytes.
_HASH_TAG = bytes((HASH_BYTES << 2,))
_FROM_HEX = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_TO_HEX = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")
_BITS = tuple(1 << index for index in range(16))


class NodeSource(Protocol):
    """Where stored nodes come from when they are first needed."""

    def fill(self, node: Node) -> None:
        """Calls `node.keep` with the contents of a node that is known by `id` and `reference` only."""
        ...

    def value(self, holder: HashedValue) -> bytes:
        """The bytes of a value that is known by `id` and `hash` only."""
        ...


class HashedValue:
    """A value whose hash stands in the node: its bytes are loaded when they are asked for.

    `id` is its number in the store, 0 if it is not stored.
    """

    __slots__ = ("_data", "_hash", "_source", "id")

    def __init__(
        self,
        data: bytes | None,
        value_hash: bytes | None = None,
        number: int = 0,
        source: NodeSource | None = None,
    ) -> None:
        self._data = data
        self._hash = value_hash
        self._source = source
        self.id = number

    def data(self) -> bytes:
        """The value."""
        if self._data is None:
            assert self._source is not None
            self._data = self._source.value(self)
        return self._data

    def hash(self, hasher: Hasher = blake2_256) -> bytes:
        """The value's hash, computed once."""
        if self._hash is None:
            self._hash = hasher(self.data())
        return self._hash

    def equals(self, value: bytes) -> bool:
        """Whether this is the value; a value that is not loaded is compared by its hash."""
        if self._data is not None:
            return self._data == value
        return self._hash == blake2_256(value)


Value = bytes | HashedValue | None


class Node:
    """A trie node: one nibble per byte of `partial`; leaves have no `children`.

    `reference` is what stands for it in its parent, None until it is computed. `id` is its number in the
    store, 0 if it is not stored. A node with a `source` is a promise: it has no contents until `open`.
    `owner` is the batch that made the node and may still change it; afterwards a node never changes.
    `encoding` is kept from when a node that is referred to by hash gets its reference until it is stored.
    """

    __slots__ = ("children", "encoding", "id", "owner", "partial", "reference", "source", "value")

    def __init__(
        self, partial: bytes, value: Value, children: list[Node | None] | None, owner: object = None
    ) -> None:
        self.partial = partial
        self.value = value
        self.children = children
        self.owner = owner
        self.reference: bytes | None = None
        self.encoding: bytes | None = None
        self.id = 0
        self.source: NodeSource | None = None

    @classmethod
    def promise(cls, reference: bytes, number: int, source: NodeSource) -> Node:
        """A stored node whose contents are not loaded."""
        node = cls(b"", None, None)
        node.reference, node.id, node.source = reference, number, source
        return node

    def open(self) -> Node:
        """This node with its contents."""
        source = self.source
        if source is not None:
            source.fill(self)
        return self

    def keep(self, contents: Node) -> None:
        """Fulfils a promise. Other threads may do so at the same time: the mark goes last."""
        self.partial, self.value, self.children = contents.partial, contents.value, contents.children
        self.source = None

    def hash(self, hasher: Hasher = blake2_256) -> bytes:
        """The hash of the encoding, also of a node so small that its parent would hold all of it."""
        reference = self.reference
        assert reference is not None
        return reference[1:] if is_hash(reference) else hasher(reference[1:])


def is_hash(reference: bytes) -> bool:
    """Whether a reference is a hash and not a whole small node."""
    return reference.startswith(_HASH_TAG)


def hash_reference(node_hash: bytes) -> bytes:
    """The reference to a node by its hash."""
    return _HASH_TAG + node_hash


def nibbles(key: bytes) -> bytes:
    """The key's half bytes, one per byte, high half first."""
    return key.hex().encode().translate(_FROM_HEX)


def key_of(path: bytes) -> bytes:
    """The key of an even number of nibbles."""
    return bytes.fromhex(path.translate(_TO_HEX).decode())


def _pack(partial: bytes) -> bytes:
    text = partial.translate(_TO_HEX).decode()
    return bytes.fromhex("0" + text if len(text) & 1 else text)


@lru_cache(maxsize=1024)
def _header(prefix: int, bits: int, length: int) -> bytes:
    most = (1 << bits) - 1
    if length < most:
        return bytes((prefix | length,))
    full, rest = divmod(length - most, 255)
    return bytes((prefix | most,)) + b"\xff" * full + bytes((rest,))


def encode_node(node: Node, hasher: Hasher = blake2_256) -> bytes:
    """The node's encoding; the references of all its children must be known."""
    value, children, length = node.value, node.children, len(node.partial)
    if value is None:
        head, tail = _header(0x80, 6, length), b""
    elif isinstance(value, bytes):
        head = _header(0x40 if children is None else 0xC0, 6, length)
        tail = compact(len(value)) + value
    else:
        head = _header(0x20, 5, length) if children is None else _header(0x10, 4, length)
        tail = value.hash(hasher)
    if length:
        head += _pack(node.partial)
    if children is None:
        return head + tail
    parts = [head, b"", tail]
    bitmap = 0
    for bit, child in zip(_BITS, children, strict=True):
        if child is not None:
            bitmap |= bit
            parts.append(child.reference)  # type: ignore[arg-type]  # known, as the docstring demands
    parts[1] = bitmap.to_bytes(2, "little")
    return b"".join(parts)


def make_references(root: Node, hasher: Hasher = blake2_256) -> None:
    """Computes the missing references bottom-up, without recursion (keys may nest deeply)."""
    order = []
    stack = [root] if root.reference is None else []
    while stack:
        node = stack.pop()
        order.append(node)
        if node.children is not None:
            stack += [child for child in node.children if child is not None and child.reference is None]
    for node in reversed(order):
        encoded = encode_node(node, hasher)
        size = len(encoded)
        if size >= HASH_BYTES:
            node.encoding = encoded
            node.reference = _HASH_TAG + hasher(encoded)
        else:
            node.reference = bytes((size << 2,)) + encoded


_KINDS = (  # (least header byte, bits of the length, has a value, the value is hashed, has children)
    (0xC0, 6, True, False, True),
    (0x80, 6, False, False, True),
    (0x40, 6, True, False, False),
    (0x20, 5, True, True, False),
    (0x10, 4, True, True, True),
)


def _read_head(data: bytes) -> tuple[tuple[int, int, bool, bool, bool], int, int]:
    """The kind of node, the length of its partial key in nibbles, and where the header ends."""
    if not data:
        raise CodecError("a trie node is empty")
    kind = next((kind for kind in _KINDS if data[0] >= kind[0]), None)
    if kind is None:
        raise CodecError(f"a trie node cannot begin with byte 0x{data[0]:02x}")
    most = (1 << kind[1]) - 1
    length, at = data[0] & most, 1
    if length == most:
        while True:
            if at >= len(data):
                raise CodecError("the length of a partial key is cut off")
            length += data[at]
            at += 1
            if data[at - 1] != 0xFF:
                break
    return kind, length, at


def _read_partial(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    end = at + (length + 1) // 2
    if end > len(data):
        raise CodecError("a partial key is cut off")
    path = nibbles(data[at:end])
    if length & 1:
        if path[0]:
            raise CodecError("the padding of a partial key is not zero")
        path = path[1:]
    return path, end


def _take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise CodecError("a trie node is cut off")
    return data[at : at + size], at + size


def decode_node(data: bytes, source: NodeSource) -> tuple[Node, int, list[Node | HashedValue]]:
    """Reads the node whose encoding begins `data`; it has neither reference nor id.

    Returns it, where the encoding ends, and what is known only by hash: children in order, the value last.
    Children that lie in their parent are read when they are opened. Raises CodecError for what is no node.
    """
    (_, _, valued, hashed, branch), length, at = _read_head(data)
    partial, at = _read_partial(data, at, length)
    promised: list[Node | HashedValue] = []
    value: Value = None
    bitmap = 0
    if branch:
        raw, at = _take(data, at, 2)
        bitmap = int.from_bytes(raw, "little")
    if hashed:
        raw, at = _take(data, at, HASH_BYTES)
        value = HashedValue(None, raw, 0, source)
    elif valued:
        size, at = read_compact(data, at)
        value, at = _take(data, at, size)
    children: list[Node | None] | None = [None] * 16 if branch else None
    if children is not None:
        for index, bit in enumerate(_BITS):
            if bitmap & bit:
                child, at = _read_child(data, at, source)
                children[index] = child
                if child.source is source:
                    promised.append(child)
    if isinstance(value, HashedValue):
        promised.append(value)
    return Node(partial, value, children), at, promised


def _read_child(data: bytes, at: int, source: NodeSource) -> tuple[Node, int]:
    size, start = read_compact(data, at)
    if size > HASH_BYTES:
        raise CodecError(f"a trie node refers to a child by {size} bytes")
    _, end = _take(data, start, size)
    return Node.promise(data[at:end], 0, source if size == HASH_BYTES else _INSIDE), end


class _Inside:
    """The source of nodes that lie whole in their parents; they are too small to refer to others by hash."""

    def fill(self, node: Node) -> None:
        """Reads a node from its reference."""
        assert node.reference is not None
        node.keep(decode_node(node.reference[1:], self)[0])

    def value(self, holder: HashedValue) -> bytes:
        """Never asked for."""
        raise CodecError(f"a node inside another one refers to the value 0x{holder.hash().hex()}")


_INSIDE = _Inside()
