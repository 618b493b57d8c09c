"""The verdict on one answer: the pure function that the chain computes when all is revealed (protocol section
7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from .consensus import Consensus, Median, Reference, agree
from .leaf import Leaf
from .sampler import Margin, margin, self_consistent
from .scoring import (
    EVIDENCE_MAX,
    MARGIN_FAIL,
    MARGIN_HIT,
    MARGIN_MISS,
    Sprt,
    clip,
    distance,
    exception_evidence,
    exception_misses,
    position_evidence,
    sprt,
)
from .service import Calibration, ServiceSpec

_MARGIN_EVIDENCE = {Margin.HIT: MARGIN_HIT, Margin.MISS: MARGIN_MISS, Margin.NOT_COUNTED: 0}


class Verdict(Enum):
    """Abstaining punishes nobody for the answer."""

    PASS = "pass"  # noqa: S105 - a verdict, not a secret
    FAIL = "fail"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class PositionScore:
    """One opened position against the consensus; evidence in 1/256 nat."""

    position: int
    d2_logit: int
    d2_hidden: int
    evidence: int
    margin: Margin
    self_consistent: bool
    token_matches: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and all that led to it.

    `position_evidence` and `margin_evidence` go to the worker's CUSUMs (0 when abstaining).
    """

    verdict: Verdict
    position_evidence: int
    margin_evidence: int
    sprt: Sprt
    self_consistent: bool
    tokens_match: bool
    accepted: tuple[bytes, ...]
    rejected: tuple[bytes, ...]
    nearest: bytes | None
    positions: tuple[PositionScore, ...]


def judge(
    leaves: Sequence[Leaf],
    references: Sequence[Reference],
    calibration: Calibration,
    spec: ServiceSpec,
    request_seed: bytes,
    temperature: int,
) -> Judgement:
    """Judge a worker's opened leaves (positions ascending) against the revealed references.

    Total, as on the chain: malformed leaves of the worker are judged, and references that do not have the
    leaves' positions are rejected, which leads to abstaining when too few are left.
    """
    consensus = agree(references, spec, [leaf.position for leaf in leaves])
    if consensus.nearest is None:
        return _abstain(consensus)
    rows = zip(leaves, consensus.nearest.leaves, consensus.medians, strict=True)
    scored = tuple(_score(*row, calibration, spec, request_seed, temperature) for row in rows)
    return _conclude(scored, consensus, sprt([(row.d2_logit, row.d2_hidden) for row in scored], calibration))


def judge_exceptions(
    leaves: Sequence[Leaf],
    references: Sequence[Reference],
    calibration: Calibration,
    spec: ServiceSpec,
    request_seed: bytes,
    temperature: int,
    first: int,
    others: int,
) -> Judgement:
    """Judge the leaves at positions that an accuser has chosen (protocol section 7). The audit has added `first` to the worker's
    margin sum, and has left `others` tokens undrawn.

    A leaf that contradicts itself or the delivered tokens fails it (position evidence 3072), and so do
    `exception_misses` margin misses (`exception_evidence`). All else, in whichever direction, counts nothing.
    """
    found = judge(leaves, references, calibration, spec, request_seed, temperature)
    if found.verdict is Verdict.ABSTAIN:
        return found
    contradiction = not (found.self_consistent and found.tokens_match)
    misses = sum(row.margin is Margin.MISS for row in found.positions)
    cheap = not contradiction and misses >= exception_misses(first, others)
    return replace(
        found,
        verdict=Verdict.FAIL if contradiction or cheap else Verdict.PASS,
        position_evidence=EVIDENCE_MAX if contradiction else 0,
        margin_evidence=exception_evidence(misses, others) if cheap else 0,
    )


def _abstain(consensus: Consensus) -> Judgement:
    return Judgement(
        Verdict.ABSTAIN, 0, 0, Sprt.UNDECIDED, True, True, consensus.accepted, consensus.rejected, None, ()
    )


def _score(
    leaf: Leaf,
    reference: Leaf,
    median: Median,
    calibration: Calibration,
    spec: ServiceSpec,
    request_seed: bytes,
    temperature: int,
) -> PositionScore:
    d2_logit = distance(leaf.logit_sketch, median.logit_sketch)
    d2_hidden = distance(leaf.hidden_sketch, median.hidden_sketch)
    return PositionScore(
        position=leaf.position,
        d2_logit=d2_logit,
        d2_hidden=d2_hidden,
        evidence=position_evidence(d2_logit, d2_hidden, calibration),
        margin=margin(leaf, reference, spec, calibration, request_seed, temperature),
        self_consistent=self_consistent(leaf, spec, request_seed, temperature),
        token_matches=leaf.token == reference.token,
    )


def _conclude(scored: tuple[PositionScore, ...], consensus: Consensus, tested: Sprt) -> Judgement:
    consistent = all(row.self_consistent for row in scored)
    match = all(row.token_matches for row in scored)
    position = clip(sum(row.evidence for row in scored)) if consistent and match else EVIDENCE_MAX
    margins = clip(sum(_MARGIN_EVIDENCE[row.margin] for row in scored))
    failed = tested is Sprt.FAILED or not consistent or not match or margins >= MARGIN_FAIL
    assert consensus.nearest is not None
    return Judgement(
        verdict=Verdict.FAIL if failed else Verdict.PASS,
        position_evidence=position,
        margin_evidence=margins,
        sprt=tested,
        self_consistent=consistent,
        tokens_match=match,
        accepted=consensus.accepted,
        rejected=consensus.rejected,
        nearest=consensus.nearest.account,
        positions=scored,
    )
