"""What several validators' references agree on (protocol section 7)."""

from __future__ import annotations

from collections import Counter
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
    """Lane-wise lower medians of all references at one position."""

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


def agree(references: Sequence[Reference], spec: ServiceSpec) -> Consensus:
    """Medians over all references, who is out of band, and the accepted reference nearest the medians.

    Raises ShapeError unless all references have the same positions, strictly ascending and at least one, all
    leaves are well formed and no account comes twice: whoever collects references refuses such ones before.
    """
    _check(references, spec)
    if not references:
        return Consensus((), (), (), None)
    medians = tuple(
        _median(column) for column in zip(*(reference.leaves for reference in references), strict=True)
    )
    rows = list(zip(*(reference.leaves for reference in references), strict=True))
    outside = [
        any(_out_of_band(reference.leaves[i], rows[i], medians[i], spec) for i in range(len(rows)))
        for reference in references
    ]
    if len(references) == QUORUM and any(outside):
        return Consensus((), (), medians, None)
    accepted = [reference for reference, out in zip(references, outside, strict=True) if not out]
    rejected = tuple(reference.account for reference, out in zip(references, outside, strict=True) if out)
    accounts = tuple(reference.account for reference in accepted)
    if len(accepted) < QUORUM:
        # A lone reference cannot be called wrong: there is nothing to compare it with.
        return Consensus(accounts, rejected if len(references) > QUORUM else (), medians, None)
    return Consensus(
        accounts, rejected, medians, min(accepted, key=lambda item: (_spread(item, medians), item.account))
    )


def _check(references: Sequence[Reference], spec: ServiceSpec) -> None:
    accounts = [reference.account for reference in references]
    if len(set(accounts)) != len(accounts):
        raise ShapeError("each validator has one reference")
    positions = [[leaf.position for leaf in reference.leaves] for reference in references]
    if any(row != positions[0] for row in positions) or any(
        not row or row != sorted(set(row)) for row in positions
    ):
        raise ShapeError("references must have the same positions, strictly ascending, at least one")
    if not all(well_formed(leaf, spec) for reference in references for leaf in reference.leaves):
        raise ShapeError("every reference leaf must be well formed")


def lower_median(values: Sequence[int]) -> int:
    """`sorted[(n - 1) / 2]`."""
    return sorted(values)[(len(values) - 1) // 2]


def _median(leaves: Sequence[Leaf]) -> Median:
    logit = tuple(lower_median([leaf.logit_sketch[lane] for leaf in leaves]) for lane in range(LANES))
    hidden = tuple(lower_median([leaf.hidden_sketch[lane] for leaf in leaves]) for lane in range(LANES))
    return Median(leaves[0].position, logit, hidden)


def _out_of_band(leaf: Leaf, row: Sequence[Leaf], median: Median, spec: ServiceSpec) -> bool:
    """Whether one reference's leaf lies outside what the references at this position (`row`, itself included)
    agree on.
    """
    lanes = zip(
        leaf.logit_sketch + leaf.hidden_sketch, median.logit_sketch + median.hidden_sketch, strict=True
    )
    if any(abs(mine - middle) > BAND for mine, middle in lanes):
        return True
    token, votes = Counter(other.token for other in row).most_common(1)[0]
    if 2 * votes <= len(row) or leaf.token != token:
        return True
    tables = [dict(other.candidates) for other in row]
    for candidate in leaf.candidates[: looked_at(spec.top_k)]:
        given = [table[candidate.id] for table in tables if candidate.id in table]
        if 2 * (len(row) - len(given)) > len(row) or abs(candidate.logprob - lower_median(given)) > BAND:
            return True
    return False


def _spread(reference: Reference, medians: Sequence[Median]) -> int:
    pairs = zip(reference.leaves, medians, strict=True)
    return sum(
        distance(leaf.logit_sketch, median.logit_sketch) + distance(leaf.hidden_sketch, median.hidden_sketch)
        for leaf, median in pairs
    )
