# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `SpotChecks`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class NotActiveWorker(PalletError):
    """The caller is not an active bonded worker."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NotActiveWorker", "71de7d101c4fc4a0", "", t.TYPES)


class BatchExists(PalletError):
    """The caller has already committed a batch in this epoch: wait for the next one."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "BatchExists", "20ab07d78fbfd41e", "", t.TYPES)


class NoSegments(PalletError):
    """A batch needs at least one segment."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NoSegments", "c6014df880e4bacb", "", t.TYPES)


class SegmentReversed(PalletError):
    """A segment's last index is below its first."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "SegmentReversed", "0ffd23c34a767019", "", t.TYPES)


class BatchTooLarge(PalletError):
    """A batch holds at most 640 receipts: commit the rest in the next epoch."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "BatchTooLarge", "b5e5c8c35f4d5bc5", "", t.TYPES)


class UnknownAudit(PalletError):
    """No audit has this number, or it has been forgotten."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "UnknownAudit", "28c5f011712268dd", "", t.TYPES)


class NotTheWorker(PalletError):
    """The caller is not the worker of this audit."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NotTheWorker", "1105bf5928747dca", "", t.TYPES)


class NotOnPanel(PalletError):
    """The caller is not on the panel of this audit."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NotOnPanel", "bf095e5184229281", "", t.TYPES)


class WrongStage(PalletError):
    """The audit is at another stage."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "WrongStage", "1ab2b8fd322e320c", "", t.TYPES)


class DeadlinePassed(PalletError):
    """The stage's last block is over."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "DeadlinePassed", "9c59ff9eac0c5ae5", "", t.TYPES)


class WorkerRemoved(PalletError):
    """The worker was removed; its audits are abandoned."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "WorkerRemoved", "bbfe474ac3ea9772", "", t.TYPES)


class UnknownBatch(PalletError):
    """The audit's batch is gone."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "UnknownBatch", "0d00cff464e1bb78", "", t.TYPES)


class SegmentMismatch(PalletError):
    """The segment is not the one that holds the drawn receipt."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "SegmentMismatch", "6cf66fa5459ecbdd", "", t.TYPES)


class SegmentProofInvalid(PalletError):
    """The segment's proof does not lead to the batch's root."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "SegmentProofInvalid", "743033d390fb89e4", "", t.TYPES)


class ReceiptMismatch(PalletError):
    """The receipt is of another answer than the drawn one."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "ReceiptMismatch", "136d6301fb812900", "", t.TYPES)


class ReceiptProofInvalid(PalletError):
    """The receipt's proof does not lead to the segment's root."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "ReceiptProofInvalid", "3f9abcc68a86c349", "", t.TYPES)


class EmptyAnswer(PalletError):
    """The receipt claims an answer without tokens."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "EmptyAnswer", "830024f25c8dcea0", "", t.TYPES)


class UnknownSession(PalletError):
    """The ledger does not know the session."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "UnknownSession", "dcf43363e580a63b", "", t.TYPES)


class SeedMissing(PalletError):
    """The session's seed is not known yet: try again after the running beacon round."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "SeedMissing", "e895beca4d9e99d4", "", t.TYPES)


class PriceOverflow(PalletError):
    """The answer's price exceeds what can be counted."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "PriceOverflow", "eff8b009b251c5bf", "", t.TYPES)


class AlreadyCommitted(PalletError):
    """The caller has committed to this audit before."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "AlreadyCommitted", "76a413ca05aab2da", "", t.TYPES)


class NothingCommitted(PalletError):
    """The caller has not committed to a reference that it could reveal."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NothingCommitted", "40f0b84935f708c1", "", t.TYPES)


class CommitmentMismatch(PalletError):
    """Leaves and salt are not what the caller committed to."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "CommitmentMismatch", "f73d11b87be9be75", "", t.TYPES)


class AlreadyRevealed(PalletError):
    """The caller has revealed its reference before."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "AlreadyRevealed", "bf969dfc31e78aa8", "", t.TYPES)


class LeavesMismatch(PalletError):
    """The leaves are not of the drawn positions, in order."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "LeavesMismatch", "0fe4984444d677fd", "", t.TYPES)


class LeafProofInvalid(PalletError):
    """The leaves' proof does not lead to the transcript's root."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "LeafProofInvalid", "27386d10b8935744", "", t.TYPES)


class SameReceipt(PalletError):
    """Both receipts are the same."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "SameReceipt", "1c2798fed0a9961a", "", t.TYPES)


class DifferentAnswers(PalletError):
    """The receipts are of different answers."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "DifferentAnswers", "dc13ffc1b2f2361f", "", t.TYPES)


class SignatureInvalid(PalletError):
    """A receipt is not signed by the worker."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "SignatureInvalid", "535cdfa5961cda0e", "", t.TYPES)


class NotBonded(PalletError):
    """The worker has no stake to take."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NotBonded", "045e0644ff9dfd53", "", t.TYPES)


class FloorTooHigh(PalletError):
    """A probability is at most 1,000,000 parts per million."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "FloorTooHigh", "9c762af426548c4c", "", t.TYPES)


class NotCovered(PalletError):
    """The segment does not cover this answer."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NotCovered", "7255e6e77bd89278", "", t.TYPES)


class ReceiptsMissing(PalletError):
    """The receipts are not those of the whole segment, in order."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "ReceiptsMissing", "d22b95687e1b3a67", "", t.TYPES)


class NoDifference(PalletError):
    """What was signed is what was committed."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NoDifference", "9e6c747425da2096", "", t.TYPES)


class NotReviewable(PalletError):
    """The audit is not one that can be reviewed in this way."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NotReviewable", "7d94dfa0dfc5d875", "", t.TYPES)


class ReviewTooLate(PalletError):
    """The time for reviews of this audit is over."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "ReviewTooLate", "a8db4d9d7fdb947d", "", t.TYPES)


class AlreadyReviewed(PalletError):
    """The caller has asked for a review of this audit before."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "AlreadyReviewed", "ec3bb30cec286812", "", t.TYPES)


class BadExceptions(PalletError):
    """Exceptions are up to 16 positions of the answer, ascending, that were not drawn."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "BadExceptions", "6f92c6529039ceb8", "", t.TYPES)


class TooManyAudits(PalletError):
    """No more audits can be counted."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "TooManyAudits", "1a8e57d8b93b4b42", "", t.TYPES)


class NotPlanter(PalletError):
    """The caller may not plant faults."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NotPlanter", "cadf0da91182862f", "", t.TYPES)


class AlreadyPlanted(PalletError):
    """This was planted already."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "AlreadyPlanted", "098281524ac7513a", "", t.TYPES)


class TooManyPlants(PalletError):
    """The caller has as many plants waiting as there may be: reveal some."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "TooManyPlants", "62057efbc9d14d58", "", t.TYPES)


class UnknownPlant(PalletError):
    """The caller has not planted this answer, or so long ago that it was forgotten."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "UnknownPlant", "ed610ffe69341a25", "", t.TYPES)


class PlantedTooLate(PalletError):
    """It was planted after the answer's batch was sealed."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "PlantedTooLate", "1a396eeba5bc0690", "", t.TYPES)


class PlantQuotaReached(PalletError):
    """Too many audits turned out to be planted: wait for more audits."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "PlantQuotaReached", "b8e07fcd8371f953", "", t.TYPES)


class NotFrozen(PalletError):
    """Slashing is not frozen."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "NotFrozen", "99184cffcd89eb12", "", t.TYPES)


class StakeTooSmall(PalletError):
    """A batch may be worth a twentieth of the stake: raise the stake, or commit the rest in the next
    epoch.
    """

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("SpotChecks", "StakeTooSmall", "f7d2cec338474c93", "", t.TYPES)
