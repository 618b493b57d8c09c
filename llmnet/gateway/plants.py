"""Planted faults, from the planter's side: what it has promised to reveal, kept where nobody else sees it.

    book = PlantBook(folder / "plants.sqlite")
    plant = await commit(client, signer, book, session, index)     before the answer's batch is sealed
    await reveal(client, signer, book, plant)                       after the verdict

The salt is in the book before its hash goes out, and never anywhere else before the reveal.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from llmnet import proof
from llmnet.chain import Client, Signer, TxResult
from llmnet.pallets import sessions, spot_checks
from llmnet.pallets.spot_checks import Stage

from .errors import PlantError, StoreError, UnknownSession

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS plants (
  seed BLOB NOT NULL, session INTEGER NOT NULL, idx INTEGER NOT NULL, worker BLOB NOT NULL, salt BLOB NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (seed, idx)) STRICT
"""
BUSY_SECONDS = 30.0


class PlantState(StrEnum):
    """Where a plant stands: MADE may not have reached the chain."""

    MADE = "made"
    PLANTED = "planted"
    REVEALED = "revealed"


@dataclass(frozen=True, slots=True)
class Plant:
    """An answer that is to be wrong. `seed` tells sessions of chains apart that were started anew."""

    seed: bytes
    session: int
    index: int
    worker: bytes
    salt: bytes
    state: PlantState

    def __repr__(self) -> str:
        """Without the salt: what is logged is read by others."""
        return f"Plant({self.session}/{self.index}, {self.state.value})"


class PlantBook:
    """One file of mode 0600; any number of processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
            self._db.execute("PRAGMA synchronous=FULL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version not in (0, SCHEMA_VERSION):
                raise StoreError(
                    f"{path} has version {version}, this program knows {SCHEMA_VERSION}: use the program that made it"
                )
            self._db.execute(SCHEMA)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.Error as error:
            raise StoreError(f"the book of plants {path} cannot be used: {error}") from None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def make(self, seed: bytes, session: int, index: int, worker: bytes) -> Plant:
        """A plant with a salt of its own; the one that was made before for the same answer stands."""
        row = (seed, session, index, worker, secrets.token_bytes(32), PlantState.MADE.value)
        self._db.execute("INSERT OR IGNORE INTO plants VALUES (?, ?, ?, ?, ?, ?)", row)
        return next(plant for plant in self.plants() if (plant.seed, plant.index) == (seed, index))

    def became(self, plant: Plant, state: PlantState) -> None:
        """Where a plant stands."""
        key = (state.value, plant.seed, plant.index)
        self._db.execute("UPDATE plants SET state = ? WHERE seed = ? AND idx = ?", key)

    def plants(self) -> list[Plant]:
        """All of them, by session and index."""
        rows = self._db.execute(
            "SELECT seed, session, idx, worker, salt, state FROM plants ORDER BY session, idx"
        ).fetchall()
        return [
            Plant(seed, session, index, worker, salt, PlantState(state))
            for seed, session, index, worker, salt, state in rows
        ]


@contextmanager
def open_book(path: Path) -> Iterator[PlantBook]:
    """The book, closed at the end."""
    book = PlantBook(path)
    try:
        yield book
    finally:
        book.close()


async def commit(client: Client, signer: Signer, book: PlantBook, session: int, index: int) -> Plant:
    """Promise that an answer which is not committed yet will be wrong. Raises UnknownSession, PlantError, DispatchFailed."""
    view = client.at()
    found = await sessions.session(view, session)
    if found is None or found.seed is None:
        raise UnknownSession(f"session {session} does not exist, or waits for its seed")
    if index < found.next_index:
        raise PlantError(
            f"answer {session}/{index} is in a batch already: plant one from {found.next_index} on"
        )
    if signer.account not in await spot_checks.planters(view):
        raise PlantError("this account is no planter: root chooses them (`spot_checks.set_planters`)")
    plant = book.make(found.seed, session, index, found.worker)
    if plant.state is not PlantState.MADE:
        return plant
    commitment = _commitment(signer, plant)
    if await view.get(spot_checks.storage.Plants, commitment) is None:
        await client.submit(spot_checks.plant(commitment), signer)
    book.became(plant, PlantState.PLANTED)
    return replace(plant, state=PlantState.PLANTED)


def _commitment(signer: Signer, plant: Plant) -> bytes:
    return proof.plant_commitment(signer.account, plant.session, plant.index, plant.worker, plant.salt)


async def verdict_number(client: Client, plant: Plant) -> int | None:
    """The decided audit of a planted answer, if there is one."""
    view = client.at()
    number = await view.get(spot_checks.storage.AuditOf, (plant.session, plant.index))
    audit = None if number is None else await spot_checks.audit(view, number)
    return number if audit is not None and audit.stage == Stage.DECIDED else None


async def reveal(client: Client, signer: Signer, book: PlantBook, plant: Plant) -> TxResult:
    """Reveal a planted answer that has its verdict. Raises PlantError while it has none, DispatchFailed."""
    number = await verdict_number(client, plant)
    if number is None:
        raise PlantError(
            f"answer {plant.session}/{plant.index} has no verdict: it was not drawn, or its audit is not decided"
        )
    result = await client.submit(spot_checks.reveal_plant(number, plant.salt), signer)
    book.became(plant, PlantState.REVEALED)
    return result
