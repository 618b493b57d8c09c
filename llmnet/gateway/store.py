"""What a requester must not forget, in one SQLite file that several processes may use at a time.

A request is here, with its index and signature, before it is sent: whatever moment the process dies in, the next one sends the
same bytes again, and the worker answers a replay with what it has. Sessions are told apart by their seed, because a
development chain that was reset gives the same numbers to other sessions.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from llmnet.proof import Calibration, Receipt, Request, ServiceSpec, Voucher
from llmnet.sqlite import transaction, upgrade

from .checks import Claimed
from .errors import StoreError

SCHEMA = """
CREATE TABLE sessions (
  seed BLOB PRIMARY KEY, session INTEGER NOT NULL, worker BLOB NOT NULL, endpoint TEXT NOT NULL, spec BLOB NOT NULL,
  calibration BLOB, price_in TEXT NOT NULL, price_out TEXT NOT NULL) STRICT;
CREATE TABLE requests (
  seed BLOB NOT NULL, idx INTEGER NOT NULL, session INTEGER NOT NULL, body BLOB NOT NULL, signature BLOB NOT NULL,
  owner TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL,
  receipt BLOB, receipt_signature BLOB, tokens TEXT, text TEXT, price TEXT, reason TEXT,
  PRIMARY KEY (seed, idx)) STRICT;
CREATE TABLE vouchers (
  seed BLOB PRIMARY KEY, session INTEGER NOT NULL, payload BLOB NOT NULL, signature BLOB NOT NULL, delivered INTEGER NOT NULL) STRICT;
CREATE TABLE broken (seed BLOB PRIMARY KEY, session INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
"""
WATCHED = """
CREATE TABLE watched (seed BLOB PRIMARY KEY, block INTEGER NOT NULL) STRICT;
CREATE TABLE compared (seed BLOB NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (seed, idx)) STRICT;
"""
UPGRADES = (SCHEMA, WATCHED)  # what each version adds to the one before
BUSY_SECONDS = 30.0


class State(Enum):
    """Where a request stands: PENDING may be with the worker; ACCEPTED is checked and paid for; REFUSED had a wrong receipt."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as it was or will be sent; the last five are there once it is accepted. `price` in plancks."""

    seed: bytes
    request: Request
    signature: bytes
    state: State
    created: float
    receipt: Receipt | None
    receipt_signature: bytes | None
    tokens: tuple[int, ...] | None
    text: str | None
    price: int | None


@dataclass(frozen=True, slots=True)
class KeptSession:
    """What a session's answers are checked by. Prices are plancks per 1,000 tokens."""

    seed: bytes
    number: int
    worker: bytes
    endpoint: str
    spec: ServiceSpec
    calibration: Calibration | None
    price_in: int
    price_out: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What became of a session's money as far as this store knows, in plancks; `pending` counts requests without a receipt."""

    answers: int
    spent: int
    promised: int
    pending: int
    broken: str | None


Signed = Callable[[int], tuple[Request, bytes]]


class Store:
    """One file; any number of processes and threads. Methods are one transaction each.

    `owner` names this process in the rows that it is working on.
    """

    def __init__(self, path: Path, owner: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.owner = owner
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                path, check_same_thread=False, isolation_level=None, timeout=BUSY_SECONDS
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            upgrade(self._db, self._lock, UPGRADES, StoreError)
        except sqlite3.Error as error:
            raise StoreError(f"the store {path} cannot be used: {error}") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._db, self._lock)

    # Sessions

    def put_session(self, kept: KeptSession) -> None:
        """Keep what is needed to check and to show a session's answers without the chain."""
        calibration = None if kept.calibration is None else kept.calibration.encode()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seed) DO UPDATE SET "
                "endpoint = excluded.endpoint, calibration = coalesce(excluded.calibration, calibration)",
                (
                    kept.seed,
                    kept.number,
                    kept.worker,
                    kept.endpoint,
                    kept.spec.encode(),
                    calibration,
                    str(kept.price_in),
                    str(kept.price_out),
                ),
            )

    def session(self, seed: bytes) -> KeptSession | None:
        """A session that was used."""
        with self._lock:
            row = self._db.execute("SELECT * FROM sessions WHERE seed = ?", (seed,)).fetchone()
        return None if row is None else _kept(row)

    def seeds(self, number: int) -> list[bytes]:
        """The seeds of the sessions with this number, the latest used last; more than one after a chain was reset."""
        with self._lock:
            rows = self._db.execute(
                "SELECT s.seed FROM sessions s LEFT JOIN requests r USING (seed) WHERE s.session = ? "
                "GROUP BY s.seed ORDER BY max(r.created)",
                (number,),
            ).fetchall()
        return [row[0] for row in rows]

    # Requests

    def begin(self, seed: bytes, sign: Signed) -> StoredRequest:
        """Take the lowest free index of a session and keep the request that `sign` makes for it, before it is sent."""
        with self._transaction():
            index = self._free_index(seed)
            request, signature = sign(index)
            self._insert(seed, request, signature)
        return self._require(seed, index)

    def _insert(self, seed: bytes, request: Request, signature: bytes) -> None:
        row = (seed, request.index, request.session, request.encode(), signature)
        self._db.execute(
            "INSERT INTO requests (seed, idx, session, body, signature, owner, state, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, self.owner, State.PENDING.value, time.time()),
        )

    def _free_index(self, seed: bytes) -> int:
        rows = self._db.execute("SELECT idx FROM requests WHERE seed = ? ORDER BY idx", (seed,)).fetchall()
        return next((number for number, (index,) in enumerate(rows) if number != index), len(rows))

    def withdraw(self, stored: StoredRequest) -> None:
        """Free the index of a request that the worker did not take."""
        with self._transaction() as db:
            db.execute(_WITHDRAW, _key(stored))

    def accept(self, stored: StoredRequest, claimed: Claimed, text: str) -> None:
        """Keep an answer whose receipt is right."""
        with self._transaction() as db:
            _finish(db, stored, State.ACCEPTED, claimed, text, None)

    def refuse(self, stored: StoredRequest, reason: str, claimed: Claimed | None, text: str) -> None:
        """Keep an answer whose receipt is wrong, as evidence; the session ends before it."""
        with self._transaction() as db:
            _finish(db, stored, State.REFUSED, claimed, text, reason)
            why = f"the receipt of answer {stored.request.index} was refused ({reason})"
            db.execute(
                "INSERT OR IGNORE INTO broken VALUES (?, ?, ?)", (stored.seed, stored.request.session, why)
            )

    def adopt(self, seed: bytes, request: Request, signature: bytes) -> StoredRequest:
        """Keep a request of ours that only the worker remembers: another machine sent it, or the store was lost.

        A pending request at its index gives way: the worker did not take it.
        """
        with self._transaction() as db:
            db.execute(
                "DELETE FROM requests WHERE seed = ? AND idx = ? AND state = ?",
                (seed, request.index, State.PENDING.value),
            )
            self._insert(seed, request, signature)
        return self._require(seed, request.index)

    def take_over(self, seed: bytes, dead: Callable[[str], bool]) -> list[StoredRequest]:
        """The pending requests of processes that are gone, which are this one's from now on; by index."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT idx, owner FROM requests WHERE seed = ? AND state = ? ORDER BY idx",
                (seed, State.PENDING.value),
            ).fetchall()
            taken = [index for index, owner in rows if owner != self.owner and dead(owner)]
            for index in taken:
                db.execute(
                    "UPDATE requests SET owner = ? WHERE seed = ? AND idx = ?", (self.owner, seed, index)
                )
        return [self._require(seed, index) for index in taken]

    def abandon(self, stored: StoredRequest) -> None:
        """Leave a pending request to whoever comes next."""
        with self._transaction() as db:
            db.execute(_ABANDON, _key(stored))

    def _require(self, seed: bytes, index: int) -> StoredRequest:
        found = self.request(seed, index)
        if found is None:
            raise StoreError(f"request {index} is not in the store any more")
        return found

    def request(self, seed: bytes, index: int) -> StoredRequest | None:
        """A request."""
        with self._lock:
            row = self._db.execute(f"{_SELECT} WHERE seed = ? AND idx = ?", (seed, index)).fetchone()
        return None if row is None else _stored(row)

    def requests(self, seed: bytes | None = None) -> list[StoredRequest]:
        """All requests, or those of one session, oldest first."""
        where, values = ("", ()) if seed is None else (" WHERE seed = ?", (seed,))
        with self._lock:
            rows = self._db.execute(f"{_SELECT}{where} ORDER BY created, idx", values).fetchall()
        return [_stored(row) for row in rows]

    # Money

    def usage(self, seed: bytes) -> Usage:
        """What a session has cost so far."""
        with self._lock:
            rows = self._db.execute("SELECT state, price FROM requests WHERE seed = ?", (seed,)).fetchall()
        spent = [int(price) for state, price in rows if state == State.ACCEPTED.value]
        voucher = self.voucher(seed)
        return Usage(
            answers=len(spent),
            spent=sum(spent),
            promised=0 if voucher is None else voucher[0].amount,
            pending=sum(state == State.PENDING.value for state, _ in rows),
            broken=self.broken(seed),
        )

    def next_voucher(
        self, seed: bytes, session: int, sign: Callable[[Voucher], bytes]
    ) -> tuple[Voucher, bytes] | None:
        """The voucher for all answers before the first one that is not accepted; signed anew if it grew. None without any."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT idx, price FROM requests WHERE seed = ? AND state = ? ORDER BY idx",
                (seed, State.ACCEPTED.value),
            ).fetchall()
            prices = [int(price) for number, (index, price) in enumerate(rows) if number == index]
            kept = self.voucher(seed)
            if not prices or (kept is not None and kept[0].answers >= len(prices)):
                return None if kept is None else kept[:2]
            voucher = Voucher(session, sum(prices), len(prices))
            signature = sign(voucher)
            db.execute(
                "INSERT INTO vouchers VALUES (?, ?, ?, ?, 0) ON CONFLICT (seed) DO UPDATE SET "
                "payload = excluded.payload, signature = excluded.signature, delivered = 0",
                (seed, session, voucher.encode(), signature),
            )
        return voucher, signature

    def voucher(self, seed: bytes) -> tuple[Voucher, bytes, bool] | None:
        """The latest voucher, its signature, and whether the worker has it."""
        with self._lock:
            row = self._db.execute(
                "SELECT payload, signature, delivered FROM vouchers WHERE seed = ?", (seed,)
            ).fetchone()
        return None if row is None else (Voucher.decode(row[0]), row[1], bool(row[2]))

    def delivered(self, seed: bytes, answers: int) -> None:
        """The worker has the voucher for that many answers."""
        with self._transaction():
            kept = self.voucher(seed)
            if kept is not None and kept[0].answers == answers:
                self._db.execute("UPDATE vouchers SET delivered = 1 WHERE seed = ?", (seed,))

    # Receipts compared with the chain

    def signed(self, seed: bytes) -> dict[int, tuple[Receipt, bytes]]:
        """All receipts of a session that came with a signature, by index: those that were refused as well."""
        return {
            stored.request.index: (stored.receipt, stored.receipt_signature)
            for stored in self.requests(seed)
            if stored.receipt is not None and stored.receipt_signature is not None
        }

    def watched(self, seed: bytes) -> int | None:
        """The block up to which the batches of a session's worker were compared."""
        with self._lock:
            row = self._db.execute("SELECT block FROM watched WHERE seed = ?", (seed,)).fetchone()
        return None if row is None else int(row[0])

    def watch(self, seed: bytes, block: int) -> None:
        """The batches up to this block were compared."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO watched VALUES (?, ?) ON CONFLICT (seed) DO UPDATE SET block = excluded.block",
                (seed, block),
            )

    def compared(self, seed: bytes) -> set[int]:
        """The answers whose receipts were opened in audits, and were the same."""
        with self._lock:
            rows = self._db.execute("SELECT idx FROM compared WHERE seed = ?", (seed,)).fetchall()
        return {index for (index,) in rows}

    def compare(self, seed: bytes, index: int) -> None:
        """The receipt of an answer was opened, and is the same."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO compared VALUES (?, ?)", (seed, index))

    # Sessions that cannot go on

    def mark_broken(self, seed: bytes, session: int, reason: str) -> None:
        """The session takes no more requests from us."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO broken VALUES (?, ?, ?)", (seed, session, reason))

    def broken(self, seed: bytes) -> str | None:
        """Why the session takes no more requests, if so."""
        with self._lock:
            row = self._db.execute("SELECT reason FROM broken WHERE seed = ?", (seed,)).fetchone()
        return None if row is None else str(row[0])


# A request is touched only while it is pending and still the one that was read.
_WITHDRAW = "DELETE FROM requests WHERE seed = ? AND idx = ? AND body = ? AND state = 'pending'"
_ABANDON = "UPDATE requests SET owner = '' WHERE seed = ? AND idx = ? AND body = ? AND state = 'pending'"
_FINISH = (
    "UPDATE requests SET state = ?, receipt = ?, receipt_signature = ?, tokens = ?, price = ?, text = ?, reason = ? "
    "WHERE seed = ? AND idx = ? AND body = ? AND state = 'pending'"
)
_SELECT = "SELECT seed, body, signature, state, created, receipt, receipt_signature, tokens, text, price FROM requests"


def _kept(row: tuple[bytes, int, bytes, str, bytes, bytes | None, str, str]) -> KeptSession:
    seed, number, worker, endpoint, spec, calibration, price_in, price_out = row
    return KeptSession(
        seed,
        number,
        worker,
        endpoint,
        ServiceSpec.decode(spec),
        None if calibration is None else Calibration.decode(calibration),
        int(price_in),
        int(price_out),
    )


def _key(stored: StoredRequest) -> tuple[bytes, int, bytes]:
    return stored.seed, stored.request.index, stored.request.encode()


def _finish(
    db: sqlite3.Connection,
    stored: StoredRequest,
    state: State,
    claimed: Claimed | None,
    text: str,
    reason: str | None,
) -> None:
    parts: tuple[object, ...] = (None, None, None, None)
    if claimed is not None:
        parts = (
            claimed.receipt.encode(),
            claimed.signature,
            json.dumps(claimed.tokens),
            str(claimed.price),
        )
    db.execute(
        _FINISH,
        (state.value, *parts, text, reason, *_key(stored)),
    )


def _stored(
    row: tuple[
        bytes, bytes, bytes, str, float, bytes | None, bytes | None, str | None, str | None, str | None
    ],
) -> StoredRequest:
    seed, body, signature, state, created, receipt, receipt_signature, tokens, text, price = row
    return StoredRequest(
        seed,
        Request.decode(body),
        signature,
        State(state),
        created,
        None if receipt is None else Receipt.decode(receipt),
        receipt_signature,
        None if tokens is None else tuple(json.loads(tokens)),
        text,
        None if price is None else int(price),
    )
