"""What a validator must not forget, in one SQLite file.

Leaves and salt are here before their commitment is submitted, a beacon secret before its own: whatever moment the process dies
in, the next one reveals what this one committed to.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from llmnet import proof
from llmnet.proof import Leaf
from llmnet.sqlite import exchange, transaction, upgrade

from .errors import StoreError

FIRST_BLOCK = "first_block"
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE findings (
  audit INTEGER PRIMARY KEY, leaves BLOB, salt BLOB, withheld TEXT, deadline INTEGER NOT NULL,
  CHECK ((leaves IS NULL) = (salt IS NULL) AND (leaves IS NULL) <> (withheld IS NULL))) STRICT;
CREATE TABLE secrets (round INTEGER PRIMARY KEY, secret BLOB NOT NULL) STRICT;
"""
LOOKS = """
CREATE TABLE looks (
  audit INTEGER PRIMARY KEY, tokens TEXT NOT NULL, misses TEXT NOT NULL, state TEXT NOT NULL, sent INTEGER) STRICT;
"""
UPGRADES = (SCHEMA, LOOKS)  # what each version adds to the one before


@dataclass(frozen=True, slots=True)
class Finding:
    """What this validator commits to for an audit: reference leaves with their salt, or why the data count as withheld."""

    leaves: tuple[Leaf, ...] | None
    salt: bytes | None
    withheld: str | None


class LookState(StrEnum):
    """What became of a suspicion. Only the first two ask for anything more."""

    SUSPECTED = "suspected"
    CHALLENGED = "challenged"
    DROPPED = "dropped"
    WON = "won"
    LOST = "lost"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at positions that were not drawn: `misses`, the clearest first, of an answer of these `tokens`.

    `sent` is the block at which a challenge was last submitted, if one was.
    """

    audit: int
    tokens: tuple[int, ...]
    misses: tuple[int, ...]
    state: LookState = LookState.SUSPECTED
    sent: int | None = None


class Store:
    """One file, one process. Methods may be called from any thread; each is one transaction."""

    def __init__(self, path: Path | str, *, genesis_hash: bytes, account: bytes) -> None:
        self._path = None if path == ":memory:" else Path(path)
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._identity = {"genesis": genesis_hash.hex(), "account": account.hex()}
        self._lock = threading.RLock()
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        self._db = sqlite3.connect(
            self._path or ":memory:", check_same_thread=False, isolation_level=None, timeout=1.0
        )
        try:
            # A second process would race for the same commitments: the exclusive lock keeps it out.
            self._db.executescript(
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            )
            upgrade(self._db, self._lock, UPGRADES, StoreError)
            self._check_identity("genesis", "of another chain")
            self._check_identity("account", "of another account")
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StoreError(
                f"the store {self._path} cannot be used ({error}): is another validator running on it?"
            ) from None
        except StoreError:
            self._db.close()
            raise
        return self._db

    def enter(self, first_block: bytes) -> Path | None:
        """Be the store of the chain whose block 1 has this hash. What is about another is set aside; where, is returned.

        Audits and rounds of a chain that was started anew have the numbers of the old one's. Raises StoreError.
        """
        with self._lock:
            kept, aside = self._note(FIRST_BLOCK, first_block.hex()), None
            if kept != first_block.hex():
                self._db.close()
                if self._path is not None:
                    aside = exchange(self._path, kept, first_block.hex())
                self._open()
                self._note(FIRST_BLOCK, first_block.hex())
        return aside

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._db, self._lock)

    def _note(self, key: str, value: str) -> str:
        """Note a value unless there is one; what is noted then."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
            (kept,) = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(kept)

    def _check_identity(self, key: str, otherwise: str) -> None:
        value = self._identity[key]
        kept = self._note(key, value)
        if kept != value:
            raise StoreError(f"the store is {otherwise} ({key} {kept}, not {value}): pass another --store")

    # Findings

    def finding(self, audit: int) -> Finding | None:
        """What was found for an audit, if it was."""
        with self._lock:
            row = self._db.execute(
                "SELECT leaves, salt, withheld FROM findings WHERE audit = ?", (audit,)
            ).fetchone()
        if row is None:
            return None
        return Finding(None if row[0] is None else proof.decode_leaves(row[0]), row[1], row[2])

    def keep_reference(
        self, audit: int, leaves: Sequence[Leaf], deadline: int, look: Look | None = None
    ) -> Finding:
        """Keep reference leaves with a fresh salt, and what else was seen; what was kept first stands.

        `deadline` is the block of the commitment's.
        """
        return self._keep(audit, proof.encode_leaves(leaves), secrets.token_bytes(32), None, deadline, look)

    def keep_withheld(self, audit: int, reason: str, deadline: int) -> Finding:
        """Keep that the data were withheld; what was kept first stands."""
        return self._keep(audit, None, None, reason, deadline)

    def _keep(
        self,
        audit: int,
        leaves: bytes | None,
        salt: bytes | None,
        reason: str | None,
        deadline: int,
        look: Look | None = None,
    ) -> Finding:
        with self._transaction() as db:
            new = db.execute(
                "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?, ?)",
                (audit, leaves, salt, reason, deadline),
            ).rowcount
            if new and look is not None:
                row = (audit, json.dumps(look.tokens), json.dumps(look.misses), look.state.value, look.sent)
                db.execute("INSERT OR IGNORE INTO looks VALUES (?, ?, ?, ?, ?)", row)
        kept = self.finding(audit)
        assert kept is not None
        return kept

    # Second looks

    def open_looks(self) -> list[Look]:
        """The suspicions that are not settled, by audit."""
        with self._lock:
            rows = self._db.execute(
                "SELECT audit, tokens, misses, state, sent FROM looks WHERE state IN (?, ?) ORDER BY audit",
                (LookState.SUSPECTED.value, LookState.CHALLENGED.value),
            ).fetchall()
        return [
            Look(audit, tuple(json.loads(tokens)), tuple(json.loads(misses)), LookState(state), sent)
            for audit, tokens, misses, state, sent in rows
        ]

    def look_sent(self, audit: int, block: int) -> None:
        """A challenge is about to be submitted."""
        with self._transaction() as db:
            db.execute("UPDATE looks SET sent = ? WHERE audit = ?", (block, audit))

    def look_became(self, audit: int, state: LookState) -> None:
        """What became of a suspicion."""
        with self._transaction() as db:
            db.execute("UPDATE looks SET state = ? WHERE audit = ?", (state.value, audit))

    # Beacon

    def secret(self, round_: int) -> bytes | None:
        """The secret of a beacon round, if one was made."""
        with self._lock:
            row = self._db.execute("SELECT secret FROM secrets WHERE round = ?", (round_,)).fetchone()
        return None if row is None else bytes(row[0])

    def make_secret(self, round_: int) -> bytes:
        """The secret of a beacon round, made and kept now if there is none."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (round_, secrets.token_bytes(32)))
        kept = self.secret(round_)
        assert kept is not None
        return kept

    def prune(self, *, before_block: int, before_round: int) -> None:
        """Forget findings whose commitment was due before a block, and secrets of rounds before a round.

        A suspicion that is not settled stays, and its finding with it.
        """
        states = (LookState.SUSPECTED.value, LookState.CHALLENGED.value)
        with self._transaction() as db:
            db.execute(
                "DELETE FROM findings WHERE deadline < ? "
                "AND audit NOT IN (SELECT audit FROM looks WHERE state IN (?, ?))",
                (before_block, *states),
            )
            db.execute("DELETE FROM looks WHERE audit NOT IN (SELECT audit FROM findings)")
            db.execute("DELETE FROM secrets WHERE round < ?", (before_round,))
