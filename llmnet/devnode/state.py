"""The state after a block: an immutable top trie with its child tries.

A `State` is what runtime calls read (`StateBackend`); an `Overlay` collects their writes and makes the next
state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

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
    """An immutable state; `apply` makes the next one, which shares all untouched nodes."""

    __slots__ = ("_children", "_top")

    def __init__(self, top: Trie | None = None, children: Mapping[bytes, Trie] | None = None) -> None:
        self._top = top if top is not None else Trie()
        self._children: Mapping[bytes, Trie] = children if children is not None else {}

    def _trie(self, child: bytes | None) -> Trie:
        return self._top if child is None else self._children.get(child, _EMPTY)

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The value of `key`, None if there is none."""
        return self._trie(child).get(key)

    def keys(
        self, prefix: bytes = b"", after: bytes | None = None, child: bytes | None = None
    ) -> Iterator[bytes]:
        """Keys in order that start with `prefix` and are greater than `after`."""
        return self._trie(child).keys(prefix, after)

    def items(
        self, prefix: bytes = b"", after: bytes | None = None, child: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """As `keys`, with the values."""
        return self._trie(child).items(prefix, after)

    def child_keys(self) -> list[bytes]:
        """The unprefixed keys of all child tries, sorted."""
        return sorted(self._children)

    def root(self, child: bytes | None = None) -> bytes:
        """The Merkle root of the top trie (which holds the children's roots) or of one child trie."""
        return self._trie(child).root()

    def with_children(self, children: Mapping[bytes, Trie]) -> State:
        """This state with these child tries instead of its own, their roots in the top trie."""
        top = self._top.update(
            [(DEFAULT_CHILD_PREFIX + key, trie.root()) for key, trie in children.items()], 0
        )
        return State(top, children)

    def apply(self, changes: Changes, version: int) -> State:
        """The state after `changes`, its nodes written with state version `version` (0 or 1)."""
        top = self._top.update(changes.top.items(), version)
        if not changes.children:
            return State(top, self._children)
        children = dict(self._children)
        for key, values in changes.children.items():
            trie = children.get(key, _EMPTY).update(values.items(), version)
            if trie:
                children[key] = trie
                top = top.update([(DEFAULT_CHILD_PREFIX + key, trie.root())], version)
            else:
                children.pop(key, None)
                top = top.remove(DEFAULT_CHILD_PREFIX + key)
        return State(top, children)


_EMPTY = Trie()
