# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Grandpa`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageMap,
    StorageValue,
)

from .. import types as t

State: StorageValue[t.StoredState] = StorageValue(
    Entry("Grandpa", "State", "6f2d731bc3d7f469", "StoredState", t.TYPES)
)
"""State of the current authority set."""

PendingChange: StorageValue[t.StoredPendingChange | None] = StorageValue(
    Entry("Grandpa", "PendingChange", "89c4e41aee4f2cc2", "StoredPendingChange?", t.TYPES)
)
"""Pending change: (signaled at, scheduled change)."""

NextForced: StorageValue[int | None] = StorageValue(
    Entry("Grandpa", "NextForced", "3b1a4baead740f43", "u32?", t.TYPES)
)
"""next block number where we can force a change."""

Stalled: StorageValue[tuple[int, int] | None] = StorageValue(
    Entry("Grandpa", "Stalled", "ec56d616c132e52d", "(u32, u32)?", t.TYPES)
)
"""`true` if we are currently stalled."""

CurrentSetId: StorageValue[int] = StorageValue(
    Entry("Grandpa", "CurrentSetId", "74f0985d38932153", "u64", t.TYPES)
)
"""The number of changes (both in terms of keys and underlying economic responsibilities) in the "set"
of Grandpa validators from genesis.
"""

SetIdSession: StorageMap[int, int | None] = StorageMap(
    Entry("Grandpa", "SetIdSession", "b102017138cdbfa2", "(Twox64Concat u64) -> u32?", t.TYPES)
)
"""A mapping from grandpa set ID to the index of the *most recent* session for which its members were
responsible.

This is only used for validating equivocation proofs. An equivocation proof must contains a
key-ownership proof for a given session, therefore we need a way to tie together sessions and
GRANDPA set ids, i.e. we need to validate that a validator was the owner of a given key on a given
session, and what the active set ID was during that session.

TWOX-NOTE: `SetId` is not under user control.
"""

Authorities: StorageValue[tuple[tuple[t.Public, int], ...]] = StorageValue(
    Entry("Grandpa", "Authorities", "eb8526a1f354af6b", "Vec<(Public, u64)>", t.TYPES)
)
"""The current list of authorities."""
