"""The state after a block: an immutable top trie with its child tries.

A `State` is what runtime calls read (`StateBackend`); an `Overlay` collects their writes and makes the next
state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from llmnet.devnode.proofs import prove
from llmnet.devnode.trie import Trie

CHILD_STORAGE_PREFIX = b":child_storage:"
DEFAULT_CHILD_PREFIX = b":child_storage:default:"
CODE_KEY = b":code"

KeyChanges = Mapping[bytes, bytes | None]


class StateBackend(Protocol):
    """What an overlay reads from: the seam behind which another store of states can stand.

    `child` selects a default child trie by its unprefixed key; None is the top trie.
    """

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The value of `key`."""
        ...

    def keys(
        self, prefix: bytes = b"", after: bytes | None = None, child: bytes | None = None
    ) -> Iterator[bytes]:
        """Keys in order that start with `prefix` and are greater than `after`."""
        ...

    def apply(self, changes: Changes, version: int) -> StateBackend:
        """The state after `changes`, its nodes written with state version `version`."""
        ...

    def root(self, child: bytes | None = None) -> bytes:
        """The Merkle root."""
        ...


@dataclass(frozen=True)
class Changes:
    """The difference of two states: values written, None for removed; by child trie likewise."""

    top: KeyChanges = field(default_factory=dict)
    children: Mapping[bytes, KeyChanges] = field(default_factory=dict)


class State:
    """An immutable state; `apply` makes the next one, which shares all untouched nodes.

    `find_child` gives the stored child trie of a name and a root; without it there are no others than
    `children`.
    """

    __slots__ = ("_children", "_find_child", "_top")

    def __init__(
        self,
        top: Trie | None = None,
        children: Mapping[bytes, Trie] | None = None,
        find_child: Callable[[bytes, bytes], Trie] | None = None,
    ) -> None:
        self._top = top if top is not None else Trie()
        self._children: dict[bytes, Trie] = dict(children or {})
        self._find_child = find_child

    def trie(self, child: bytes | None = None) -> Trie:
        """The top trie or a child trie, an empty one if there is no such child."""
        if child is None:
            return self._top
        found = self._children.get(child)
        if found is None and self._find_child is not None:
            root = self._top.get(DEFAULT_CHILD_PREFIX + child)
            if root is not None:
                found = self._children[child] = self._find_child(child, root)
        return _EMPTY if found is None else found

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The value of `key`, None if there is none."""
        return self.trie(child).get(key)

    def keys(
        self, prefix: bytes = b"", after: bytes | None = None, child: bytes | None = None
    ) -> Iterator[bytes]:
        """Keys in order that start with `prefix` and are greater than `after`."""
        return self.trie(child).keys(prefix, after)

    def items(
        self, prefix: bytes = b"", after: bytes | None = None, child: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """As `keys`, with the values."""
        return self.trie(child).items(prefix, after)

    def child_keys(self) -> list[bytes]:
        """The unprefixed keys of all child tries, sorted."""
        return [key[len(DEFAULT_CHILD_PREFIX) :] for key in self._top.keys(DEFAULT_CHILD_PREFIX)]

    def touched_children(self) -> list[bytes]:
        """The unprefixed keys of all child tries that are in memory, those that `apply` emptied among them."""
        return list(self._children)

    def root(self, child: bytes | None = None) -> bytes:
        """The Merkle root of the top trie (which holds the children's roots) or of one child trie."""
        return self.trie(child).root()

    def closest_merkle_value(self, prefix: bytes, child: bytes | None = None) -> bytes | None:
        """The Merkle value of the node nearest to `prefix`, as `Trie.closest_merkle_value`."""
        return self.trie(child).closest_merkle_value(prefix)

    def prove(self, keys: Iterable[bytes], child: bytes | None = None) -> list[bytes]:
        """The read proof of keys of the top trie, or of a child trie and of its root in the top trie, sorted."""
        if child is None:
            return sorted(prove(self._top, keys))
        below = prove(self.trie(child), wanted := list(keys))
        return sorted(below | prove(self._top, [DEFAULT_CHILD_PREFIX + child])) if wanted else []

    def apply(self, changes: Changes, version: int) -> State:
        """The state after `changes`, its nodes written with state version `version` (0 or 1)."""
        children = {name: trie for name, trie in self._children.items() if trie}
        roots: list[tuple[bytes, bytes | None]] = []
        for name, values in changes.children.items():
            trie = children[name] = self.trie(name).update(values.items(), version)
            roots.append((DEFAULT_CHILD_PREFIX + name, trie.root() if trie else None))
        top = self._top.update((*changes.top.items(), *roots), version)
        return State(top, children, self._find_child)


_EMPTY = Trie()
