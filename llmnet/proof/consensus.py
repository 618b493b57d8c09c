"""What several validators' references agree on (protocol section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import ShapeError
from .leaf import LANES, Leaf
from .sampler import looked_at, well_formed
from .scale import check_bytes
from .scoring import distance
from .service import ServiceSpec

QUORUM = 2
BAND = 2


@dataclass(frozen=True, slots=True)
class Reference:
    """One validator's revealed leaves, positions ascending."""

    account: bytes
    leaves: tuple[Leaf, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "account", check_bytes(self.account, 32, "account"))
        object.__setattr__(self, "leaves", tuple(self.leaves))


@dataclass(frozen=True, slots=True)
class Median:
    """Lane-wise lower medians at one position of all references that can be compared, in band or not."""

    position: int
    logit_sketch: tuple[int, ...]
    hidden_sketch: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Consensus:
    """`nearest` is None when the references allow no verdict (`abstain`).

    Accounts come in the order they were given.
    """

    accepted: tuple[bytes, ...]
    rejected: tuple[bytes, ...]
    medians: tuple[Median, ...]
    nearest: Reference | None

    @property
    def abstain(self) -> bool:
        """Whether there is no verdict."""
        return self.nearest is None


def agree(
    references: Sequence[Reference], spec: ServiceSpec, positions: Sequence[int] | None = None
) -> Consensus:
    """Medians over the references, who is out of band, and the accepted reference nearest the medians.

    A reference that does not have exactly `positions` (by default those of the first one), or whose
    candidates are malformed, cannot be compared: it is rejected and has no part in the medians. Of just two
    others that disagree neither is accepted or rejected. Raises ShapeError for an account given twice.
    """
    accounts = [reference.account for reference in references]
    if len(set(accounts)) != len(accounts):
        raise ShapeError("each validator has one reference")
    if positions is None:
        positions = [leaf.position for reference in references[:1] for leaf in reference.leaves]
    fit = [reference for reference in references if _fits(reference, positions, spec)]
    rows = list(zip(*(reference.leaves for reference in fit), strict=True))
    medians = tuple(_median(row) for row in rows)
    good = [reference for reference in fit if _in_band(reference, rows, medians, spec)]
    if len(fit) == QUORUM and len(good) < QUORUM:
        good, bad = [], [reference for reference in references if reference not in fit]
    else:
        bad = [reference for reference in references if reference not in good]
    names = tuple(reference.account for reference in good), tuple(reference.account for reference in bad)
    if len(good) < QUORUM:
        return Consensus(*names, medians, None)
    nearest = min(good, key=lambda reference: (_spread(reference, medians), reference.account))
    return Consensus(*names, medians, nearest)


def _fits(reference: Reference, positions: Sequence[int], spec: ServiceSpec) -> bool:
    if not reference.leaves or [leaf.position for leaf in reference.leaves] != list(positions):
        return False
    return all(well_formed(leaf, spec) for leaf in reference.leaves)


def lower_median(values: Sequence[int]) -> int:
    """`sorted[(n - 1) / 2]`."""
    return sorted(values)[(len(values) - 1) // 2]


def _median(leaves: Sequence[Leaf]) -> Median:
    logit = tuple(lower_median([leaf.logit_sketch[lane] for leaf in leaves]) for lane in range(LANES))
    hidden = tuple(lower_median([leaf.hidden_sketch[lane] for leaf in leaves]) for lane in range(LANES))
    return Median(leaves[0].position, logit, hidden)


def _in_band(
    reference: Reference, rows: Sequence[Sequence[Leaf]], medians: Sequence[Median], spec: ServiceSpec
) -> bool:
    return all(
        _lanes_near(leaf, median) and _has_majority(leaf, row) and _candidates_near(leaf, row, spec)
        for leaf, row, median in zip(reference.leaves, rows, medians, strict=True)
    )


def _lanes_near(leaf: Leaf, median: Median) -> bool:
    lanes = zip(
        leaf.logit_sketch + leaf.hidden_sketch, median.logit_sketch + median.hidden_sketch, strict=True
    )
    return all(abs(mine - middle) <= BAND for mine, middle in lanes)


def _has_majority(leaf: Leaf, row: Sequence[Leaf]) -> bool:
    """Whether more than half of the references hold this leaf's token."""
    return 2 * sum(other.token == leaf.token for other in row) > len(row)


def _candidates_near(leaf: Leaf, row: Sequence[Leaf], spec: ServiceSpec) -> bool:
    """Whether more than half of the references know the looked-at candidates, at nearly this log-prob."""
    tables = [dict(other.candidates) for other in row]
    for candidate in leaf.candidates[: looked_at(spec.top_k)]:
        given = [table[candidate.id] for table in tables if candidate.id in table]
        if 2 * len(given) <= len(row) or abs(candidate.logprob - lower_median(given)) > BAND:
            return False
    return True


def _spread(reference: Reference, medians: Sequence[Median]) -> int:
    pairs = zip(reference.leaves, medians, strict=True)
    return sum(
        distance(leaf.logit_sketch, median.logit_sketch) + distance(leaf.hidden_sketch, median.hidden_sketch)
        for leaf, median in pairs
    )
