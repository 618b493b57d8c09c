"""Blocks and the head state in one SQLite file (or in memory), one transaction per block.

Killing the process at any moment leaves the last whole block. Beside the head state the file keeps what each
of the last blocks overwrote, so that their states can be walked back to at the next start.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from llmnet.devnode.block import Block, Header, decode_body, encode_body
from llmnet.devnode.errors import DatabaseError
from llmnet.devnode.scale import Reader, compact, option, vec
from llmnet.devnode.state import Changes, State
from llmnet.devnode.trie import Trie

_FORMAT = "1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL,
  body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS state (child BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
  version INTEGER NOT NULL, PRIMARY KEY (child, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS undo (number INTEGER PRIMARY KEY, changes BLOB NOT NULL);
"""
_TOP = b""  # in the table, child tries are named by "c" and their key


def _flat(changes: Changes) -> Iterator[tuple[bytes, bytes, bytes | None]]:
    for key, value in changes.top.items():
        yield _TOP, key, value
    for child, values in changes.children.items():
        for key, value in values.items():
            yield b"c" + child, key, value


def _grouped(rows: Iterable[tuple[bytes, bytes, bytes | None]]) -> Changes:
    top: dict[bytes, bytes | None] = {}
    children: dict[bytes, dict[bytes, bytes | None]] = {}
    for child, key, value in rows:
        (children.setdefault(child[1:], {}) if child else top)[key] = value
    return Changes(top, children)


def encode_changes(changes: Changes) -> bytes:
    """Changes as bytes."""
    rows = list(_flat(changes))
    return compact(len(rows)) + b"".join(vec(child) + vec(key) + option(value) for child, key, value in rows)


def decode_changes(data: bytes) -> Changes:
    """The inverse of `encode_changes`."""
    reader = Reader(data)
    return _grouped(
        (reader.vector(), reader.vector(), reader.optional_bytes()) for _ in range(reader.count(3))
    )


def undo_of(changes: Changes, before: State) -> Changes:
    """What to apply after `changes` to come back to `before`."""
    rows = ((child, key, before.get(key, child[1:] if child else None)) for child, key, _ in _flat(changes))
    return _grouped(rows)


class Database:
    """The store of one chain. Thread-safe. With `path` None it lives in memory and keeps blocks only."""

    def __init__(self, path: Path | None, keep_undo: int) -> None:
        self.persistent = path is not None
        self._keep_undo = keep_undo
        self._lock = threading.Lock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                ":memory:" if path is None else path,
                check_same_thread=False,
                isolation_level=None,
                timeout=0.5,
            )
            if path is not None:
                self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise DatabaseError(
                f"the database {path} cannot be used (is another node running on it?): {error}"
            ) from None
        if self._meta("format") not in (None, _FORMAT.encode()):
            raise DatabaseError(
                f"the database {path} was made by another version; remove it with purge-chain"
            )

    def close(self) -> None:
        """Closes the file; later use raises DatabaseError."""
        with self._lock:
            self._db.close()

    def _meta(self, name: str) -> bytes | None:
        row = self._row("SELECT value FROM meta WHERE name = ?", name)
        return None if row is None else bytes(row[0])

    def _row(self, query: str, *values: object) -> tuple[bytes, ...] | None:
        with self._lock:
            try:
                row: tuple[bytes, ...] | None = self._db.execute(query, values).fetchone()
            except sqlite3.Error as error:
                raise DatabaseError(f"the database cannot be read: {error}") from None
        return row

    def genesis_hash(self) -> bytes | None:
        """The hash of block 0, None in a fresh database."""
        row = self._row("SELECT hash FROM block WHERE number = 0")
        return None if row is None else row[0]

    def append(self, block: Block, changes: Changes, before: State, version: int) -> None:
        """Stores a block and, if persistent, the state that it leads to, in one transaction."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._insert(block, changes, before, version)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise DatabaseError(f"block {block.number} cannot be stored: {error}") from None

    def _insert(self, block: Block, changes: Changes, before: State, version: int) -> None:
        db = self._db
        db.execute("INSERT OR REPLACE INTO meta VALUES ('format', ?)", (_FORMAT.encode(),))
        row = (block.number, block.hash, block.header.encode(), encode_body(block.body))
        db.execute("INSERT INTO block VALUES (?, ?, ?, ?)", row)
        if not self.persistent:
            return
        undo = undo_of(changes, before)
        old = {(child, key): value for child, key, value in _flat(undo)}
        changed = [(child, key, value) for child, key, value in _flat(changes) if old[child, key] != value]
        gone = [(child, key) for child, key, value in changed if value is None]
        put = [(child, key, value, version) for child, key, value in changed if value is not None]
        db.executemany("DELETE FROM state WHERE child = ? AND key = ?", gone)
        db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)", put)
        if block.number:
            db.execute("INSERT INTO undo VALUES (?, ?)", (block.number, encode_changes(undo)))
            db.execute("DELETE FROM undo WHERE number <= ?", (block.number - self._keep_undo,))

    def block(self, number: int) -> Block | None:
        """The block at a height."""
        return _block(self._row("SELECT header, body FROM block WHERE number = ?", number))

    def block_by_hash(self, block_hash: bytes) -> Block | None:
        """The block of a hash."""
        return _block(self._row("SELECT header, body FROM block WHERE hash = ?", block_hash))

    def best(self) -> Block | None:
        """The highest block."""
        return _block(self._row("SELECT header, body FROM block ORDER BY number DESC LIMIT 1"))

    def head_state(self) -> State:
        """The state after the highest block; one trie insertion per key."""
        top, children = Trie(), dict[bytes, Trie]()
        with self._lock:
            for child, key, value, version in self._db.execute(
                "SELECT child, key, value, version FROM state"
            ):
                if child:
                    children[child[1:]] = children.get(child[1:], Trie()).insert(key, value, version)
                else:
                    top = top.insert(key, value, version)
        return State(top).with_children(children)

    def undo(self, number: int) -> Changes | None:
        """What leads from the state after block `number` back to its parent's."""
        row = self._row("SELECT changes FROM undo WHERE number = ?", number)
        return None if row is None else decode_changes(row[0])


def _block(row: tuple[bytes, ...] | None) -> Block | None:
    return None if row is None else Block(Header.decode(row[0]), decode_body(row[1]))
