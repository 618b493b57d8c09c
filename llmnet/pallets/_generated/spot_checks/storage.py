# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `SpotChecks`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
)

from .. import types as t

Batches: StorageDoubleMap[t.AccountId32, int, t.Batch | None] = StorageDoubleMap(
    Entry(
        "SpotChecks",
        "Batches",
        "737e0235009cca94",
        "(Blake2_128Concat AccountId32, Twox64Concat u32) -> Batch?",
        t.TYPES,
    )
)
"""What workers committed, until `VerdictRetention` blocks after it was closed."""

BatchSpans: StorageDoubleMap[t.AccountId32, int, tuple[t.Span, ...]] = StorageDoubleMap(
    Entry(
        "SpotChecks",
        "BatchSpans",
        "95036d431be1a5c2",
        "(Blake2_128Concat AccountId32, Twox64Concat u32) -> Vec<Span>",
        t.TYPES,
    )
)
"""Where the segments of a batch begin, until it is drawn."""

Undrawn: StorageDoubleMap[int, tuple[t.AccountId32, int], tuple[()] | None] = StorageDoubleMap(
    Entry(
        "SpotChecks",
        "Undrawn",
        "17a75363b48e12fb",
        "(Twox64Concat u32, Blake2_128Concat (AccountId32, u32)) -> ()?",
        t.TYPES,
    )
)
"""The batches that wait for a draw, by the round in which they were sealed."""

DrawRound: StorageValue[int] = StorageValue(
    Entry("SpotChecks", "DrawRound", "4a469d2db99ef4a1", "u32", t.TYPES)
)
"""The first round that may have undrawn batches."""

NextAudit: StorageValue[int] = StorageValue(
    Entry("SpotChecks", "NextAudit", "4a469d2db99ef4a1", "u32", t.TYPES)
)
"""The next audit's number."""

Audits: StorageMap[int, t.Audit | None] = StorageMap(
    Entry("SpotChecks", "Audits", "bab892b9ba6acc09", "(Twox64Concat u32) -> Audit?", t.TYPES)
)
"""The audits, decided ones until `VerdictRetention` blocks after the decision."""

AuditOf: StorageMap[tuple[int, int], int | None] = StorageMap(
    Entry("SpotChecks", "AuditOf", "5261a39c78b90e5d", "(Twox64Concat (u64, u32)) -> u32?", t.TYPES)
)
"""Which audit looks at an answer."""

OfWorker: StorageDoubleMap[t.AccountId32, int, tuple[()] | None] = StorageDoubleMap(
    Entry(
        "SpotChecks",
        "OfWorker",
        "24de500f29b761e1",
        "(Blake2_128Concat AccountId32, Twox64Concat u32) -> ()?",
        t.TYPES,
    )
)
"""The open audits of a worker."""

OfValidator: StorageDoubleMap[t.AccountId32, int, tuple[()] | None] = StorageDoubleMap(
    Entry(
        "SpotChecks",
        "OfValidator",
        "24de500f29b761e1",
        "(Blake2_128Concat AccountId32, Twox64Concat u32) -> ()?",
        t.TYPES,
    )
)
"""The open audits with a validator on the panel."""

OpenedLeaves: StorageMap[int, tuple[t.Leaf, ...] | None] = StorageMap(
    Entry("SpotChecks", "OpenedLeaves", "af8793680fe71889", "(Twox64Concat u32) -> Vec<Leaf>?", t.TYPES)
)
"""The leaves a worker opened, until the decision."""

References: StorageDoubleMap[int, t.AccountId32, tuple[t.Leaf, ...] | None] = StorageDoubleMap(
    Entry(
        "SpotChecks",
        "References",
        "2e11745391ee6c3f",
        "(Twox64Concat u32, Blake2_128Concat AccountId32) -> Vec<Leaf>?",
        t.TYPES,
    )
)
"""The references that validators revealed, until the decision."""

Workers: StorageMap[t.AccountId32, t.WorkerState] = StorageMap(
    Entry(
        "SpotChecks", "Workers", "8258f395eec46c8a", "(Blake2_128Concat AccountId32) -> WorkerState", t.TYPES
    )
)
"""What audits have found about each worker."""

AuditFloor: StorageValue[int] = StorageValue(
    Entry("SpotChecks", "AuditFloor", "4a469d2db99ef4a1", "u32", t.TYPES)
)
"""Root's floor under the audit probability, in parts per million."""

Reviews: StorageMap[int, t.Review | None] = StorageMap(
    Entry("SpotChecks", "Reviews", "b215f052db2cad4d", "(Twox64Concat u32) -> Review?", t.TYPES)
)
"""The audits that review others, by their own number, as long as they are kept."""

ReviewOf: StorageDoubleMap[int, t.AccountId32, int | None] = StorageDoubleMap(
    Entry(
        "SpotChecks",
        "ReviewOf",
        "c5b0574ac2a2940c",
        "(Twox64Concat u32, Blake2_128Concat AccountId32) -> u32?",
        t.TYPES,
    )
)
"""The reviews of an audit, by who asked for them."""

UndrawnReviews: StorageDoubleMap[int, int, tuple[()] | None] = StorageDoubleMap(
    Entry(
        "SpotChecks",
        "UndrawnReviews",
        "cf45f0845ec32ded",
        "(Twox64Concat u32, Twox64Concat u32) -> ()?",
        t.TYPES,
    )
)
"""The reviews that wait for a panel, by the beacon round in which they were asked for."""

Records: StorageMap[int, t.Record | None] = StorageMap(
    Entry("SpotChecks", "Records", "5af5f82903b7bfa2", "(Twox64Concat u32) -> Record?", t.TYPES)
)
"""What is remembered of decided audits for their reviews."""

Slashes: StorageMap[t.AccountId32, t.Slash | None] = StorageMap(
    Entry("SpotChecks", "Slashes", "7d9568615a5d65da", "(Blake2_128Concat AccountId32) -> Slash?", t.TYPES)
)
"""What slashes for evidence have taken from removed workers."""

StrikesServed: StorageMap[t.AccountId32, int] = StorageMap(
    Entry("SpotChecks", "StrikesServed", "271e73e4e61cafa0", "(Blake2_128Concat AccountId32) -> u32", t.TYPES)
)
"""How many strikes each worker has served by probation."""

PlanterSet: StorageValue[tuple[t.AccountId32, ...]] = StorageValue(
    Entry("SpotChecks", "PlanterSet", "06c4547d8977403a", "Vec<AccountId32>", t.TYPES)
)
"""Who may plant faults."""

Plants: StorageMap[t.H256, t.Plant | None] = StorageMap(
    Entry("SpotChecks", "Plants", "fb6dc16543b65ee0", "(Blake2_128Concat H256) -> Plant?", t.TYPES)
)
"""The planted faults that are not revealed, by their commitments."""

PlantsOf: StorageMap[t.AccountId32, int] = StorageMap(
    Entry("SpotChecks", "PlantsOf", "271e73e4e61cafa0", "(Blake2_128Concat AccountId32) -> u32", t.TYPES)
)
"""How many plants of each planter are not revealed."""

PlantTally: StorageValue[t.Tally] = StorageValue(
    Entry("SpotChecks", "PlantTally", "2d60436bb7d14a73", "Tally", t.TYPES)
)
"""Audits and plants so far."""

DriftWatch: StorageValue[t.Drift] = StorageValue(
    Entry("SpotChecks", "DriftWatch", "7f7b1329640250c7", "Drift", t.TYPES)
)
"""Who was audited of late and whose evidence stands high."""

DriftSeen: StorageMap[t.AccountId32, tuple[int | None, int | None]] = StorageMap(
    Entry(
        "SpotChecks",
        "DriftSeen",
        "de84ba0bd570f49b",
        "(Blake2_128Concat AccountId32) -> (Option<u32>, Option<u32>)",
        t.TYPES,
    )
)
"""In which period of the drift watch each owner was last audited, and last counted as drifting."""

OutageWatch: StorageValue[t.Outage] = StorageValue(
    Entry("SpotChecks", "OutageWatch", "53207647a83f0004", "Outage", t.TYPES)
)
"""How many deadlines were missed of late."""

PutOff: StorageMap[int, int] = StorageMap(
    Entry("SpotChecks", "PutOff", "07eb8a4b7fd5cbaa", "(Twox64Concat u32) -> u32", t.TYPES)
)
"""How often the deadline of an open audit's stage was put off."""

Agenda: StorageMap[int, tuple[t.Due, ...]] = StorageMap(
    Entry("SpotChecks", "Agenda", "4e62e8c46c2372e5", "(Twox64Concat u32) -> Vec<Due>", t.TYPES)
)
"""What is due in a block."""

AgendaCursor: StorageValue[int] = StorageValue(
    Entry("SpotChecks", "AgendaCursor", "4a469d2db99ef4a1", "u32", t.TYPES)
)
"""The first block of the agenda that is not worked off."""
