"""Batches, audits and verdicts (`runtime_spec/pallets/spot_checks`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, get_args

from llmnet.chain import Call, Variant, View
from llmnet.proof import FinishReason, Leaf, PlacedSegment, Receipt, Segment

from ._convert import enum_from_chain, named, record, to_chain

PALLET = "SpotChecks"
MILLION = 1_000_000

BatchState = Literal["Sealed", "Drawn", "Settled", "Forfeited"]
Verdict = Literal["Passed", "Failed", "Abstained"]
Reason = Literal[
    "Clean",
    "Positions",
    "SelfConsistency",
    "Token",
    "Margin",
    "ReceiptMissed",
    "LeavesMissed",
    "Withheld",
    "NoQuorum",
    "Disagreement",
    "NotCalibrated",
    "Abandoned",
]
BATCH_STATES: tuple[BatchState, ...] = get_args(BatchState)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
REASONS: tuple[Reason, ...] = get_args(Reason)


class Stage(IntEnum):
    """Where an audit stands; names what happened last."""

    DRAWN = 0
    RECEIPT_OPENED = 1
    REFERENCED = 2
    LEAVES_OPENED = 3
    DECIDED = 4


@dataclass(frozen=True, slots=True)
class Member:
    """A validator on a panel. `commitment` is None before it acted, `Variant("Reference", hash)` or `Variant("Withheld")`."""

    validator: bytes
    commitment: Variant | None
    revealed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of the audited answer once its receipt is open. `price` in plancks."""

    receipt: Receipt
    requester: bytes
    spec: bytes
    domain: int
    price: int
    request_seed: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an audit ended. Evidence in 1/256 nat; the totals are the worker's after it."""

    audit: int
    verdict: Verdict
    reason: Reason
    position_evidence: int
    margin_evidence: int
    position_total: int
    margin_total: int
    block: int


@dataclass(frozen=True, slots=True)
class Audit:
    """One drawn answer on its way to a verdict; `deadline` is the last block in which the stage's actors may act."""

    worker: bytes
    epoch: int
    ordinal: int
    segment: int
    session: int
    index: int
    mean_price: int
    seed: bytes
    stage: Stage
    deadline: int
    panel: tuple[Member, ...]
    answer: Answer | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Duty:
    """An open audit. `acted`: the stage asks nothing more of the validator, because it has acted or it is another's turn."""

    audit: int
    stage: Stage
    deadline: int
    acted: bool = False


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What audits have found about a worker; evidence in 1/256 nat."""

    position: int
    margin: int
    probation: int
    clean: int
    passed: int
    failed: int
    abstained: int
    removed: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker committed in one epoch; `amount` in plancks, `round` the beacon round in which it was sealed."""

    root: bytes
    segments: int
    receipts: int
    amount: int
    round: int
    state: BatchState
    drawn: int
    pending: int


def commit_batch(segments: Sequence[Segment]) -> Call:
    """Commit an epoch's answers: 1 to 256 segments, one batch per epoch."""
    return Call(PALLET, "commit_batch", {"segments": to_chain(list(segments))})


def open_receipt(
    audit: int,
    placed: PlacedSegment,
    segment_proof: Sequence[bytes],
    receipt: Receipt,
    receipt_proof: Sequence[bytes],
) -> Call:
    """The worker shows the drawn receipt and that it stands in the batch."""
    return Call(
        PALLET,
        "open_receipt",
        {
            "audit": audit,
            "placed": to_chain(placed),
            "segment_proof": list(segment_proof),
            "receipt": to_chain(receipt),
            "receipt_proof": list(receipt_proof),
        },
    )


def commit_reference(audit: int, commitment: bytes) -> Call:
    """A validator commits to its reference leaves."""
    return Call(PALLET, "commit_reference", {"audit": audit, "commitment": Variant("Reference", commitment)})


def report_withheld(audit: int) -> Call:
    """A validator says that the worker refused the data, or that it does not match the receipt."""
    return Call(PALLET, "commit_reference", {"audit": audit, "commitment": Variant("Withheld")})


def open_leaves(audit: int, leaves: Sequence[Leaf], proof: Sequence[bytes]) -> Call:
    """The worker opens its leaves at the drawn positions."""
    return Call(
        PALLET, "open_leaves", {"audit": audit, "leaves": to_chain(list(leaves)), "proof": list(proof)}
    )


def reveal_reference(audit: int, leaves: Sequence[Leaf], salt: bytes) -> Call:
    """A validator reveals what it committed to."""
    return Call(PALLET, "reveal_reference", {"audit": audit, "leaves": to_chain(list(leaves)), "salt": salt})


def report_equivocation(
    worker: bytes, first: Receipt, first_signature: bytes, second: Receipt, second_signature: bytes
) -> Call:
    """Show two receipts that the worker signed for one request index."""
    return Call(
        PALLET,
        "report_equivocation",
        {
            "worker": worker,
            "first": to_chain(first),
            "first_signature": first_signature,
            "second": to_chain(second),
            "second_signature": second_signature,
        },
    )


def set_audit_floor(parts_per_million: int) -> Call:
    """The least audit probability (root)."""
    return Call(PALLET, "set_audit_floor", {"parts_per_million": parts_per_million})


def _outcome(value: Mapping[str, Any]) -> Outcome:
    evidence, total = value["evidence"], value["total"]
    return record(
        Outcome,
        value,
        verdict=named(VERDICTS, value["verdict"]),
        reason=named(REASONS, value["reason"]),
        position_evidence=evidence["position"],
        margin_evidence=evidence["margin"],
        position_total=total["position"],
        margin_total=total["margin"],
    )


def _answer(value: Mapping[str, Any]) -> Answer:
    receipt = value["receipt"]
    return record(
        Answer,
        value,
        receipt=record(Receipt, receipt, finish=enum_from_chain(FinishReason, receipt["finish"])),
    )


def _audit(value: Mapping[str, Any]) -> Audit:
    return record(
        Audit,
        value,
        stage=enum_from_chain(Stage, value["stage"]),
        panel=tuple(record(Member, member) for member in value["panel"]),
        answer=None if value["answer"] is None else _answer(value["answer"]),
        outcome=None if value["outcome"] is None else _outcome(value["outcome"]),
    )


async def audit(view: View, number: int) -> Audit | None:
    """An audit, until it is forgotten."""
    value = await view.view_function(PALLET, "audit", id=number)
    return None if value is None else _audit(value)


async def due_of_worker(view: View, worker: bytes) -> list[Duty]:
    """Audits that wait for this worker."""
    due = await view.view_function(PALLET, "due_of_worker", worker=worker)
    return [Duty(number, enum_from_chain(Stage, stage), deadline) for number, stage, deadline in due]


async def assignments(view: View, validator: bytes) -> list[Duty]:
    """Open audits with this validator on the panel."""
    listed = await view.view_function(PALLET, "assignments", validator=validator)
    return [
        Duty(number, enum_from_chain(Stage, stage), deadline, acted)
        for number, stage, deadline, acted in listed
    ]


async def worker_state(view: View, worker: bytes) -> WorkerState:
    """A worker's record."""
    value = await view.view_function(PALLET, "worker_state", worker=worker)
    return record(
        WorkerState, value, position=value["evidence"]["position"], margin=value["evidence"]["margin"]
    )


async def audit_probability(view: View, worker: bytes) -> float:
    """How probably an answer of this worker is audited now, 0 to 1."""
    parts: int = await view.view_function(PALLET, "audit_probability", worker=worker)
    return parts / MILLION


async def current_epoch(view: View) -> int:
    """The epoch of the block."""
    epoch: int = await view.view_function(PALLET, "current_epoch")
    return epoch


async def batch(view: View, worker: bytes, epoch: int) -> Batch | None:
    """A worker's batch of an epoch, until it is forgotten."""
    value = await view.view_function(PALLET, "batch", worker=worker, epoch=epoch)
    return None if value is None else record(Batch, value, state=named(BATCH_STATES, value["state"]))


async def verdict_of(view: View, session: int, index: int) -> Outcome | None:
    """How the audit of an answer ended, if it was drawn and decided."""
    value = await view.view_function(PALLET, "verdict_of", session=session, index=index)
    return None if value is None else _outcome(value)


async def positions(view: View, number: int) -> list[int]:
    """The positions drawn for an audit, once its receipt is open."""
    return list(await view.view_function(PALLET, "positions", audit=number))
