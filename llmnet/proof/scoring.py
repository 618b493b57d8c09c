"""From distances to evidence, in 1/256 nat (protocol section 7): positions, answers, workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self

from .drawing import MAX_POSITIONS
from .errors import ShapeError
from .service import Calibration

EVIDENCE_MIN, EVIDENCE_MAX = -256, 3072
BELOW_Q95, BELOW_Q99, BELOW_TWICE_Q99, ABOVE = -64, 205, 640, 1024
MARGIN_MISS, MARGIN_HIT = 1536, -13
MARGIN_FAIL = 2304  # two misses, which honest answers hardly ever have
CHOICE = 24  # what a challenge needs more for each token that it could have chosen
SPRT_HIT, SPRT_MISS, SPRT_FAIL, SPRT_CLEAR = 693, -86, 3536, -1768
MISSED_DEADLINE = 1536
REFUTABLE = (
    768  # what a panel has to say of the distances of an answer that passed, to be asked whether it is true
)
SLASH = 5120


class Sprt(Enum):
    """State of the sequential test of one answer; undecided is not failed."""

    FAILED = "failed"
    CLEAR = "clear"
    UNDECIDED = "undecided"


def distance(a: Sequence[int], b: Sequence[int]) -> int:
    """Squared distance `sum (a_j - b_j)^2` of two sketches."""
    if len(a) != len(b):
        raise ShapeError(f"sketches have {len(a)} and {len(b)} lanes")
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def _bin(d2: int, q95: int, q99: int) -> int:
    if d2 < q95:
        return BELOW_Q95
    if d2 < q99:
        return BELOW_Q99
    return BELOW_TWICE_Q99 if d2 < 2 * q99 else ABOVE


def position_evidence(d2_logit: int, d2_hidden: int, calibration: Calibration) -> int:
    """Evidence of one position: the worse of its two bins."""
    logit = _bin(d2_logit, calibration.logit_q95, calibration.logit_q99)
    return max(logit, _bin(d2_hidden, calibration.hidden_q95, calibration.hidden_q99))


def clip(evidence: int) -> int:
    """Evidence of one answer within its limits."""
    return max(EVIDENCE_MIN, min(EVIDENCE_MAX, evidence))


def beside(first: int, challenge: int) -> int:
    """What of a challenge's evidence goes to a sum to which the answer has added `first` already: so much that both together
    are no more than one answer may say.
    """
    return min(challenge, EVIDENCE_MAX - max(0, first))


def is_alarming(position: int, total: int) -> bool:
    """Whether a worker should ask others about an answer that passed with this against its distances: its sum is half of a
    slash already, where chance seldom gets.
    """
    return position >= REFUTABLE and 2 * total >= SLASH


def exception_misses(first: int, others: int) -> int:
    """How many misses at positions that an accuser chose fail an answer: so many that, were all that nobody has opened hits, the
    whole answer says what fails an audit, and more the more there is to choose from, up to the most that one answer may say.
    At least one, at most as many as can be named.

    first: the margin evidence that the audit has added to its worker's sum, from -256; others: tokens that it has not drawn.
    """
    bar = min(EVIDENCE_MAX, MARGIN_FAIL + CHOICE * others)
    short = max(0, bar - first) - MARGIN_HIT * others
    return min(MAX_POSITIONS, max(1, -(-short // (MARGIN_MISS - MARGIN_HIT))))


def exception_evidence(misses: int, others: int) -> int:
    """What so many misses say between `others` tokens that were not drawn: 0 to 3072, before `beside`."""
    return min(EVIDENCE_MAX, max(0, MARGIN_MISS * misses + MARGIN_HIT * max(0, others - misses)))


def sprt(distances: Iterable[tuple[int, int]], calibration: Calibration) -> Sprt:
    """Sequential test over the positions' (logit, hidden) squared distances, ascending; a hit is a distance
    over 1.25 q99.
    """
    total = 0
    for d2_logit, d2_hidden in distances:
        hit = 4 * d2_logit > 5 * calibration.logit_q99 or 4 * d2_hidden > 5 * calibration.hidden_q99
        total += SPRT_HIT if hit else SPRT_MISS
        if total >= SPRT_FAIL:
            return Sprt.FAILED
        if total <= SPRT_CLEAR:
            return Sprt.CLEAR
    return Sprt.UNDECIDED


@dataclass(frozen=True, slots=True)
class Cusum:
    """Accumulated evidence against one worker; one answer can add 3072 at most, so never slashes alone."""

    position: int = 0
    margin: int = 0

    def add(self, position: int, margin: int) -> Self:
        """After an answer with this evidence."""
        return type(self)(max(0, self.position + position), max(0, self.margin + margin))

    def missed_deadline(self) -> Self:
        """After a missed deadline or withheld data."""
        return self.add(MISSED_DEADLINE, 0)

    def retract(self, position: int, margin: int) -> Self:
        """Without an answer of this evidence, which should not have counted; what it forgave stays forgiven."""
        return type(self)(max(0, self.position - max(0, position)), max(0, self.margin - max(0, margin)))

    def held_back(self) -> Self:
        """Stopped one short of a slash, as while many workers drift together."""
        return type(self)(min(self.position, SLASH - 1), min(self.margin, SLASH - 1))

    @property
    def slashable(self) -> bool:
        """Whether either sum has reached the limit."""
        return self.position >= SLASH or self.margin >= SLASH
