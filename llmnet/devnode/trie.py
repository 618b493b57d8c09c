"""The Merkle-Patricia trie (radix 16, BLAKE2b-256) as a persistent map from keys to values.

A `Trie` never changes: `insert`, `remove` and `update` return another trie that shares all untouched nodes,
so the states of many blocks cost only their differences. Each node remembers its reference, so a root after a
few changes costs a few hashes. Nodes that lie in a store are loaded when a walk comes to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.scale import compact
from llmnet.devnode.trie_node import (
    HASHED_VALUE_BYTES,
    HashedValue,
    Hasher,
    Node,
    Value,
    key_of,
    make_references,
    nibbles,
)

EMPTY_ROOT = blake2_256(b"\0")


def _common(a: bytes, b: bytes, b_at: int) -> int:
    most = min(len(a), len(b) - b_at)
    if a[:most] == b[b_at : b_at + most]:
        return most
    length = 0
    while a[length] == b[b_at + length]:
        length += 1
    return length


def _find(root: Node | None, path: bytes) -> Node | None:
    """The node at a path, whether or not it has a value."""
    at, node = 0, root
    while node is not None:
        if node.source is not None:
            node.open()
        if not path.startswith(node.partial, at):
            return None
        at += len(node.partial)
        if at == len(path):
            return node
        if node.children is None:
            return None
        node = node.children[path[at]]
        at += 1
    return None


class _Batch:
    """Changes to one trie: the nodes that it makes are its own until it ends and are changed in place."""

    def __init__(self, root: Node | None) -> None:
        self.root = root
        self._mark = object()  # not the batch itself, which would keep its trie alive through the nodes

    def _own(self, node: Node) -> Node:
        if node.owner is self._mark:
            return node
        children = node.children
        return Node(node.partial, node.value, None if children is None else children.copy(), self._mark)

    def _hang(self, parent: Node | None, index: int, node: Node | None) -> None:
        if parent is None:
            self.root = node
        else:
            assert parent.children is not None
            parent.children[index] = node

    def put(self, rest: bytes, value: Value) -> None:
        """Sets the value at a path."""
        parent, index, at, node = None, 0, 0, self.root
        while node is not None:
            if node.source is not None:
                node.open()
            partial = node.partial
            if not rest.startswith(partial, at):
                self._hang(parent, index, self._split(node, _common(partial, rest, at), rest[at:], value))
                return
            at += len(partial)
            if node.owner is not self._mark:
                node = self._own(node)
                self._hang(parent, index, node)
            if at == len(rest):
                node.value = value
                return
            if node.children is None:
                node.children = [None] * 16
            parent, index = node, rest[at]
            node = node.children[index]
            at += 1
        self._hang(parent, index, Node(rest[at:], value, None, self._mark))

    def _split(self, node: Node, shared: int, rest: bytes, value: Value) -> Node:
        """Puts a value beside or above `node`, whose partial key it leaves after `shared` nibbles."""
        children: list[Node | None] = [None] * 16
        below = node.children
        children[node.partial[shared]] = Node(
            node.partial[shared + 1 :], node.value, None if below is None else below.copy(), self._mark
        )
        if shared == len(rest):
            return Node(node.partial[:shared], value, children, self._mark)
        children[rest[shared]] = Node(rest[shared + 1 :], value, None, self._mark)
        return Node(node.partial[:shared], None, children, self._mark)

    def drop(self, rest: bytes) -> None:
        """Removes the value at a path, which must be there."""
        path: list[tuple[Node, int]] = []
        at, node = 0, self.root
        while True:
            assert node is not None
            node = self._own(node.open())
            parent, index = path[-1] if path else (None, 0)
            self._hang(parent, index, node)
            at += len(node.partial)
            if at == len(rest):
                break
            assert node.children is not None
            path.append((node, rest[at]))
            node = node.children[rest[at]]
            at += 1
        node.value = None
        left = self._without_waste(node)
        while path:
            above, index = path.pop()
            self._hang(above, index, left)
            if left is not None:
                return
            left = self._without_waste(above)
        self.root = left

    def _without_waste(self, node: Node) -> Node | None:
        """The form that the trie must have: no empty branch, no valueless branch with a single child."""
        children = node.children
        left = [] if children is None else [index for index in range(16) if children[index] is not None]
        if not left:
            node.children = None
            return node if node.value is not None else None
        if node.value is not None or len(left) > 1:
            return node
        assert children is not None
        child = children[left[0]]
        assert child is not None
        child = self._own(child.open())
        child.partial = node.partial + bytes((left[0],)) + child.partial
        return child


def _stored(value: bytes, version: int) -> Value:
    return HashedValue(value) if version >= 1 and len(value) >= HASHED_VALUE_BYTES else value


def _is_stored_so(old: Value, value: bytes, version: int) -> bool:
    if isinstance(old, HashedValue):
        return version >= 1 and len(value) >= HASHED_VALUE_BYTES and old.equals(value)
    return old == value and not (version >= 1 and len(value) >= HASHED_VALUE_BYTES)


class Trie:
    """An immutable ordered map of bytes to bytes with a Merkle root."""

    __slots__ = ("node",)

    def __init__(self, node: Node | None = None) -> None:
        self.node = node

    def __bool__(self) -> bool:
        return self.node is not None

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, None if there is none."""
        node = _find(self.node, nibbles(key))
        if node is None:
            return None
        value = node.value
        return value.data() if isinstance(value, HashedValue) else value

    def insert(self, key: bytes, value: bytes, version: int) -> Trie:
        """This trie with `value` at `key`, its node written by state version 0 or 1."""
        return self.update(((key, value),), version)

    def remove(self, key: bytes) -> Trie:
        """This trie without `key`; the same object if it has no such key."""
        return self.update(((key, None),), 0)

    def update(self, changes: Iterable[tuple[bytes, bytes | None]], version: int) -> Trie:
        """This trie with all changes applied in order; None removes.

        A value that is there already, in the form that this version gives it, keeps its node.
        """
        batch = _Batch(self.node)
        for key, value in changes:
            path = nibbles(key)
            found = _find(batch.root, path)
            if value is None:
                if found is not None and found.value is not None:
                    batch.drop(path)
            elif found is None or not _is_stored_so(found.value, value, version):
                batch.put(path, _stored(value, version))
        return self if batch.root is self.node else Trie(batch.root)

    def root(self, hasher: Hasher = blake2_256) -> bytes:
        """The Merkle root. Use one hasher for one trie: references are remembered in the nodes."""
        if self.node is None:
            return hasher(b"\0")
        make_references(self.node, hasher)
        return self.node.hash(hasher)

    def items(self, prefix: bytes = b"", after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Entries in key order whose key starts with `prefix` and is greater than `after`."""
        for path, node in self._walk(prefix, after):
            value = node.value
            assert value is not None
            yield key_of(path), value.data() if isinstance(value, HashedValue) else value

    def keys(self, prefix: bytes = b"", after: bytes | None = None) -> Iterator[bytes]:
        """Keys in order, as `items`."""
        for path, _ in self._walk(prefix, after):
            yield key_of(path)

    def _walk(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, Node]]:
        """The nodes with a value, with their paths, as `items`."""
        start = nibbles(prefix)
        if after is not None and not after.startswith(prefix) and after > prefix:
            return
        bound = nibbles(after) if after is not None and after.startswith(prefix) else None
        # (node, nibbles above it); a node is entered only if something below it can match.
        stack: list[tuple[Node, bytes]] = [] if self.node is None else [(self.node, b"")]
        while stack:
            node, above = stack.pop()
            path = above + node.open().partial
            if not (path.startswith(start) or start.startswith(path)):
                continue
            if bound is not None and path < bound and not bound.startswith(path):
                continue
            if node.children is not None:
                stack += _below(node.children, path, start, bound)
            if node.value is not None and path.startswith(start) and (bound is None or path > bound):
                yield path, node

    def closest_merkle_value(self, prefix: bytes) -> bytes | None:
        """The hash of the node nearest to `prefix`, at it or below; the node itself if it is too small for one.

        None if no key starts with `prefix`. Of the root it is always the hash.
        """
        root = self.root()
        path, at, node = nibbles(prefix), 0, self.node
        while node is not None:
            partial = node.open().partial
            if len(path) - at <= len(partial):
                if not partial.startswith(path[at:]):
                    return None
                assert node.reference is not None
                return root if node is self.node else node.reference[1:]
            if not path.startswith(partial, at) or node.children is None:
                return None
            at += len(partial)
            node = node.children[path[at]]
            at += 1
        return None

    def next_key(self, key: bytes) -> bytes | None:
        """The least key greater than `key`."""
        return next(self.keys(after=key), None)


def _below(
    children: list[Node | None], path: bytes, start: bytes, bound: bytes | None
) -> Iterator[tuple[Node, bytes]]:
    """The children that can hold keys from `start` on and behind `bound`, the last one first."""
    least, most = 0, 15
    if len(start) > len(path):
        least = most = start[len(path)]
    if bound is not None and len(bound) > len(path) and bound.startswith(path):
        least = max(least, bound[len(path)])
    for index in range(most, least - 1, -1):
        child = children[index]
        if child is not None:
            yield child, path + bytes((index,))


def trie_root(pairs: Iterable[tuple[bytes, bytes]], version: int, hasher: Hasher = blake2_256) -> bytes:
    """The root of a trie of these entries; the last of equal keys counts."""
    return Trie().update(pairs, version).root(hasher)


def ordered_root(values: Iterable[bytes], version: int, hasher: Hasher = blake2_256) -> bytes:
    """The root of a trie that maps the compact index of each value to it (extrinsics root)."""
    return trie_root(((compact(index), value) for index, value in enumerate(values)), version, hasher)
