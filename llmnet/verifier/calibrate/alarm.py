"""How often a sum of evidence reaches the limit by chance: rarer than what drawing workers at random can show.

A worker's sum grows by an answer's evidence X and never falls below 0. With e > 0 such that the mean of exp(e X) is 1, a climb that
begins at 0 reaches the limit L with a probability of at most exp(-e L) (Lundberg's inequality), and there are no more climbs
than audits: so exp(-e L) bounds the slashes an audit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmnet.proof.scoring import SLASH
from llmnet.verifier.calibrate.judge import Audited

_STEPS = 60
_DRAWS = 200
_STEEPEST = 0.1  # exp(-0.1 * 5120) is nothing


@dataclass(frozen=True, slots=True)
class Alarm:
    """False slashes an audit: what these answers give, and the 95th of so many draws of as many answers."""

    rate: float
    above: float


def false_alarm(audits: Sequence[Sequence[Audited]], *, draws: int = _DRAWS, seed: int = 1) -> Alarm:
    """Of either sum, positions or margins. `audits[i]` are those of answer i, each as likely. Without draws, no upper limit."""
    owner = np.repeat(np.arange(len(audits)), [len(one) for one in audits])
    flat = [found for one in audits for found in one]
    weights = _weights(len(audits), draws, seed)
    position = _rates([found.position for found in flat], owner, weights)
    margin = _rates([found.margin for found in flat], owner, weights)
    return _alarm(position + margin)


def slashes(evidence: Sequence[int], *, draws: int = _DRAWS, seed: int = 1) -> Alarm:
    """The same of one sum; `evidence[i]` is what answer i adds to it."""
    return _alarm(_rates(evidence, np.arange(len(evidence)), _weights(len(evidence), draws, seed)))


def _alarm(rates: NDArray[np.float64]) -> Alarm:
    above = np.quantile(rates[1:], 0.95) if len(rates) > 1 else 1.0
    return Alarm(min(1.0, float(rates[0])), min(1.0, float(above)))


def _weights(size: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Chances of the answers [draw, answer]: first all the same, then as they are drawn with replacement."""
    rng = np.random.default_rng(seed)
    times = [np.bincount(rng.integers(0, size, size), minlength=size) for _ in range(draws)]
    return np.array([np.ones(size), *times]) / size


def _rates(
    evidence: Sequence[int], owner: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The bound for each row of `weights`; `owner[k]` is the answer of evidence k."""
    values, place = np.unique(np.asarray(evidence, np.float64), return_inverse=True)
    if values[-1] <= 0:
        return np.zeros(len(weights))
    share = 1 / np.bincount(owner)[owner]
    chances = [np.bincount(place, weights=row[owner] * share, minlength=len(values)) for row in weights]
    return bound(values, np.array(chances))


def bound(
    values: NDArray[np.float64], chances: NDArray[np.float64], limit: int = SLASH
) -> NDArray[np.float64]:
    """exp(-e limit) for each row of `chances` [row, value]; 1 where evidence does not fall on the average, 0 where it never grows."""
    low, high = np.zeros(len(chances)), np.full(len(chances), _STEEPEST)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        grown = (chances * np.exp(np.outer(middle, values))).sum(axis=1)
        low, high = np.where(grown < 1, middle, low), np.where(grown < 1, high, middle)
    found = np.exp(-low * limit)
    found[chances @ values >= 0] = 1.0
    found[(chances * (values > 0)).sum(axis=1) == 0] = 0.0
    return found
