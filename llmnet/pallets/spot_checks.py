"""Batches, audits and verdicts (`runtime_spec/pallets/spot_checks`)."""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.chain import Call, View

from ._generated.spot_checks import calls, constants, errors, events, storage, views
from ._generated.spot_checks.calls import (
    appeal,
    challenge,
    commit_batch,
    open_leaves,
    open_receipt,
    plant,
    report_committed,
    report_equivocation,
    report_opened,
    report_segment,
    reveal_plant,
    reveal_reference,
    set_audit_floor,
    set_planters,
    thaw,
)
from ._generated.spot_checks.views import (
    audit,
    batch,
    current_epoch,
    outage,
    planters,
    positions,
    review,
    reviews_of,
    slashing_frozen,
    verdict_of,
    worker_state,
)
from ._generated.types import (
    Answer,
    Audit,
    Batch,
    BatchState,
    Evidence,
    Member,
    Outcome,
    Reason,
    ReferenceCommitmentReference,
    ReferenceCommitmentWithheld,
    Review,
    ReviewKind,
    Stage,
    Verdict,
    WorkerState,
)

MILLION = 1_000_000
# What a batch may hold: so many receipts, and a worth of which the stake can pay the fine.
MAX_RECEIPTS = 640
FINE_REWARDS = 20
MAX_EXCEPTIONS = 16  # positions that a challenge may name
DOUBTFUL = (Reason.POSITIONS, Reason.TOKEN, Reason.MARGIN, Reason.ACCUMULATED, Reason.WITHHELD)
"""Reasons of a failure that can be appealed: what other validators could see otherwise."""


@dataclass(frozen=True, slots=True)
class Duty:
    """An open audit. `acted`: the stage asks nothing more of the validator, because it has acted or it is another's turn."""

    audit: int
    stage: Stage
    deadline: int
    acted: bool = False


def commit_reference(audit: int, commitment: bytes) -> Call:
    """A validator commits to its reference leaves."""
    return calls.commit_reference(audit, ReferenceCommitmentReference(commitment))


def report_withheld(audit: int) -> Call:
    """A validator says that the worker refused the data, or that it does not match the receipt."""
    return calls.commit_reference(audit, ReferenceCommitmentWithheld())


def committed_to(member: Member) -> bytes | None:
    """The hash of the reference leaves that a member of the panel committed to, if it did."""
    commitment = member.commitment
    return commitment.value if isinstance(commitment, ReferenceCommitmentReference) else None


async def due_of_worker(view: View, worker: bytes) -> list[Duty]:
    """Audits that wait for this worker."""
    return [Duty(*due) for due in await views.due_of_worker(view, worker)]


async def assignments(view: View, validator: bytes) -> list[Duty]:
    """Open audits with this validator on the panel."""
    return [Duty(*assigned) for assigned in await views.assignments(view, validator)]


async def audit_probability(view: View, worker: bytes) -> float:
    """How probably an answer of this worker is audited now, 0 to 1."""
    return await views.audit_probability(view, worker) / MILLION


__all__ = [
    "DOUBTFUL",
    "FINE_REWARDS",
    "MAX_EXCEPTIONS",
    "MAX_RECEIPTS",
    "Answer",
    "Audit",
    "Batch",
    "BatchState",
    "Duty",
    "Evidence",
    "Member",
    "Outcome",
    "Reason",
    "ReferenceCommitmentReference",
    "ReferenceCommitmentWithheld",
    "Review",
    "ReviewKind",
    "Stage",
    "Verdict",
    "WorkerState",
    "appeal",
    "assignments",
    "audit",
    "audit_probability",
    "batch",
    "challenge",
    "commit_batch",
    "commit_reference",
    "committed_to",
    "constants",
    "current_epoch",
    "due_of_worker",
    "errors",
    "events",
    "open_leaves",
    "open_receipt",
    "outage",
    "plant",
    "planters",
    "positions",
    "report_committed",
    "report_equivocation",
    "report_opened",
    "report_segment",
    "report_withheld",
    "reveal_plant",
    "reveal_reference",
    "review",
    "reviews_of",
    "set_audit_floor",
    "set_planters",
    "slashing_frozen",
    "storage",
    "thaw",
    "verdict_of",
    "worker_state",
]
