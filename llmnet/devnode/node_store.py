"""Trie nodes as numbered rows of the database: written once per block, loaded on demand, pruned by lists.

A row is a node's encoding followed by the numbers of the children and of the value that it knows by hash; a
value of that kind has a row of its own. A node that comes again gets a new number, so no row is shared by two
places and nothing has to be counted: what a block leaves behind is listed with it and deleted when the state
before it is no longer kept.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable

from llmnet.devnode.errors import CodecError, DatabaseError, StatePruned
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.trie_node import HashedValue, Node, decode_node, encode_node, make_references

NODE_SCHEMA = """
CREATE TABLE IF NOT EXISTS node (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dead (number INTEGER PRIMARY KEY, nodes BLOB NOT NULL)"""
_NUMBER_BYTES = 5


class NodeStore:
    """The rows of one database; its owner holds the lock and the transaction while it writes."""

    def __init__(self, db: sqlite3.Connection, lock: threading.RLock) -> None:
        self._db = db
        self._lock = lock
        (last,) = db.execute("SELECT max(id) FROM node").fetchone()
        self._last: int = last or 0
        # How many nodes came into memory; the owner resets it when it lets them go.
        self.loaded = 0
        self._unsettled: list[Node | HashedValue] = []

    def settle(self) -> None:
        """Ends a write: what it stored is on disk."""
        for item in self._unsettled:
            if isinstance(item, Node):
                item.encoding = None
        self._unsettled.clear()

    def undo(self) -> None:
        """Ends a write that was rolled back: what it numbered is not stored."""
        self._last -= len(self._unsettled)
        for item in self._unsettled:  # their encodings are still there
            item.id = 0
        self._unsettled.clear()

    def _assign(self, item: Node | HashedValue) -> None:
        self._last += 1
        item.id = self._last
        self._unsettled.append(item)

    def _row(self, number: int) -> bytes:
        with self._lock:
            try:
                row = self._db.execute("SELECT data FROM node WHERE id = ?", (number,)).fetchone()
            except sqlite3.Error as error:
                raise DatabaseError(f"the database cannot be read: {error}") from None
        if row is None:
            raise StatePruned(
                f"trie node {number} is no longer stored: its state was discarded while it was read"
            )
        return bytes(row[0])

    def fill(self, node: Node) -> None:
        """Loads a promised node. Raises DatabaseError if its bytes do not have its hash."""
        contents, _ = self._load(node)
        self.loaded += 1
        node.keep(contents)

    def _load(self, node: Node) -> tuple[Node, list[Node | HashedValue]]:
        """The contents of a promised node, and the numbered promises that they make."""
        row = self._row(node.id)
        try:
            contents, end, promised = decode_node(row, self)
            numbers = _unpack(row[end:])
        except CodecError as error:
            raise DatabaseError(f"trie node {node.id} of the database is damaged: {error}") from None
        if len(numbers) != len(promised) or blake2_256(row[:end]) != node.hash():
            raise DatabaseError(f"trie node {node.id} of the database is damaged: it has another hash")
        for item, number in zip(promised, numbers, strict=True):
            item.id = number
        return contents, promised

    def value(self, holder: HashedValue) -> bytes:
        """Loads a value. Raises DatabaseError if it does not have its hash."""
        row = self._row(holder.id)
        if blake2_256(row) != holder.hash():
            raise DatabaseError(f"value {holder.id} of the database is damaged: it has another hash")
        return row

    def replace(self, old: Node | None, new: Node | None) -> list[int]:
        """Stores what `new` has beyond `old`; returns the numbers of the rows that only `old` needs."""
        alive = {0}  # all rows that new nodes refer to; 0 stands for what lies inside its parent
        if new is not None:
            if not new.id:
                self._store(new, alive)
            alive.add(new.id)
        return [] if old is None else _abandoned(old, alive)

    def _store(self, root: Node, alive: set[int]) -> None:
        """Writes the rows of all new nodes below and with `root`, and of their values."""
        make_references(root)
        if root.encoding is None:  # so small that a parent would hold all of it
            root.encoding = encode_node(root)
        self._assign(root)
        rows: list[tuple[int, bytes]] = []
        stack = [root]
        while stack:
            node = stack.pop()
            numbers = []
            for child in node.children or ():
                if child is None:
                    continue
                if not child.id and child.encoding is not None:
                    self._assign(child)
                    stack.append(child)
                if child.id:
                    numbers.append(child.id)
            value = node.value
            if isinstance(value, HashedValue):
                if not value.id:
                    self._assign(value)
                    rows.append((value.id, value.data()))
                numbers.append(value.id)
            alive.update(numbers)
            rows.append((node.id, (node.encoding or b"") + _pack(numbers)))
        self._db.executemany("INSERT INTO node VALUES (?, ?)", rows)
        self.loaded += len(rows)

    def bury(self, number: int, dead: list[int]) -> None:
        """Lists what block `number` left behind."""
        self._db.execute("INSERT INTO dead VALUES (?, ?)", (number, _pack(dead)))

    def oldest(self) -> int | None:
        """The oldest block whose state is whole; None if no block left anything behind."""
        (least,) = self._db.execute("SELECT min(number) FROM dead").fetchone()
        return None if least is None else least - 1

    def prune(self, number: int) -> None:
        """Deletes what block `number` left behind; the state before it is gone then."""
        row = self._db.execute("SELECT nodes FROM dead WHERE number = ?", (number,)).fetchone()
        if row is not None:
            self._db.executemany("DELETE FROM node WHERE id = ?", ((one,) for one in _unpack(row[0])))
            self._db.execute("DELETE FROM dead WHERE number = ?", (number,))

    def reachable(self, roots: Iterable[Node]) -> set[int]:
        """The numbers of all rows below the given nodes, all of which are loaded and checked for it."""
        found: set[int] = set()
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node.id in found:
                continue
            found.add(node.id)
            for item in self._load(node)[1]:
                if isinstance(item, Node):
                    stack.append(item)
                else:
                    self.value(item)
                    found.add(item.id)
        return found

    def unaccounted(self, reachable: set[int]) -> tuple[set[int], set[int]]:
        """Rows that no state and no list of the dead knows, and rows that are listed as dead twice."""
        dead: set[int] = set()
        twice: set[int] = set()
        for (nodes,) in self._db.execute("SELECT nodes FROM dead"):
            listed = set(_unpack(nodes))
            twice |= dead & listed
            dead |= listed
        stored = {number for (number,) in self._db.execute("SELECT id FROM node")}
        return stored - reachable - dead, twice


def _pack(numbers: list[int]) -> bytes:
    return b"".join([number.to_bytes(_NUMBER_BYTES, "little") for number in numbers])


def _unpack(packed: bytes) -> list[int]:
    if len(packed) % _NUMBER_BYTES:
        raise CodecError(f"{len(packed)} bytes are no list of row numbers")
    parts = range(0, len(packed), _NUMBER_BYTES)
    return [int.from_bytes(packed[at : at + _NUMBER_BYTES], "little") for at in parts]


def _abandoned(root: Node, alive: set[int]) -> list[int]:
    """The rows below and with `root` that are not below one of `alive`, which are all the ways to go on."""
    dead = []
    stack = [] if root.id in alive else [root]
    while stack:
        node = stack.pop().open()
        dead.append(node.id)
        if isinstance(node.value, HashedValue) and node.value.id not in alive:
            dead.append(node.value.id)
        if node.children is not None:
            stack += [child for child in node.children if child is not None and child.id not in alive]
    return dead
