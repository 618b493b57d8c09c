"""The Merkle-Patricia trie (radix 16, BLAKE2b-256) as a persistent map from keys to values.

A `Trie` never changes: `insert`, `remove` and `update` return another trie that shares all untouched nodes,
so the states of many blocks cost only their differences. Each node remembers its encoding's hash, so a root
after a few changes costs a few hashes. Node format: Polkadot protocol specification, section "Merkle proof /
node value".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.scale import compact

EMPTY_ROOT = blake2_256(b"\0")
# State version 1 stores the hash of a value instead of the value from this size on.
HASHED_VALUE_BYTES = 33

_Hasher = Callable[[bytes], bytes]
_FROM_HEX = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_TO_HEX = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")
_NO_CHILDREN: tuple[Node | None, ...] = (None,) * 16


class Entry:
    """A key's value and how its node carries it."""

    __slots__ = ("hashed", "key", "value")

    def __init__(self, key: bytes, value: bytes, hashed: bool) -> None:
        self.key = key
        self.value = value
        self.hashed = hashed


class Node:
    """A trie node, immutable but for its cached reference: one nibble per byte; leaves have no children."""

    __slots__ = ("children", "entry", "partial", "reference")

    def __init__(self, partial: bytes, entry: Entry | None, children: tuple[Node | None, ...] | None) -> None:
        self.partial = partial
        self.entry = entry
        self.children = children
        self.reference: bytes | None = None

    def with_child(self, index: int, child: Node | None) -> Node:
        """A copy of this branch with another child."""
        children = self.children or _NO_CHILDREN
        return Node(self.partial, self.entry, (*children[:index], child, *children[index + 1 :]))


def nibbles(key: bytes) -> bytes:
    """The key's half bytes, one per byte, high half first."""
    return key.hex().encode().translate(_FROM_HEX)


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


def encode_node(node: Node, hasher: _Hasher = blake2_256) -> bytes:
    """The node's encoding; the references of all its children must be known."""
    entry, children, length = node.entry, node.children, len(node.partial)
    if entry is None:
        head, value = _header(0x80, 6, length), b""
    elif entry.hashed:
        head = _header(0x20, 5, length) if children is None else _header(0x10, 4, length)
        value = hasher(entry.value)
    else:
        head = _header(0x40 if children is None else 0xC0, 6, length)
        value = compact(len(entry.value)) + entry.value
    if children is None:
        return head + _pack(node.partial) + value
    parts = [head, _pack(node.partial), b"", value]
    bitmap = 0
    for index, child in enumerate(children):
        if child is not None:
            bitmap |= 1 << index
            reference = child.reference
            assert reference is not None
            parts.append(bytes((len(reference) << 2,)) + reference)
    parts[2] = bitmap.to_bytes(2, "little")
    return b"".join(parts)


def _fill_references(root: Node, hasher: _Hasher) -> None:
    """Computes the missing references bottom-up, without recursion (keys may nest deeply)."""
    order = []
    stack = [root]
    while stack:
        node = stack.pop()
        order.append(node)
        if node.children is not None:
            stack.extend(child for child in node.children if child is not None and child.reference is None)
    for node in reversed(order):
        encoded = encode_node(node, hasher)
        node.reference = encoded if len(encoded) < 32 else hasher(encoded)


def _common(a: bytes, b: bytes, b_at: int) -> int:
    most = min(len(a), len(b) - b_at)
    if a[:most] == b[b_at : b_at + most]:
        return most
    length = 0
    while a[length] == b[b_at + length]:
        length += 1
    return length


def _put(root: Node | None, entry: Entry) -> Node:
    path: list[tuple[Node, int]] = []
    rest, at, node = nibbles(entry.key), 0, root
    while node is not None:
        shared = _common(node.partial, rest, at)
        at += shared
        if shared < len(node.partial):
            new = _split(node, shared, rest[at:], entry)
            break
        if at == len(rest):
            new = Node(node.partial, entry, node.children)
            break
        path.append((node, rest[at]))
        node = node.children[rest[at]] if node.children is not None else None
        at += 1
    else:
        new = Node(rest[at:], entry, None)
    for parent, index in reversed(path):
        new = parent.with_child(index, new)
    return new


def _split(node: Node, shared: int, rest: bytes, entry: Entry) -> Node:
    """Puts `entry` beside `node`, whose partial key it leaves after `shared` nibbles."""
    lower = Node(node.partial[shared + 1 :], node.entry, node.children)
    branch = Node(node.partial[:shared], None if rest else entry, _NO_CHILDREN).with_child(
        node.partial[shared], lower
    )
    return branch.with_child(rest[0], Node(rest[1:], entry, None)) if rest else branch


def _drop(root: Node | None, key: bytes) -> Node | None:
    path: list[tuple[Node, int]] = []
    rest, at, node = nibbles(key), 0, root
    while node is not None:
        if not rest.startswith(node.partial, at):
            return root
        at += len(node.partial)
        if at == len(rest):
            break
        path.append((node, rest[at]))
        node = node.children[rest[at]] if node.children is not None else None
        at += 1
    if node is None or node.entry is None:
        return root
    new = _without_waste(Node(node.partial, None, node.children))
    for parent, index in reversed(path):
        changed = parent.with_child(index, new)
        new = _without_waste(changed) if new is None else changed
    return new


def _without_waste(node: Node) -> Node | None:
    """The form that the trie must have: no empty branch, no valueless branch with a single child."""
    children = node.children
    left = [] if children is None else [index for index, child in enumerate(children) if child is not None]
    if not left:
        return None if node.entry is None else Node(node.partial, node.entry, None)
    if node.entry is not None or len(left) > 1:
        return node
    assert children is not None
    child = children[left[0]]
    assert child is not None
    return Node(node.partial + bytes((left[0],)) + child.partial, child.entry, child.children)


class Trie:
    """An immutable ordered map of bytes to bytes with a Merkle root."""

    __slots__ = ("_root",)

    def __init__(self, root: Node | None = None) -> None:
        self._root = root

    def __bool__(self) -> bool:
        return self._root is not None

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, None if there is none."""
        rest, at, node = nibbles(key), 0, self._root
        while node is not None:
            if not rest.startswith(node.partial, at):
                return None
            at += len(node.partial)
            if at == len(rest):
                return None if node.entry is None else node.entry.value
            if node.children is None:
                return None
            node = node.children[rest[at]]
            at += 1
        return None

    def insert(self, key: bytes, value: bytes, version: int) -> Trie:
        """This trie with `value` at `key`, its node written by state version 0 or 1."""
        return Trie(_put(self._root, Entry(key, value, version >= 1 and len(value) >= HASHED_VALUE_BYTES)))

    def remove(self, key: bytes) -> Trie:
        """This trie without `key`; the same object if it has no such key."""
        root = _drop(self._root, key)
        return self if root is self._root else Trie(root)

    def update(self, changes: Iterable[tuple[bytes, bytes | None]], version: int) -> Trie:
        """This trie with all changes applied; None removes. Values that are equal keep their node."""
        trie = self
        for key, value in changes:
            if value is None:
                trie = trie.remove(key)
            elif trie.get(key) != value:
                trie = trie.insert(key, value, version)
        return trie

    def root(self, hasher: _Hasher = blake2_256) -> bytes:
        """The Merkle root. Use one hasher for one trie: references are remembered in the nodes."""
        if self._root is None:
            return hasher(b"\0")
        _fill_references(self._root, hasher)
        return hasher(encode_node(self._root, hasher))

    def items(self, prefix: bytes = b"", after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Entries in key order whose key starts with `prefix` and is greater than `after`."""
        start = nibbles(prefix)
        if after is not None and not after.startswith(prefix) and after > prefix:
            return
        bound = nibbles(after) if after is not None and after.startswith(prefix) else None
        # (node, nibbles above it); a node is entered only if something below it can match.
        stack: list[tuple[Node, bytes]] = [] if self._root is None else [(self._root, b"")]
        while stack:
            node, above = stack.pop()
            path = above + node.partial
            if not (path.startswith(start) or start.startswith(path)):
                continue
            if bound is not None and path < bound and not bound.startswith(path):
                continue
            if node.children is not None:
                least = (
                    bound[len(path)]
                    if bound is not None and len(path) < len(bound) and bound.startswith(path)
                    else 0
                )
                for index in range(15, least - 1, -1):
                    child = node.children[index]
                    if child is not None:
                        stack.append((child, path + bytes((index,))))
            entry = node.entry
            if entry is not None and path.startswith(start) and (bound is None or path > bound):
                yield entry.key, entry.value

    def keys(self, prefix: bytes = b"", after: bytes | None = None) -> Iterator[bytes]:
        """Keys in order, as `items`."""
        for key, _ in self.items(prefix, after):
            yield key

    def next_key(self, key: bytes) -> bytes | None:
        """The least key greater than `key`."""
        return next(self.keys(after=key), None)


def trie_root(pairs: Iterable[tuple[bytes, bytes]], version: int, hasher: _Hasher = blake2_256) -> bytes:
    """The root of a trie of these entries; the last of equal keys counts."""
    return Trie().update(pairs, version).root(hasher)


def ordered_root(values: Iterable[bytes], version: int, hasher: _Hasher = blake2_256) -> bytes:
    """The root of a trie that maps the compact index of each value to it (extrinsics root)."""
    return trie_root(((compact(index), value) for index, value in enumerate(values)), version, hasher)
