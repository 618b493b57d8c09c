"""Thresholds for a spec: how far the leaves of honest workers are from the reference.

A first form: quantiles of the distances measured here, never below the floor of the numerics class. Quantiles of one machine say
nothing about others; thresholds that are to hold for a network need held-out data from several.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from llmnet.proof import LANES, Calibration, Leaf, NumericsClass, ServiceSpec, distance

from .errors import VerifierError
from .reference import Reference

FOREVER = 2**32 - 1
# Below one quantisation step in every lane nothing can be told from rounding; thresholds are exclusive.
FLOOR = LANES * 1 + 1
# How far the sampled token may be from the reference's choice, in nat.
TAU = {
    NumericsClass.FP32: 0.02,
    NumericsClass.FP16: 0.10,
    NumericsClass.BF16_FP32_RESIDUAL: 0.10,
    NumericsClass.BF16: 0.25,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """An honest worker's answer with all its leaves."""

    prompt_ids: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    request_seed: bytes


@dataclass(frozen=True, slots=True)
class Distances:
    """Squared distances, one a position, and the largest differences of a lane and of a log-prob, in steps."""

    logit: tuple[int, ...]
    hidden: tuple[int, ...]
    largest_lane: int
    largest_logprob: int


def measure(reference: Reference, samples: Iterable[Sample]) -> Distances:
    """Distances of all positions of all samples from the reference. Raises ReferenceFailed."""
    logit: list[int] = []
    hidden: list[int] = []
    lane = logprob = 0
    for sample in samples:
        tokens = [leaf.token for leaf in sample.leaves]
        own = reference.leaves(sample.prompt_ids, tokens, range(len(tokens)), sample.request_seed)
        for leaf, mine in zip(sample.leaves, own, strict=True):
            logit.append(distance(leaf.logit_sketch, mine.logit_sketch))
            hidden.append(distance(leaf.hidden_sketch, mine.hidden_sketch))
            lane = max(lane, *_lane_steps(leaf, mine))
            logprob = max(logprob, _logprob_steps(leaf, mine))
    return Distances(tuple(logit), tuple(hidden), lane, logprob)


def _lane_steps(leaf: Leaf, mine: Leaf) -> list[int]:
    pairs = zip(leaf.logit_sketch + leaf.hidden_sketch, mine.logit_sketch + mine.hidden_sketch, strict=True)
    return [abs(a - b) for a, b in pairs]


def _logprob_steps(leaf: Leaf, mine: Leaf) -> int:
    """Over the candidates that both know."""
    table = dict(mine.candidates)
    shared = [abs(value - table[token]) for token, value in leaf.candidates if token in table]
    return max(shared, default=0)


def propose(distances: Distances, spec: ServiceSpec, *, expires_at: int = FOREVER) -> Calibration:
    """A calibration row from measured distances. Raises VerifierError when nothing was measured."""
    if not distances.logit:
        raise VerifierError("a calibration needs at least one measured position")
    return Calibration(
        logit_q95=_threshold(distances.logit, 0.95),
        logit_q99=_threshold(distances.logit, 0.99),
        hidden_q95=_threshold(distances.hidden, 0.95),
        hidden_q99=_threshold(distances.hidden, 0.99),
        tau_sample=_tau(spec.numerics),
        positions=len(distances.logit),
        expires_at=expires_at,
    )


def floor_calibration(
    numerics: NumericsClass, *, positions: int = 1, expires_at: int = FOREVER
) -> Calibration:
    """The least thresholds of a numerics class: what is used where nothing was measured.

    `positions` is what the row says was measured; the registry refuses 0.
    """
    return Calibration(FLOOR, FLOOR, FLOOR, FLOOR, _tau(numerics), positions, expires_at)


def _threshold(values: Sequence[int], level: float) -> int:
    """The least whole number that at least `level` of the values are below, and no less than the floor."""
    return max(FLOOR, int(np.quantile(values, level, method="inverted_cdf")) + 1)


def _tau(numerics: NumericsClass) -> int:
    return round(TAU[numerics] * 65536)
