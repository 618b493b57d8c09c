# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `SpotChecks`."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.chain import Call, Entry

from .. import types as t

_COMMIT_BATCH = Entry("SpotChecks", "commit_batch", "e96c06fb297eefc2", "segments: Vec<Segment>", t.TYPES)


def commit_batch(segments: Sequence[t.Segment]) -> Call:
    """Commit the answers of the current epoch: once, by an active worker."""
    return Call("SpotChecks", "commit_batch", {"segments": segments}, _COMMIT_BATCH)


_OPEN_RECEIPT = Entry(
    "SpotChecks",
    "open_receipt",
    "461d4d38e81037bc",
    "audit: u32, placed: PlacedSegment, segment_proof: Vec<H256>, receipt: Receipt, receipt_proof: Vec<H256>",
    t.TYPES,
)


def open_receipt(
    audit: int,
    placed: t.PlacedSegment,
    segment_proof: Sequence[t.H256],
    receipt: t.Receipt,
    receipt_proof: Sequence[t.H256],
) -> Call:
    """Open the drawn receipt: the segment that holds it with its proof against the batch, and the receipt
    with its proof against the segment. By the audit's worker.
    """
    return Call(
        "SpotChecks",
        "open_receipt",
        {
            "audit": audit,
            "placed": placed,
            "segment_proof": segment_proof,
            "receipt": receipt,
            "receipt_proof": receipt_proof,
        },
        _OPEN_RECEIPT,
    )


_COMMIT_REFERENCE = Entry(
    "SpotChecks",
    "commit_reference",
    "a1e58d752a711c81",
    "audit: u32, commitment: ReferenceCommitment",
    t.TYPES,
)


def commit_reference(audit: int, commitment: t.ReferenceCommitment) -> Call:
    """Commit to a reference, or report that the data was withheld. By each validator of the panel, once."""
    return Call(
        "SpotChecks", "commit_reference", {"audit": audit, "commitment": commitment}, _COMMIT_REFERENCE
    )


_OPEN_LEAVES = Entry(
    "SpotChecks",
    "open_leaves",
    "26503f70bb25622b",
    "audit: u32, leaves: Vec<Leaf>, proof: Vec<H256>",
    t.TYPES,
)


def open_leaves(audit: int, leaves: Sequence[t.Leaf], proof: Sequence[t.H256]) -> Call:
    """Open the leaves of the drawn positions with their proof against the receipt's transcript. By the
    worker.
    """
    return Call("SpotChecks", "open_leaves", {"audit": audit, "leaves": leaves, "proof": proof}, _OPEN_LEAVES)


_REVEAL_REFERENCE = Entry(
    "SpotChecks",
    "reveal_reference",
    "71c86c92554e04b9",
    "audit: u32, leaves: Vec<Leaf>, salt: [u8; 32]",
    t.TYPES,
)


def reveal_reference(audit: int, leaves: Sequence[t.Leaf], salt: bytes) -> Call:
    """Reveal the reference that was committed to. The last one to do so brings about the verdict."""
    return Call(
        "SpotChecks", "reveal_reference", {"audit": audit, "leaves": leaves, "salt": salt}, _REVEAL_REFERENCE
    )


_REPORT_EQUIVOCATION = Entry(
    "SpotChecks",
    "report_equivocation",
    "4a2815983facb18a",
    "worker: AccountId32, first: Receipt, first_signature: [u8; 64], second: Receipt, second_signature: [u8; 64]",
    t.TYPES,
)


def report_equivocation(
    worker: t.AccountId32,
    first: t.Receipt,
    first_signature: bytes,
    second: t.Receipt,
    second_signature: bytes,
) -> Call:
    """Report two different receipts that a worker signed for one answer. It is slashed, the reporter gets
    a tenth.
    """
    return Call(
        "SpotChecks",
        "report_equivocation",
        {
            "worker": worker,
            "first": first,
            "first_signature": first_signature,
            "second": second,
            "second_signature": second_signature,
        },
        _REPORT_EQUIVOCATION,
    )


_SET_AUDIT_FLOOR = Entry(
    "SpotChecks", "set_audit_floor", "39ea0162fb6dcddb", "parts_per_million: u32", t.TYPES
)


def set_audit_floor(parts_per_million: int) -> Call:
    """Set the floor under the audit probability, in parts per million. By root."""
    return Call("SpotChecks", "set_audit_floor", {"parts_per_million": parts_per_million}, _SET_AUDIT_FLOOR)


_REPORT_COMMITTED = Entry(
    "SpotChecks",
    "report_committed",
    "240c73e30ad81e09",
    "worker: AccountId32, epoch: u32, place: u32, placed: PlacedSegment, segment_proof: Vec<H256>, committed: Receipt, receipt_proof: Vec<H256>, signed: Receipt, signature: [u8; 64]",
    t.TYPES,
)


def report_committed(
    worker: t.AccountId32,
    epoch: int,
    place: int,
    placed: t.PlacedSegment,
    segment_proof: Sequence[t.H256],
    committed: t.Receipt,
    receipt_proof: Sequence[t.H256],
    signed: t.Receipt,
    signature: bytes,
) -> Call:
    """Report a signed receipt that differs from the one that stands for its answer in the worker's batch
    of `epoch`: the segment at `place` of the batch and the committed receipt, each with its proof. The
    worker is slashed, the reporter gets a tenth.
    """
    return Call(
        "SpotChecks",
        "report_committed",
        {
            "worker": worker,
            "epoch": epoch,
            "place": place,
            "placed": placed,
            "segment_proof": segment_proof,
            "committed": committed,
            "receipt_proof": receipt_proof,
            "signed": signed,
            "signature": signature,
        },
        _REPORT_COMMITTED,
    )


_REPORT_SEGMENT = Entry(
    "SpotChecks",
    "report_segment",
    "65c3c5194ebac0e0",
    "worker: AccountId32, epoch: u32, place: u32, placed: PlacedSegment, segment_proof: Vec<H256>, signed: Vec<(Receipt, [u8; 64])>",
    t.TYPES,
)


def report_segment(
    worker: t.AccountId32,
    epoch: int,
    place: int,
    placed: t.PlacedSegment,
    segment_proof: Sequence[t.H256],
    signed: Sequence[tuple[t.Receipt, bytes]],
) -> Call:
    """Report that the receipts which a worker signed for all answers of a segment are not those it
    committed: their root is another one. The worker is slashed, the reporter gets a tenth.
    """
    return Call(
        "SpotChecks",
        "report_segment",
        {
            "worker": worker,
            "epoch": epoch,
            "place": place,
            "placed": placed,
            "segment_proof": segment_proof,
            "signed": signed,
        },
        _REPORT_SEGMENT,
    )


_REPORT_OPENED = Entry(
    "SpotChecks",
    "report_opened",
    "e1efbbd043d19b74",
    "audit: u32, signed: Receipt, signature: [u8; 64]",
    t.TYPES,
)


def report_opened(audit: int, signed: t.Receipt, signature: bytes) -> Call:
    """Report a signed receipt that differs from the one which the worker opened in an audit of the same
    answer. The worker is slashed, the reporter gets a tenth.
    """
    return Call(
        "SpotChecks",
        "report_opened",
        {"audit": audit, "signed": signed, "signature": signature},
        _REPORT_OPENED,
    )


_CHALLENGE = Entry("SpotChecks", "challenge", "9393a1817c51d299", "audit: u32, exceptions: Vec<u32>", t.TYPES)


def challenge(audit: int, exceptions: Sequence[int]) -> Call:
    """Name positions of a passed answer at which there is fraud. By a validator whose reference was used;
    a fine's worth of its money goes on hold, and to the pot if the answer passes again.
    """
    return Call("SpotChecks", "challenge", {"audit": audit, "exceptions": exceptions}, _CHALLENGE)


_APPEAL = Entry("SpotChecks", "appeal", "d62919600d16b304", "audit: u32", t.TYPES)


def appeal(audit: int) -> Call:
    """Have a failed answer judged again by five other validators. By the worker; a fine's worth of its
    money goes on hold, and to the pot if the answer fails again.
    """
    return Call("SpotChecks", "appeal", {"audit": audit}, _APPEAL)


_SET_PLANTERS = Entry("SpotChecks", "set_planters", "457c9c65884a1d02", "planters: Vec<AccountId32>", t.TYPES)


def set_planters(planters: Sequence[t.AccountId32]) -> Call:
    """Choose who may plant faults. By root."""
    return Call("SpotChecks", "set_planters", {"planters": planters}, _SET_PLANTERS)


_PLANT = Entry("SpotChecks", "plant", "ea810923998be3b2", "commitment: H256", t.TYPES)


def plant(commitment: t.H256) -> Call:
    """Plant a fault: `H("plant", caller ++ session ++ index ++ worker ++ salt)` of an answer that will be
    wrong.
    """
    return Call("SpotChecks", "plant", {"commitment": commitment}, _PLANT)


_REVEAL_PLANT = Entry("SpotChecks", "reveal_plant", "34cb75577666228f", "audit: u32, salt: [u8; 32]", t.TYPES)


def reveal_plant(audit: int, salt: bytes) -> Call:
    """Reveal that the answer of a decided audit was planted by the caller. If it passed, a fine's worth of
    the caller's money goes on hold, and to the pot if five others pass it too.
    """
    return Call("SpotChecks", "reveal_plant", {"audit": audit, "salt": salt}, _REVEAL_PLANT)


_THAW = Entry("SpotChecks", "thaw", "619a68432a7019f2", "", t.TYPES)


def thaw() -> Call:
    """End a freeze of slashing. By root."""
    return Call("SpotChecks", "thaw", {}, _THAW)
