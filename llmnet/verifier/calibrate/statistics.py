"""Rates with what is known about them: intervals, clustering, quantiles with a margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `trials`, and the limits between which the true rate lies with 95 % (Wilson's interval)."""

    hits: int
    trials: int

    @property
    def rate(self) -> float:
        """The measured share; 0 of nothing is 0."""
        return self.hits / self.trials if self.trials else 0.0

    @property
    def low(self) -> float:
        """Lower limit."""
        return wilson(self.hits, self.trials)[0]

    @property
    def high(self) -> float:
        """Upper limit."""
        return wilson(self.hits, self.trials)[1]

    def as_json(self) -> dict[str, float]:
        """For machines."""
        return {
            "hits": self.hits,
            "trials": self.trials,
            "rate": self.rate,
            "low": self.low,
            "high": self.high,
        }


def wilson(hits: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a share: (low, high); (0, 1) when nothing was tried."""
    if trials == 0:
        return 0.0, 1.0
    share, room = hits / trials, z * z / trials
    middle = (share + room / 2) / (1 + room)
    half = z / (1 + room) * sqrt(share * (1 - share) / trials + room / (4 * trials))
    low = 0.0 if hits == 0 else middle - half
    return low, 1.0 if hits == trials else middle + half


def design_effect(counts: Sequence[int], sizes: Sequence[int]) -> float:
    """Variance of the counts of groups over what independent positions would give: 1 if nothing clusters.

    `counts[i]` of `sizes[i]` positions of group i were hits. 1 where no or every position is one.
    """
    hits, size = np.asarray(counts, np.float64), np.asarray(sizes, np.float64)
    share = hits.sum() / size.sum()
    expected = float((size * share * (1 - share)).sum())
    return float(((hits - size * share) ** 2).sum()) / expected if expected else 1.0


def quantile(values: NDArray[np.int64], level: float) -> int:
    """The least whole number that at least `level` of the values are below."""
    return int(np.quantile(values, level, method="inverted_cdf")) + 1


def quantile_above(
    groups: Sequence[NDArray[np.int64]], level: float, *, draws: int = 200, seed: int = 1
) -> int:
    """An upper 95 % limit of `quantile`, by drawing whole groups with replacement: values of one answer go together."""
    rng = np.random.default_rng(seed)
    values = np.concatenate(groups)
    order = np.argsort(values, kind="stable")
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])[order]
    found = []
    for _ in range(draws):
        times = np.bincount(rng.integers(0, len(groups), len(groups)), minlength=len(groups))
        below = np.cumsum(times[owner])
        found.append(int(values[order[np.searchsorted(below, level * below[-1])]]) + 1)
    return int(np.quantile(found, 0.95, method="inverted_cdf"))
