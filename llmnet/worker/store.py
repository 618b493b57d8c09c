"""What a worker must not forget, in one SQLite file.

An accepted request is here before its first token is computed, an answer before its receipt is sent, a batch before it is submitted:
whatever moment the process dies in, the next one goes on from here.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from llmnet import proof
from llmnet.proof import Leaf, Receipt, Request, Segment, Voucher
from llmnet.sqlite import exchange, transaction, upgrade

from .errors import StoreError

FIRST_BLOCK = "first_block"
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE requests (
  session INTEGER NOT NULL, idx INTEGER NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL, failure TEXT,
  PRIMARY KEY (session, idx)) STRICT;
CREATE TABLE answers (
  session INTEGER NOT NULL, idx INTEGER NOT NULL, receipt BLOB NOT NULL, signature BLOB NOT NULL, tokens TEXT NOT NULL, text TEXT NOT NULL,
  price TEXT NOT NULL, leaves BLOB, batch INTEGER REFERENCES batches (id),
  PRIMARY KEY (session, idx)) STRICT;
CREATE TABLE vouchers (session INTEGER PRIMARY KEY, payload BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TABLE over (session INTEGER PRIMARY KEY, block INTEGER NOT NULL) STRICT;
CREATE TABLE batches (id INTEGER PRIMARY KEY, segments TEXT NOT NULL, epoch INTEGER, settled_at INTEGER) STRICT;
"""
AUDITS = """
CREATE TABLE audits (
  number INTEGER PRIMARY KEY, session INTEGER NOT NULL, idx INTEGER NOT NULL, state TEXT NOT NULL, sent INTEGER,
  tries INTEGER NOT NULL) STRICT;
"""
UPGRADES = (SCHEMA, AUDITS)  # what each version adds to the one before


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer. `leaves` is None once they were pruned; `price` in plancks."""

    receipt: Receipt
    signature: bytes
    tokens: tuple[int, ...]
    text: str
    price: int
    leaves: tuple[Leaf, ...] | None


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch: pending while `epoch` is None, else committed in that epoch."""

    number: int
    segments: tuple[Segment, ...]
    epoch: int | None
    settled_at: int | None


class AuditState(StrEnum):
    """How far an audit is for its worker. Only the first two ask for anything more."""

    OPEN = "open"
    APPEALED = "appealed"
    PASSED = "passed"
    ACCEPTED = "accepted"
    UPHELD = "upheld"
    LOST = "lost"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class StoredAudit:
    """An audit of an own answer. `sent`: the block at which an appeal was last submitted, `tries`: how often it was."""

    number: int
    session: int
    index: int
    state: AuditState
    sent: int | None
    tries: int


class Store:
    """One file, one process. Methods may be called from any thread; each is one transaction."""

    def __init__(self, path: Path | str, *, genesis_hash: bytes, account: bytes) -> None:
        self._lock = threading.RLock()
        self._path = None if path == ":memory:" else Path(path)
        self._owner = self._own()
        try:
            self._identity = {"genesis": genesis_hash.hex(), "account": account.hex()}
            self._db = self._open()
        except BaseException:
            self._disown()
            raise

    def _own(self) -> IO[bytes] | None:
        """Two processes with one store would sign two answers to one request."""
        if self._path is None:
            return None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        owner = self._path.with_name(f"{self._path.name}.lock").open("wb")
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner.close()
            raise StoreError(
                f"the store {self._path} is in use by another process: stop it, or pass another --store"
            ) from None
        return owner

    def _disown(self) -> None:
        if self._owner is not None:
            self._owner.close()

    def _open(self) -> sqlite3.Connection:
        self._db = sqlite3.connect(self._path or ":memory:", check_same_thread=False, isolation_level=None)
        try:
            self._db.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            )
            upgrade(self._db, self._lock, UPGRADES, StoreError)
            for key, value in self._identity.items():
                self._check_identity(key, value)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StoreError(f"the store {self._path} cannot be used: {error}") from None
        except BaseException:
            self._db.close()
            raise
        return self._db

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            self._db.close()
            self._disown()

    def enter(self, first_block: bytes) -> Path | None:
        """Be the store of the chain whose block 1 has this hash. What is about another is set aside; where, is returned."""
        kept = self.meta(FIRST_BLOCK)
        aside = None
        if kept is not None and kept != first_block.hex():
            with self._lock:
                self._db.close()
                if self._path is not None:
                    aside = exchange(self._path, kept, first_block.hex())
                self._open()
        self.set_meta(FIRST_BLOCK, first_block.hex())
        return aside

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._db, self._lock)

    def _check_identity(self, key: str, value: str) -> None:
        kept = self.meta(key)
        if kept is None:
            self.set_meta(key, value)
        elif kept != value:
            raise StoreError(
                f"the store {self._path} is of another {key} ({kept}, not {value}): pass another --store"
            )

    def meta(self, key: str) -> str | None:
        """A small value, or None."""
        with self._lock:
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set a small value."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    # Requests and answers

    def next_index(self, session: int) -> int:
        """The index that follows the last accepted request."""
        with self._lock:
            (last,) = self._db.execute(
                "SELECT max(idx) FROM requests WHERE session = ?", (session,)
            ).fetchone()
        return 0 if last is None else int(last) + 1

    def accept(self, request: Request, signature: bytes) -> None:
        """Keep a request that will be answered. Raises sqlite3.IntegrityError if the index is taken."""
        with self._transaction() as db:
            row = (request.session, request.index, request.encode(), signature)
            db.execute("INSERT INTO requests (session, idx, body, signature) VALUES (?, ?, ?, ?)", row)

    def request(self, session: int, index: int) -> tuple[Request, bytes] | None:
        """An accepted request and its signature."""
        with self._lock:
            row = self._db.execute(
                "SELECT body, signature FROM requests WHERE session = ? AND idx = ?", (session, index)
            ).fetchone()
        return None if row is None else (Request.decode(row[0]), row[1])

    def fail(self, session: int, index: int, reason: str) -> None:
        """Note that a request cannot be answered; the session ends before it."""
        with self._transaction() as db:
            db.execute(
                "UPDATE requests SET failure = ? WHERE session = ? AND idx = ?", (reason, session, index)
            )

    def failure(self, session: int) -> str | None:
        """Why the session cannot go on, if one of its requests failed."""
        with self._lock:
            row = self._db.execute(
                "SELECT failure FROM requests WHERE session = ? AND failure IS NOT NULL ORDER BY idx LIMIT 1",
                (session,),
            ).fetchone()
        return None if row is None else str(row[0])

    def unanswered(self) -> list[tuple[Request, bytes]]:
        """Accepted requests that have neither an answer nor a failure, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT r.body, r.signature FROM requests r LEFT JOIN answers a USING (session, idx) "
                "WHERE a.session IS NULL AND r.failure IS NULL ORDER BY r.session, r.idx"
            ).fetchall()
        return [(Request.decode(body), signature) for body, signature in rows]

    def put_answer(self, answer: Answer) -> None:
        """Keep a finished answer."""
        receipt = answer.receipt
        with self._transaction() as db:
            db.execute(
                "INSERT INTO answers (session, idx, receipt, signature, tokens, text, price, leaves) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    receipt.session,
                    receipt.index,
                    receipt.encode(),
                    answer.signature,
                    json.dumps(answer.tokens),
                    answer.text,
                    str(answer.price),
                    proof.encode_leaves(answer.leaves or ()),
                ),
            )

    def answer(self, session: int, index: int) -> Answer | None:
        """A finished answer."""
        with self._lock:
            row = self._db.execute(
                "SELECT receipt, signature, tokens, text, price, leaves FROM answers WHERE session = ? AND idx = ?",
                (session, index),
            ).fetchone()
        return None if row is None else _answer(row)

    def prices(self, session: int) -> list[int]:
        """The prices of a session's answers by index, as far as they follow each other without a gap."""
        with self._lock:
            rows = self._db.execute(
                "SELECT idx, price FROM answers WHERE session = ? ORDER BY idx", (session,)
            ).fetchall()
        return [int(price) for number, (index, price) in enumerate(rows) if index == number]

    def spent(self, session: int) -> int:
        """What all answers of a session cost together, also those whose predecessors are not finished."""
        with self._lock:
            rows = self._db.execute("SELECT price FROM answers WHERE session = ?", (session,)).fetchall()
        return sum(int(price) for (price,) in rows)

    def receipts(self, session: int, first: int, last: int) -> list[Receipt]:
        """The receipts of a segment."""
        with self._lock:
            rows = self._db.execute(
                "SELECT receipt FROM answers WHERE session = ? AND idx BETWEEN ? AND ? ORDER BY idx",
                (session, first, last),
            ).fetchall()
        return [Receipt.decode(row[0]) for row in rows]

    # Batches

    def uncommitted(self) -> dict[int, list[tuple[Receipt, int]]]:
        """By session that is not over, receipts and prices of the answers that are in no batch, by index."""
        with self._lock:
            rows = self._db.execute(
                "SELECT session, receipt, price FROM answers WHERE batch IS NULL "
                "AND session NOT IN (SELECT session FROM over) ORDER BY session, idx"
            ).fetchall()
        grouped: dict[int, list[tuple[Receipt, int]]] = {}
        for session, receipt, price in rows:
            grouped.setdefault(session, []).append((Receipt.decode(receipt), int(price)))
        return grouped

    def put_batch(self, segments: Sequence[Segment]) -> StoredBatch:
        """Keep a batch that is about to be submitted, and mark its answers."""
        with self._transaction() as db:
            encoded = json.dumps([segment.encode().hex() for segment in segments])
            number = int(db.execute("INSERT INTO batches (segments) VALUES (?)", (encoded,)).lastrowid or 0)
            for segment in segments:
                span = (number, segment.session, segment.first, segment.last)
                db.execute("UPDATE answers SET batch = ? WHERE session = ? AND idx BETWEEN ? AND ?", span)
        return StoredBatch(number, tuple(segments), None, None)

    def drop_batch(self, number: int) -> None:
        """Forget a pending batch that the chain cannot take any more; its answers are uncommitted again.

        A committed batch stays as it is.
        """
        with self._transaction() as db:
            db.execute(
                "UPDATE answers SET batch = NULL WHERE batch IN (SELECT id FROM batches WHERE id = ? AND epoch IS NULL)",
                (number,),
            )
            db.execute("DELETE FROM batches WHERE id = ? AND epoch IS NULL", (number,))

    def committed(self, number: int, epoch: int) -> None:
        """The batch is on chain."""
        with self._transaction() as db:
            db.execute("UPDATE batches SET epoch = ? WHERE id = ?", (epoch, number))

    def pending_batch(self) -> StoredBatch | None:
        """The batch that was or is to be submitted and has not been seen on chain; there is at most one."""
        return self._one_batch("WHERE epoch IS NULL", ())

    def batch_of_epoch(self, epoch: int) -> StoredBatch | None:
        """The batch committed in an epoch."""
        return self._one_batch("WHERE epoch = ?", (epoch,))

    def unsettled(self) -> list[StoredBatch]:
        """Committed batches that wait for their audits."""
        with self._lock:
            rows = self._db.execute(
                f"{_BATCH} WHERE epoch IS NOT NULL AND settled_at IS NULL ORDER BY id"
            ).fetchall()
        return [_batch(row) for row in rows]

    def settle(self, number: int, block: int) -> None:
        """The batch's audits are over."""
        with self._transaction() as db:
            db.execute("UPDATE batches SET settled_at = ? WHERE id = ?", (block, number))

    def prune(self, settled_before: int) -> int:
        """Drop leaves that nobody can ask for: of batches settled, and of uncommitted answers of sessions over, before a block.

        Those of audits that are not over stay. Returns how many answers lost theirs.
        """
        with self._transaction() as db:
            return db.execute(
                "UPDATE answers SET leaves = NULL WHERE leaves IS NOT NULL AND ("
                "batch IN (SELECT id FROM batches WHERE settled_at < :before) OR "
                "batch IS NULL AND session IN (SELECT session FROM over WHERE block < :before)) "
                "AND (session, idx) NOT IN (SELECT session, idx FROM audits WHERE state IN (:open, :appealed))",
                {
                    "before": settled_before,
                    "open": AuditState.OPEN.value,
                    "appealed": AuditState.APPEALED.value,
                },
            ).rowcount

    def _one_batch(self, where: str, values: Iterable[object]) -> StoredBatch | None:
        with self._lock:
            row = self._db.execute(f"{_BATCH} {where} ORDER BY id LIMIT 1", tuple(values)).fetchone()
        return None if row is None else _batch(row)

    # Audits

    def follow(self, number: int, session: int, index: int) -> None:
        """Keep an audit in sight; one that is kept already stays as it is."""
        with self._transaction() as db:
            row = (number, session, index, AuditState.OPEN.value)
            db.execute("INSERT OR IGNORE INTO audits VALUES (?, ?, ?, ?, NULL, 0)", row)

    def followed(self) -> list[StoredAudit]:
        """The audits that are not over, by number."""
        with self._lock:
            rows = self._db.execute(
                "SELECT number, session, idx, state, sent, tries FROM audits WHERE state IN (?, ?) ORDER BY number",
                (AuditState.OPEN.value, AuditState.APPEALED.value),
            ).fetchall()
        return [
            StoredAudit(number, session, index, AuditState(state), sent, tries)
            for number, session, index, state, sent, tries in rows
        ]

    def ended_audits(self, count: int) -> list[int]:
        """The last audits that are over, by number: somebody may have challenged them."""
        with self._lock:
            rows = self._db.execute(
                "SELECT number FROM audits WHERE state NOT IN (?, ?) ORDER BY number DESC LIMIT ?",
                (AuditState.OPEN.value, AuditState.APPEALED.value, count),
            ).fetchall()
        return sorted(number for (number,) in rows)

    def is_audited(self, number: int) -> bool:
        """Whether an audit of this number was ever followed."""
        with self._lock:
            return self._db.execute("SELECT 1 FROM audits WHERE number = ?", (number,)).fetchone() is not None

    def appeal_sent(self, number: int, block: int) -> None:
        """An appeal is about to be submitted."""
        with self._transaction() as db:
            db.execute("UPDATE audits SET sent = ?, tries = tries + 1 WHERE number = ?", (block, number))

    def audit_became(self, number: int, state: AuditState) -> None:
        """How far an audit is."""
        with self._transaction() as db:
            db.execute("UPDATE audits SET state = ? WHERE number = ?", (state.value, number))

    # Vouchers

    def voucher(self, session: int) -> tuple[Voucher, bytes] | None:
        """The best voucher of a session and its signature."""
        with self._lock:
            row = self._db.execute(
                "SELECT payload, signature FROM vouchers WHERE session = ?", (session,)
            ).fetchone()
        return None if row is None else (Voucher.decode(row[0]), row[1])

    def put_voucher(self, voucher: Voucher, signature: bytes) -> None:
        """Keep a better voucher."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO vouchers VALUES (?, ?, ?) "
                "ON CONFLICT (session) DO UPDATE SET payload = excluded.payload, signature = excluded.signature",
                (voucher.session, voucher.encode(), signature),
            )

    def sessions_with_vouchers(self) -> list[int]:
        """The sessions that promised money and are not over."""
        with self._lock:
            rows = self._db.execute(
                "SELECT session FROM vouchers WHERE session NOT IN (SELECT session FROM over) ORDER BY session"
            ).fetchall()
        return [row[0] for row in rows]

    def end(self, session: int, block: int) -> None:
        """Note that a session is over for good: nothing can be committed or claimed in it any more."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO over VALUES (?, ?)", (session, block))


_BATCH = "SELECT id, segments, epoch, settled_at FROM batches"


def _batch(row: tuple[int, str, int | None, int | None]) -> StoredBatch:
    number, segments, epoch, settled_at = row
    return StoredBatch(
        number, tuple(Segment.decode(bytes.fromhex(item)) for item in json.loads(segments)), epoch, settled_at
    )


def _answer(row: tuple[bytes, bytes, str, str, str, bytes | None]) -> Answer:
    receipt, signature, tokens, text, price, leaves = row
    return Answer(
        Receipt.decode(receipt),
        signature,
        tuple(json.loads(tokens)),
        text,
        int(price),
        None if leaves is None else tuple(proof.decode_leaves(leaves)),
    )
