# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `SpotChecks`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class BatchCommitted(PalletEvent):
    """A worker committed its answers of an epoch."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "BatchCommitted",
        "7f49a4fc217216b0",
        "worker: AccountId32, epoch: u32, receipts: u32, amount: u128",
        t.TYPES,
    )
    worker: t.AccountId32
    """The worker."""
    epoch: int
    """The epoch."""
    receipts: int
    """How many answers."""
    amount: int
    """What they cost together."""


@dataclass(frozen=True, slots=True)
class AuditDrawn(PalletEvent):
    """An answer is to be audited; the worker has to open its receipt."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "AuditDrawn",
        "068f27f9701b8b2f",
        "audit: u32, worker: AccountId32, epoch: u32, ordinal: u32, panel: Vec<AccountId32>, deadline: u32",
        t.TYPES,
    )
    audit: int
    """The audit."""
    worker: t.AccountId32
    """The worker."""
    epoch: int
    """The batch's epoch."""
    ordinal: int
    """The receipt's place in the batch."""
    panel: tuple[t.AccountId32, ...]
    """The validators."""
    deadline: int
    """The last block for opening the receipt."""


@dataclass(frozen=True, slots=True)
class AuditSkipped(PalletEvent):
    """A batch goes without audits."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "AuditSkipped",
        "0653a6bf456d5cb4",
        "worker: AccountId32, epoch: u32, reason: SkipReason",
        t.TYPES,
    )
    worker: t.AccountId32
    """The worker."""
    epoch: int
    """The batch's epoch."""
    reason: t.SkipReason
    """Why."""


@dataclass(frozen=True, slots=True)
class ReceiptOpened(PalletEvent):
    """The receipt is open; the panel has to commit references."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "ReceiptOpened",
        "2fc2a9d8f3ea4e12",
        "audit: u32, session: u64, index: u32, positions: Vec<u32>, deadline: u32",
        t.TYPES,
    )
    audit: int
    """The audit."""
    session: int
    """The answer's session."""
    index: int
    """The answer's index in the session."""
    positions: tuple[int, ...]
    """The positions to be checked."""
    deadline: int
    """The last block for commitments."""


@dataclass(frozen=True, slots=True)
class ReferenceCommitted(PalletEvent):
    """A validator committed a reference, or reported that the data was withheld."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "ReferenceCommitted",
        "8a86b3ca6a5e9c0f",
        "audit: u32, validator: AccountId32, withheld: bool",
        t.TYPES,
    )
    audit: int
    """The audit."""
    validator: t.AccountId32
    """The validator."""
    withheld: bool
    """Whether it reported withheld data."""


@dataclass(frozen=True, slots=True)
class LeavesDue(PalletEvent):
    """The references are committed; the worker has to open its leaves."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "LeavesDue", "aeebef25750656d9", "audit: u32, deadline: u32", t.TYPES
    )
    audit: int
    """The audit."""
    deadline: int
    """The last block for opening the leaves."""


@dataclass(frozen=True, slots=True)
class LeavesOpened(PalletEvent):
    """The leaves are open; the panel has to reveal its references."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "LeavesOpened", "6ca3b190a4b9d930", "audit: u32, deadline: u32", t.TYPES
    )
    audit: int
    """The audit."""
    deadline: int
    """The last block for revealing."""


@dataclass(frozen=True, slots=True)
class ReferenceRevealed(PalletEvent):
    """A validator revealed its reference."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "ReferenceRevealed", "358b484f4d40252c", "audit: u32, validator: AccountId32", t.TYPES
    )
    audit: int
    """The audit."""
    validator: t.AccountId32
    """The validator."""


@dataclass(frozen=True, slots=True)
class Decided(PalletEvent):
    """An audit ended."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "Decided",
        "07f7137726d13670",
        "audit: u32, worker: AccountId32, session: u64, index: u32, verdict: Verdict, reason: Reason, position_evidence: i32, margin_evidence: i32, position_total: i32, margin_total: i32",
        t.TYPES,
    )
    audit: int
    """The audit."""
    worker: t.AccountId32
    """The worker."""
    session: int
    """The answer's session."""
    index: int
    """The answer's index in the session."""
    verdict: t.Verdict
    """The verdict."""
    reason: t.Reason
    """Its reason."""
    position_evidence: int
    """Position evidence of this answer, 1/256 nat."""
    margin_evidence: int
    """Margin evidence of this answer, 1/256 nat."""
    position_total: int
    """The worker's position evidence afterwards."""
    margin_total: int
    """The worker's margin evidence afterwards."""


@dataclass(frozen=True, slots=True)
class ReferenceRejected(PalletEvent):
    """A validator's reference was rejected or its report of withheld data refuted; it was fined."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "ReferenceRejected", "876769393d8cc6e7", "audit: u32, validator: AccountId32", t.TYPES
    )
    audit: int
    """The audit."""
    validator: t.AccountId32
    """The validator."""


@dataclass(frozen=True, slots=True)
class MissedDuty(PalletEvent):
    """A validator committed nothing, or did not reveal what it had committed to."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "MissedDuty", "7453131119f260b5", "audit: u32, validator: AccountId32", t.TYPES
    )
    audit: int
    """The audit."""
    validator: t.AccountId32
    """The validator."""


@dataclass(frozen=True, slots=True)
class WorkerFined(PalletEvent):
    """A worker was fined for an answer."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "WorkerFined", "188716703f0b56bd", "worker: AccountId32, amount: u128", t.TYPES
    )
    worker: t.AccountId32
    """The worker."""
    amount: int
    """What was taken from its stake."""


@dataclass(frozen=True, slots=True)
class WorkerSlashed(PalletEvent):
    """A worker was slashed and removed."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "WorkerSlashed",
        "994dd65b8ef35d2e",
        "worker: AccountId32, amount: u128, forfeited: u128",
        t.TYPES,
    )
    worker: t.AccountId32
    """The worker."""
    amount: int
    """What was taken from its stake."""
    forfeited: int
    """What was taken of its uncleared earnings."""


@dataclass(frozen=True, slots=True)
class Equivocated(PalletEvent):
    """A worker signed two receipts for one answer."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "Equivocated",
        "4a61a1221c7bed1a",
        "worker: AccountId32, session: u64, index: u32, reporter: AccountId32",
        t.TYPES,
    )
    worker: t.AccountId32
    """The worker."""
    session: int
    """The answer's session."""
    index: int
    """The answer's index in the session."""
    reporter: t.AccountId32
    """Who reported it."""


@dataclass(frozen=True, slots=True)
class BatchSettled(PalletEvent):
    """A batch's audits are all decided and its earnings released."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "BatchSettled", "01c5cbe43fff50d7", "worker: AccountId32, epoch: u32", t.TYPES
    )
    worker: t.AccountId32
    """The worker."""
    epoch: int
    """The epoch."""


@dataclass(frozen=True, slots=True)
class AuditFloorSet(PalletEvent):
    """Root set the floor under the audit probability."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "AuditFloorSet", "506f5bcad6884c67", "parts_per_million: u32", t.TYPES
    )
    parts_per_million: int
    """Parts per million."""


@dataclass(frozen=True, slots=True)
class ReviewFiled(PalletEvent):
    """Somebody asked for a review of a decided audit and put a bond on hold."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "ReviewFiled",
        "85680c424087a186",
        "audit: u32, of: u32, kind: ReviewKind, by: AccountId32, bond: u128",
        t.TYPES,
    )
    audit: int
    """The number of the audit that will review."""
    of: int
    """The audit that will be reviewed."""
    kind: t.ReviewKind
    """Why."""
    by: t.AccountId32
    """Who asked."""
    bond: int
    """What is on hold."""


@dataclass(frozen=True, slots=True)
class ReviewBegun(PalletEvent):
    """A review has its panel, which has to commit references."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "ReviewBegun",
        "c976641c8dcdfbc1",
        "audit: u32, of: u32, panel: Vec<AccountId32>",
        t.TYPES,
    )
    audit: int
    """The review's number."""
    of: int
    """The audit that is reviewed."""
    panel: tuple[t.AccountId32, ...]
    """The validators."""


@dataclass(frozen=True, slots=True)
class ReviewVoid(PalletEvent):
    """A review found no panel; the bond is free again."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "ReviewVoid", "9e4d8efa1679a057", "audit: u32, of: u32", t.TYPES
    )
    audit: int
    """The review's number."""
    of: int
    """The audit that was to be reviewed."""


@dataclass(frozen=True, slots=True)
class ReviewEnded(PalletEvent):
    """A review ended."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "ReviewEnded", "acdbd8e49781ecc8", "audit: u32, of: u32, forfeited: bool", t.TYPES
    )
    audit: int
    """The review's number."""
    of: int
    """The audit that was reviewed."""
    forfeited: bool
    """What became of the bond: kept by the pot, or given back."""


@dataclass(frozen=True, slots=True)
class Overturned(PalletEvent):
    """A failed answer does not count any more."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "Overturned",
        "4fb750ae20eb9e45",
        "audit: u32, worker: AccountId32, reason: Reason, restored: u128",
        t.TYPES,
    )
    audit: int
    """The audit whose verdict is taken back."""
    worker: t.AccountId32
    """The worker."""
    reason: t.Reason
    """Why."""
    restored: int
    """What came back to its stake."""


@dataclass(frozen=True, slots=True)
class SlashTakenBack(PalletEvent):
    """A slash was taken back with the verdict that had led to it."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "SlashTakenBack",
        "9e396aea1199345f",
        "worker: AccountId32, restored: u128, returned: u128",
        t.TYPES,
    )
    worker: t.AccountId32
    """The worker."""
    restored: int
    """What came back to its stake."""
    returned: int
    """What came back of its earnings."""


@dataclass(frozen=True, slots=True)
class Readmitted(PalletEvent):
    """A slashed worker works again, on probation."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "Readmitted", "626147e31f8392d2", "worker: AccountId32, probation: u32", t.TYPES
    )
    worker: t.AccountId32
    """The worker."""
    probation: int
    """How many of its next audited answers are audited for certain."""


@dataclass(frozen=True, slots=True)
class PlantersSet(PalletEvent):
    """Root chose who may plant faults."""

    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "PlantersSet", "9e8d60b7e8fe3672", "planters: u32", t.TYPES)
    planters: int
    """How many."""


@dataclass(frozen=True, slots=True)
class Planted(PalletEvent):
    """Somebody planted a fault."""

    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "Planted", "7939abb7016ab050", "commitment: H256", t.TYPES)
    commitment: t.H256
    """The commitment."""


@dataclass(frozen=True, slots=True)
class PlantRevealed(PalletEvent):
    """A planted fault was revealed."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "PlantRevealed",
        "a0157edb98522b93",
        "audit: u32, planter: AccountId32, caught: bool",
        t.TYPES,
    )
    audit: int
    """The audit of the planted answer."""
    planter: t.AccountId32
    """Who planted it."""
    caught: bool
    """Whether the panel had failed it."""


@dataclass(frozen=True, slots=True)
class Jackpot(PalletEvent):
    """A validator got the jackpot for failing a planted answer."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "Jackpot",
        "6ac4c8c649a642ec",
        "audit: u32, validator: AccountId32, amount: u128",
        t.TYPES,
    )
    audit: int
    """The audit."""
    validator: t.AccountId32
    """The validator."""
    amount: int
    """What it got."""


@dataclass(frozen=True, slots=True)
class LookedAway(PalletEvent):
    """A validator let a planted answer pass and was fined."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks",
        "LookedAway",
        "73ad333cbd2d54ac",
        "audit: u32, validator: AccountId32, amount: u128",
        t.TYPES,
    )
    audit: int
    """The audit."""
    validator: t.AccountId32
    """The validator."""
    amount: int
    """What was taken."""


@dataclass(frozen=True, slots=True)
class DriftAlarm(PalletEvent):
    """So many workers drift together that slashing for evidence is frozen."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "DriftAlarm", "9eaf86842902a093", "drifting: u32, audited: u32", t.TYPES
    )
    drifting: int
    """Owners whose workers' evidence stands high."""
    audited: int
    """Owners whose workers were audited."""


@dataclass(frozen=True, slots=True)
class Thawed(PalletEvent):
    """Slashing for evidence goes on."""

    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "Thawed", "4ef1198478ec81af", "", t.TYPES)


@dataclass(frozen=True, slots=True)
class PutOffDeadline(PalletEvent):
    """So many deadlines are missed that this one is put off."""

    ENTRY: ClassVar[Entry] = Entry(
        "SpotChecks", "PutOffDeadline", "6bbe1ec584db1773", "audit: u32, deadline: u32", t.TYPES
    )
    audit: int
    """The audit."""
    deadline: int
    """The last block now."""
