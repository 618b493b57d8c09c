"""Blocks and the states after them in one SQLite file (or in memory), one transaction per block.

Killing the process at any moment leaves the last whole block: what a block changes is written before the block
is shown to anybody. A file belongs to one process at a time.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from llmnet.devnode.block import Block, Header, decode_body, encode_body
from llmnet.devnode.errors import DatabaseError, StatePruned
from llmnet.devnode.node_store import NODE_SCHEMA, NodeStore
from llmnet.devnode.state import State
from llmnet.devnode.trie import EMPTY_ROOT, Trie
from llmnet.devnode.trie_node import Node, hash_reference

_FORMAT = "2"
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL,
  body BLOB NOT NULL, root INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS child (name BLOB NOT NULL, number INTEGER NOT NULL, root INTEGER NOT NULL,
  PRIMARY KEY (name, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS child_of_block ON child (number);
{NODE_SCHEMA}"""
# What counts the rows of a table and the bytes of their contents.
_SIZES = {
    "node": "SELECT count(*), coalesce(sum(length(data)), 0) FROM node",
    "dead": "SELECT count(*), coalesce(sum(length(nodes)), 0) FROM dead",
    "block": "SELECT count(*), coalesce(sum(length(hash) + length(header) + length(body)), 0) FROM block",
    "child": "SELECT count(*), coalesce(sum(length(name)), 0) FROM child",
}
# How many states one block may prune: one is the rule, more after `keep_states` was made smaller.
_PRUNED_AT_ONCE = 16


class Database:
    """The store of one chain. Thread-safe. With `path` None it lives in memory.

    The states of the last `keep_states` blocks can be read, all of them (an archive) if it is None.
    """

    def __init__(self, path: Path | None, keep_states: int | None) -> None:
        self._keep_states = None if keep_states is None else max(keep_states, 1)
        self._lock = threading.RLock()
        try:
            self._db = _connect(path)
            self._check_format(path)
            self.nodes = NodeStore(self._db, self._lock)
            self._whole_from = self.nodes.oldest()
        except (OSError, sqlite3.Error) as error:
            raise DatabaseError(
                f"the database {path} cannot be used (is another node running on it?): {error}"
            ) from None

    def _check_format(self, path: Path | None) -> None:
        for statement in _SCHEMA.split(";")[:1]:
            self._db.execute(statement)
        found = self._row("SELECT value FROM meta WHERE name = 'format'")
        if found is None:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute("INSERT INTO meta VALUES ('format', ?)", (_FORMAT.encode(),))
        elif found[0] != _FORMAT.encode():
            self._db.close()
            raise DatabaseError(
                f"the database {path} was made by another version; remove it with purge-chain"
            )

    def close(self) -> None:
        """Closes the file; later use raises DatabaseError."""
        with self._lock:
            self._db.close()

    def _row(self, query: str, *values: object) -> tuple[bytes, ...] | None:
        with self._lock:
            try:
                row: tuple[bytes, ...] | None = self._db.execute(query, values).fetchone()
            except sqlite3.Error as error:
                raise DatabaseError(f"the database cannot be read: {error}") from None
        return row

    def recall(self, name: str) -> bytes | None:
        """What was remembered under a name."""
        row = self._row("SELECT value FROM meta WHERE name = ?", name)
        return None if row is None else row[0]

    def remember(self, name: str, value: bytes) -> None:
        """Keeps a few bytes about the chain as a whole."""
        with self._lock:
            try:
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
            except sqlite3.Error as error:
                raise DatabaseError(f"{name} cannot be stored: {error}") from None

    def genesis_hash(self) -> bytes | None:
        """The hash of block 0, None in a fresh database."""
        row = self._row("SELECT hash FROM block WHERE number = 0")
        return None if row is None else row[0]

    def append(self, block: Block, before: State, after: State) -> None:
        """Stores a block and the state that it leads to, in one transaction; prunes what is too old.

        `before` is the state of the block before it (an empty one for block 0).
        """
        with self._lock:
            stored = False
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._insert(block, before, after)
                self._prune(block.number)
                self._db.execute("COMMIT")
                stored = True
            except sqlite3.Error as error:
                raise DatabaseError(f"block {block.number} cannot be stored: {error}") from None
            finally:  # an interrupt from the keyboard may come at any point
                if not stored:
                    self.nodes.undo()
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
            self.nodes.settle()
            self._whole_from = self.nodes.oldest()

    def _insert(self, block: Block, before: State, after: State) -> None:
        number, db = block.number, self._db
        dead = self.nodes.replace(before.trie().node, after.trie().node)
        for name in after.touched_children():
            old, new = before.trie(name).node, after.trie(name).node
            if (new is None and old is not None) or (new is not None and not new.id):
                dead += self.nodes.replace(old, new)
                db.execute("INSERT INTO child VALUES (?, ?, ?)", (name, number, _number(new)))
        row = (number, block.hash, block.header.encode(), encode_body(block.body), _number(after.trie().node))
        db.execute("INSERT INTO block VALUES (?, ?, ?, ?, ?)", row)
        if number:
            self.nodes.bury(number, dead)

    def _prune(self, best: int) -> None:
        oldest = self.nodes.oldest()
        if self._keep_states is None or oldest is None:
            return
        for number in range(oldest + 1, best - self._keep_states + 2)[:_PRUNED_AT_ONCE]:
            self.nodes.prune(number)
            # The roots of child tries that block `number` replaced, and its removals of child tries.
            self._db.execute(
                "DELETE FROM child WHERE number < ? AND name IN (SELECT name FROM child WHERE number = ?)",
                (number, number),
            )
            self._db.execute("DELETE FROM child WHERE number = ? AND root = 0", (number,))

    def block(self, number: int) -> Block | None:
        """The block at a height."""
        return _block(self._row("SELECT header, body FROM block WHERE number = ?", number))

    def block_by_hash(self, block_hash: bytes) -> Block | None:
        """The block of a hash."""
        return _block(self._row("SELECT header, body FROM block WHERE hash = ?", block_hash))

    def best(self) -> Block | None:
        """The highest block."""
        return _block(self._row("SELECT header, body FROM block ORDER BY number DESC LIMIT 1"))

    def oldest_state(self, best: int) -> int:
        """The lowest block whose state can be read."""
        whole = best if self._whole_from is None else self._whole_from
        return whole if self._keep_states is None else max(whole, best - self._keep_states + 1)

    def state(self, number: int) -> State:
        """The state after a block; nothing is loaded yet.

        Raises StatePruned if there is no such block; one whose state was pruned says so when it is read.
        """
        row = self._row("SELECT header, root FROM block WHERE number = ?", number)
        if row is None:
            raise StatePruned(f"there is no state of block {number}")
        root_hash, root = Header.decode(row[0]).state_root, int(row[1])

        def child(name: bytes, child_hash: bytes) -> Trie:
            found = self._row(
                "SELECT root FROM child WHERE name = ? AND number <= ? ORDER BY number DESC LIMIT 1",
                name,
                number,
            )
            if found is None:
                raise StatePruned(f"the child trie 0x{name.hex()} of block {number} is no longer stored")
            return self._promise(child_hash, int(found[0]))

        return State(self._promise(root_hash, root), find_child=child)

    def _promise(self, root_hash: bytes, number: int) -> Trie:
        if not number or root_hash == EMPTY_ROOT:
            return Trie()
        return Trie(Node.promise(hash_reference(root_hash), number, self.nodes))

    def sizes(self) -> tuple[int, int, tuple[tuple[str, int, int], ...]]:
        """The bytes of the file, of its free pages, and of each table: (name, rows, bytes of its contents)."""
        with self._lock:
            page, pages, free = (
                self._db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_size", "page_count", "freelist_count")
            )
            tables = [(name, *self._db.execute(query).fetchone()) for name, query in _SIZES.items()]
        return page * pages, page * free, tuple(tables)

    def check_integrity(self) -> None:
        """Reads everything; raises DatabaseError unless all kept states are whole and no row is left over."""
        best = self.best()
        if best is None:
            return
        with self._lock:
            roots: list[Node] = []
            for number in range(self.oldest_state(best.number), best.number + 1):
                state = self.state(number)
                tries = [state.trie(), *(state.trie(name) for name in state.child_keys())]
                roots += [trie.node for trie in tries if trie.node is not None]
            left, twice = self.nodes.unaccounted(self.nodes.reachable(roots))
        if left or twice:
            raise DatabaseError(
                f"the database has {len(left)} rows that nothing needs, {len(twice)} dead twice"
            )


def _connect(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(
        ":memory:" if path is None else path, check_same_thread=False, isolation_level=None, timeout=0.5
    )
    if path is not None:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
    return db


def _number(node: Node | None) -> int:
    return 0 if node is None else node.id


def _block(row: tuple[bytes, ...] | None) -> Block | None:
    return None if row is None else Block(Header.decode(row[0]), decode_body(row[1]))
