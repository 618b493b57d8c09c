"""An observed answer as an audit would judge it: the chain's own rules of scoring, on distances instead of leaves.

Three references that agree are assumed: their median is the reference that the distances were taken from. A validator that looks
at all positions is assumed as well, and that it challenges whatever is enough, however close to the tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmnet.proof import (
    Calibration,
    Sprt,
    beside,
    clip,
    domain_hash,
    draw_positions,
    position_evidence,
    sprt,
    tolerance,
)
from llmnet.proof.drawing import MAX_POSITIONS
from llmnet.proof.scoring import (
    EVIDENCE_MAX,
    MARGIN_FAIL,
    MARGIN_HIT,
    MARGIN_MISS,
    exception_evidence,
    exception_misses,
)
from llmnet.verifier.calibrate.observed import Observation

DRAWS_OF_LONG = 8


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit of one answer says, and a challenge of it: whether it fails, and what goes to the worker's two sums
    (1/256 nat). The sequential test and the misses are those of the drawn positions."""

    failed: bool
    position: int
    margin: int
    sprt: Sprt
    misses: int


def audit(answer: Observation, row: Calibration, seed: bytes) -> Audited:
    """The audit whose positions are drawn from `seed` (32 bytes)."""
    return audit_at(answer, row, drawn(answer, seed))


def drawn(answer: Observation, seed: bytes) -> Sequence[int]:
    """The positions that are opened, ascending: all of a short answer."""
    whole = len(answer) <= MAX_POSITIONS
    return range(len(answer)) if whole else draw_positions(seed, len(answer))


def audit_at(answer: Observation, row: Calibration, positions: Sequence[int]) -> Audited:
    """The audit at these positions, ascending."""
    pairs = [(answer.logit[place], answer.hidden[place]) for place in positions]
    margin, misses = margin_evidence(answer, row.tau_sample, positions)
    tested = sprt(pairs, row)
    broken = not set(answer.broken).isdisjoint(positions)
    evidence = sum(position_evidence(logit, hidden, row) for logit, hidden in pairs)
    failed = broken or tested is Sprt.FAILED or margin >= MARGIN_FAIL
    more = 0 if failed else _challenge(answer, row.tau_sample, positions, margin)
    return Audited(
        failed=failed or more > 0,
        position=EVIDENCE_MAX if broken else clip(evidence),
        margin=margin + more,
        sprt=tested,
        misses=misses,
    )


def _challenge(answer: Observation, tau: int, drawn: Sequence[int], first: int) -> int:
    """What a challenge adds to the margin evidence of the drawn positions; 0 if it misses too seldom at the others."""
    others = sorted(set(range(len(answer))).difference(drawn))
    misses = min(MAX_POSITIONS, margin_evidence(answer, tau, others)[1])
    if misses < exception_misses(first, len(others)):
        return 0
    return beside(first, exception_evidence(misses, len(others)))


def margin_evidence(answer: Observation, tau: int, positions: Sequence[int]) -> tuple[int, int]:
    """What its tokens say at a tolerance (Q16.16): evidence, and how many are misses."""
    deficits = [found for place in positions if (found := answer.deficit[place]) is not None]
    most = tolerance(tau, answer.temperature)
    misses = sum(found > most for found in deficits)
    return clip(MARGIN_MISS * misses + MARGIN_HIT * (len(deficits) - misses)), misses


def positions_of(answer: Observation, row: Calibration) -> list[tuple[int, int, bool]]:
    """All its positions as attacks and simulation replay them: squared distances of both sketches, and whether the token missed."""
    most = tolerance(row.tau_sample, answer.temperature)
    return [
        (logit, hidden, short is not None and short > most)
        for logit, hidden, short in zip(answer.logit, answer.hidden, answer.deficit, strict=True)
    ]


def most_deviating(answers: Sequence[Observation], row: Calibration, count: int) -> list[str]:
    """The ids of so many answers with the most evidence against their worker, of distances and tokens, the worst first."""
    ordered = sorted(answers, key=lambda answer: against(answer, row), reverse=True)
    return [answer.id for answer in ordered[:count]]


def against(answer: Observation, row: Calibration) -> int:
    """What one audit of an answer says against its worker, of distances and tokens together (1/256 nat)."""
    found = audit(answer, row, seed_of(answer, 0))
    return found.position + found.margin


def every_audit(answers: Sequence[Observation], row: Calibration) -> list[list[Audited]]:
    """Audits of each answer: one if all its positions are opened, else several with draws of their own."""
    return [
        [
            audit(answer, row, seed_of(answer, draw))
            for draw in range(1 if len(answer) <= MAX_POSITIONS else DRAWS_OF_LONG)
        ]
        for answer in answers
    ]


def seed_of(answer: Observation, draw: int) -> bytes:
    """Of one of several draws, the same whenever it is made."""
    return domain_hash("draw", f"calibration/{answer.id}/{draw}".encode())
