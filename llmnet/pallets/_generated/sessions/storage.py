# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Sessions`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
)

from .. import types as t

Sessions: StorageMap[int, t.Session | None] = StorageMap(
    Entry("Sessions", "Sessions", "8b29e87ba7dd740c", "(Twox64Concat u64) -> Session?", t.TYPES)
)
"""The sessions by id, closed ones included while they are kept."""

NextSession: StorageValue[int] = StorageValue(
    Entry("Sessions", "NextSession", "96ba0fdd9565b5f5", "u64", t.TYPES)
)
"""The id of the next session."""

OpenSessions: StorageMap[t.AccountId32, tuple[int, ...]] = StorageMap(
    Entry(
        "Sessions", "OpenSessions", "91838cf8e629e248", "(Blake2_128Concat AccountId32) -> Vec<u64>", t.TYPES
    )
)
"""The sessions that each requester has open or closing."""

Unclaimed: StorageMap[int, tuple[t.Tranche, ...]] = StorageMap(
    Entry("Sessions", "Unclaimed", "9e6e462245ea602c", "(Twox64Concat u64) -> Vec<Tranche>", t.TYPES)
)
"""What each open session's worker has committed and not claimed."""

Uncleared: StorageMap[t.AccountId32, tuple[t.PendingEpoch, ...]] = StorageMap(
    Entry(
        "Sessions",
        "Uncleared",
        "c7a8af2655f3774e",
        "(Blake2_128Concat AccountId32) -> Vec<PendingEpoch>",
        t.TYPES,
    )
)
"""The earnings of each worker that wait for audits. An epoch that is not listed is settled."""

Barred: StorageMap[t.AccountId32, tuple[()] | None] = StorageMap(
    Entry("Sessions", "Barred", "3ef78de4a11f2184", "(Blake2_128Concat AccountId32) -> ()?", t.TYPES)
)
"""The workers that were slashed; they cannot claim."""

Agenda: StorageDoubleMap[int, int, tuple[()] | None] = StorageDoubleMap(
    Entry("Sessions", "Agenda", "27f1f1e4c3e42d8c", "(Twox64Concat u32, Twox64Concat u64) -> ()?", t.TYPES)
)
"""The sessions to be expired, closed or removed at the end of a block."""

AgendaAt: StorageValue[int] = StorageValue(Entry("Sessions", "AgendaAt", "ec0fd1bcc19fee7e", "u32", t.TYPES))
"""The first block whose agenda may not be empty."""

AwaitingSeed: StorageDoubleMap[int, int, tuple[()] | None] = StorageDoubleMap(
    Entry(
        "Sessions", "AwaitingSeed", "27f1f1e4c3e42d8c", "(Twox64Concat u32, Twox64Concat u64) -> ()?", t.TYPES
    )
)
"""The sessions that wait for the value of a beacon round."""

SeedRound: StorageValue[int] = StorageValue(
    Entry("Sessions", "SeedRound", "ec0fd1bcc19fee7e", "u32", t.TYPES)
)
"""The first round that sessions may wait for."""
