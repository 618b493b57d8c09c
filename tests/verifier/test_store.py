"""What was committed to is still there after any restart, and nothing kept is ever replaced."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from llmnet.verifier import StoreError
from llmnet.verifier.store import Finding, Store

from .answers import Answered
from .fakes import GENESIS, VALIDATOR

Opener = Callable[[], Store]


def test_a_finding_outlives_the_process(open_store: Opener, answered: Answered) -> None:
    store = open_store()
    kept = store.keep_reference(5, answered.leaves, 100)
    assert kept.leaves == answered.leaves
    assert kept.salt is not None
    assert len(kept.salt) == 32
    store.close()
    again = open_store()
    assert again.finding(5) == kept
    assert again.finding(6) is None
    again.close()


def test_what_was_kept_first_stands(open_store: Opener, answered: Answered) -> None:
    """Else a second run would commit to one salt and reveal another."""
    store = open_store()
    first = store.keep_reference(5, answered.leaves, 100)
    assert store.keep_reference(5, answered.leaves[:1], 100) == first
    assert store.keep_withheld(5, "too late", 100) == first
    assert store.keep_withheld(6, "no answer", 100) == Finding(None, None, "no answer")
    assert store.keep_reference(6, answered.leaves, 100) == Finding(None, None, "no answer")
    assert store.make_secret(3) == store.make_secret(3) == store.secret(3)
    store.close()


def test_salts_and_secrets_differ(open_store: Opener, answered: Answered) -> None:
    store = open_store()
    salts = {store.keep_reference(number, answered.leaves[:1], 100).salt for number in range(8)}
    assert len(salts) == 8
    assert len({store.make_secret(number) for number in range(8)}) == 8
    store.close()


def test_old_notes_are_dropped_and_young_ones_kept(open_store: Opener, answered: Answered) -> None:
    store = open_store()
    for number in (1, 2):
        store.keep_reference(number, answered.leaves[:1], 100 * number)
        store.make_secret(number)
    store.prune(before_block=200, before_round=2)
    assert store.finding(1) is None
    assert store.finding(2) is not None
    assert store.secret(1) is None
    assert store.secret(2) is not None
    store.close()


def test_a_store_serves_one_account_on_one_chain(open_store: Opener, tmp_path: Path) -> None:
    open_store().close()
    path = tmp_path / "validator.sqlite"
    with pytest.raises(StoreError, match=r"of another chain .* pass another --store"):
        Store(path, genesis_hash=bytes(32), account=VALIDATOR.public)
    with pytest.raises(StoreError, match="of another account"):
        Store(path, genesis_hash=GENESIS, account=bytes(32))


def test_two_validators_cannot_share_a_store(open_store: Opener) -> None:
    store = open_store()
    with pytest.raises(StoreError, match="is another validator running on it"):
        open_store()
    store.close()
    open_store().close()


def test_a_file_of_another_version_or_kind_is_refused(tmp_path: Path) -> None:
    newer = tmp_path / "newer.sqlite"
    database = sqlite3.connect(newer)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(StoreError, match="has version 9"):
        Store(newer, genesis_hash=GENESIS, account=VALIDATOR.public)
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(other, genesis_hash=GENESIS, account=VALIDATOR.public)


def test_a_store_of_another_life_is_set_aside(open_store: Opener, answered: Answered, tmp_path: Path) -> None:
    """Same genesis, other blocks: old findings must not be committed for new audits of the same numbers."""
    store = open_store()
    first = store.keep_reference(5, answered.leaves, 100)
    old_secret = store.make_secret(3)
    assert store.enter(b"\1" * 32) is None  # a store that knew no life yet keeps what it has
    assert store.enter(b"\1" * 32) is None
    assert store.finding(5) == first
    aside = store.enter(b"\2" * 32)
    assert aside == tmp_path / "validator.sqlite.010101010101"
    assert store.finding(5) is None
    assert store.make_secret(3) != old_secret
    store.keep_withheld(5, "no answer", 100)
    with pytest.raises(StoreError, match="is another validator running on it"):
        open_store()
    store.close()
    old = Store(aside, genesis_hash=GENESIS, account=VALIDATOR.public)
    assert old.finding(5) == first
    old.close()
    again = open_store()
    assert again.enter(b"\2" * 32) is None
    assert again.finding(5) == Finding(None, None, "no answer")
    again.close()


def test_who_returns_to_a_life_finds_its_secrets_again(open_store: Opener) -> None:
    store = open_store()
    store.enter(b"\1" * 32)
    secret = store.make_secret(3)
    store.enter(b"\2" * 32)
    assert store.make_secret(3) != secret
    store.enter(b"\1" * 32)
    assert store.make_secret(3) == secret
    store.close()


def test_a_store_in_memory_forgets_another_life() -> None:
    store = Store(":memory:", genesis_hash=GENESIS, account=VALIDATOR.public)
    assert store.enter(b"\1" * 32) is None
    secret = store.make_secret(3)
    assert store.enter(b"\2" * 32) is None
    assert store.make_secret(3) != secret
    store.close()


def test_half_a_finding_cannot_be_kept(open_store: Opener) -> None:
    store = open_store()
    with pytest.raises(sqlite3.IntegrityError), store._transaction() as db:
        db.execute("INSERT INTO findings VALUES (1, x'00', NULL, NULL, 1)")
    assert store.finding(1) is None
    store.close()
