"""What every store of ours is: one SQLite file, written in whole transactions and brought up to date by version.

transaction(db, lock)                     as a context: all of it or nothing; one thread at a time
upgrade(db, lock, upgrades, error)        statements that each version adds to the one before
exchange(path, old, new)                  a file for each life of a chain: sets one aside, brings another back
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

_PREFIX = 12  # digits of a name that tell two lives apart


@contextmanager
def transaction(db: sqlite3.Connection, lock: threading.RLock) -> Iterator[sqlite3.Connection]:
    """Commits at the end, rolls back if anything was raised. `db` has no isolation level of its own."""
    with lock:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


def upgrade(
    db: sqlite3.Connection, lock: threading.RLock, upgrades: Sequence[str], error: type[Exception]
) -> None:
    """Runs what the file lacks of `upgrades`, semicolons between statements; its version is how many it has had.

    Raises `error` for a file of a later program.
    """
    with transaction(db, lock):
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if not 0 <= version <= len(upgrades):
            raise error(
                f"the store has version {version}, this program knows {len(upgrades)}: use the program that made it"
            )
        if version < len(upgrades):
            for statement in "".join(upgrades[version:]).split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(upgrades)}")


def exchange(path: Path, old: str, new: str) -> Path:
    """Set a closed file aside under the name of its life `old`, and bring back that of `new` if it was set aside before.

    Returns where the first is now. No file is overwritten. `old` and `new` are hashes in hex.
    """
    aside = named = path.with_name(f"{path.name}.{old[:_PREFIX]}")
    for number in count(2):
        if not aside.exists():
            break
        aside = named.with_name(f"{named.name}.{number}")
    path.rename(aside)
    before = path.with_name(f"{path.name}.{new[:_PREFIX]}")
    if before.exists():
        before.rename(path)
    return aside
