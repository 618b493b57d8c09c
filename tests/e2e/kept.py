"""What a worker keeps, read from its store beside it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Self

from llmnet import proof
from llmnet.proof import Leaf, PlacedSegment, Receipt, Segment


class Kept:
    """A worker's store, read only."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(f"file:{folder / 'worker.sqlite'}?mode=ro", uri=True, timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._db.close()

    def requests(self, session: int) -> int:
        """How many requests of a session the worker has taken."""
        (count,) = self._db.execute("SELECT count(*) FROM requests WHERE session = ?", (session,)).fetchone()
        return int(count)

    def receipts(self, session: int) -> list[Receipt]:
        """The receipts of a session, by index."""
        rows = self._db.execute("SELECT receipt FROM answers WHERE session = ? ORDER BY idx", (session,))
        return [Receipt.decode(row[0]) for row in rows]

    def signature(self, session: int, index: int) -> bytes:
        """The worker's signature of a receipt."""
        (found,) = self._db.execute(
            "SELECT signature FROM answers WHERE session = ? AND idx = ?", (session, index)
        ).fetchone()
        return bytes(found)

    def leaves(self, session: int, index: int) -> list[Leaf]:
        """The leaves of an answer."""
        (found,) = self._db.execute(
            "SELECT leaves FROM answers WHERE session = ? AND idx = ?", (session, index)
        ).fetchone()
        return list(proof.decode_leaves(found))

    def last_batch(self) -> list[PlacedSegment]:
        """The last batch."""
        (found,) = self._db.execute("SELECT segments FROM batches ORDER BY id DESC LIMIT 1").fetchone()
        return proof.place_segments([Segment.decode(bytes.fromhex(item)) for item in json.loads(found)])

    def voucher(self, session: int) -> proof.Voucher:
        """The best voucher of a session."""
        (found,) = self._db.execute("SELECT payload FROM vouchers WHERE session = ?", (session,)).fetchone()
        return proof.Voucher.decode(found)
