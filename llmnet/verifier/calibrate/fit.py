"""Thresholds fitted on answers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from llmnet.proof import Calibration, NumericsClass
from llmnet.proof.scoring import MARGIN_FAIL
from llmnet.verifier.calibrate.alarm import slashes
from llmnet.verifier.calibrate.floor import FLOOR, FOREVER, tau_of
from llmnet.verifier.calibrate.judge import audit, drawn, margin_evidence, seed_of
from llmnet.verifier.calibrate.observed import Observation
from llmnet.verifier.calibrate.split import kind_of
from llmnet.verifier.calibrate.statistics import quantile, quantile_above
from llmnet.verifier.errors import CalibrationError

LEAST_ANSWERS = 8
_NOT_HONEST = "even {} would slash honest workers: are these answers all honest?"
_LANES = ("logit", "hidden")


class Method(Enum):
    """How a threshold follows from the distances: the quantile, the upper 95 % limit of what it may be, or the least multiple of
    the quantiles that spares honest workers, also one that is asked for nothing but the hardest kind of prompt, and one whose
    machine is noisier than those measured.
    """

    NOMINAL = "nominal"
    UPPER = "upper"
    SAFE = "safe"


TARGET = 1e-6
"""False slashes an audit, at the upper 95 % limit, that thresholds are chosen for: of distances, and of tokens."""
TARGET_OF_A_KIND = 1e-5
"""The same for a worker that answers one kind of prompt only, without the limit: there are few answers of a kind."""
LEAST_OF_A_KIND = 8
LENT = 100
"""To the tokens of a kind so many answers of all kinds are added: one miss in fifty answers says little about a kind."""
NOISE = 2
"""By how much the squared distances of an honest machine that nobody measured may be larger."""
TARGET_OF_NOISE = 1e-5
"""The same for such a machine, without the limit."""
_TAUS = tuple(round(step * 65536 / 100) for step in range(2, 101))  # Q16.16: 0.02 to 1 nat
_SCALES = tuple(1 + step / 20 for step in range(301))


def fit(
    answers: Sequence[Observation],
    numerics: NumericsClass,
    *,
    method: Method = Method.SAFE,
    expires_at: int = FOREVER,
) -> Calibration:
    """A calibration row, never below the floor of the class. A safe one has a tolerance in sampling of its own as well.

    Raises CalibrationError for too few answers, or such that no thresholds spare.
    """
    if len(answers) < LEAST_ANSWERS:
        raise CalibrationError(
            f"{len(answers)} answers are too few to fit thresholds on: at least {LEAST_ANSWERS}, better 1,000"
        )
    threshold = quantile_above if method is Method.UPPER else _quantile_of_all
    distances = [[np.asarray(getattr(answer, lanes), np.int64) for answer in answers] for lanes in _LANES]
    found = {
        f"{lanes}_q{level}": threshold(groups, level / 100)
        for lanes, groups in zip(_LANES, distances, strict=True)
        for level in (95, 99)
    }
    row = Calibration(
        **{name: max(FLOOR, value) for name, value in found.items()},
        tau_sample=tau_of(numerics),
        positions=sum(len(answer) for answer in answers),
        expires_at=expires_at,
    )
    if method is not Method.SAFE:
        return row
    honest = _Honest(answers, noisier(answers), _kinds(answers))
    return _safe(honest, replace(row, tau_sample=_tau(honest)), found)


def noisier(answers: Sequence[Observation]) -> list[Observation]:
    """The same of the noisiest honest machine that thresholds spare."""
    return [answer.noisier(NOISE) for answer in answers]


@dataclass(frozen=True)
class _Honest:
    """Who is to be spared. `kinds`: which answers are of one kind of prompt."""

    answers: Sequence[Observation]
    noisier: Sequence[Observation]
    kinds: Sequence[Sequence[int]]


def _safe(honest: _Honest, row: Calibration, quantiles: Mapping[str, int]) -> Calibration:
    """The least multiple that spares; what spares does so with larger thresholds."""

    def scaled(place: int) -> Calibration:
        values = {name: max(FLOOR, round(value * _SCALES[place])) for name, value in quantiles.items()}
        return replace(row, **values)

    def spares(place: int) -> bool:
        thresholds = scaled(place)
        if slashes(_positions(honest.noisier, thresholds), draws=0).rate > TARGET_OF_NOISE:
            return False
        return _spares(_positions(honest.answers, thresholds), honest.kinds)

    place = bisect_left(range(len(_SCALES)), True, key=spares)
    if place == len(_SCALES):
        raise CalibrationError(_NOT_HONEST.format(f"{_SCALES[-1]:g} times the quantiles"))
    return scaled(place)


def _positions(answers: Sequence[Observation], row: Calibration) -> list[int]:
    return [audit(answer, row, seed_of(answer, 0)).position for answer in answers]


def _tau(honest: _Honest) -> int:
    """The least tolerance in sampling that spares and fines no answer; a larger one does so as well."""
    positions = [drawn(answer, seed_of(answer, 0)) for answer in honest.answers]

    def judged(those: Sequence[Observation], tau: int) -> list[int]:
        return [margin_evidence(one, tau, places)[0] for one, places in zip(those, positions, strict=True)]

    def spares(tau: int) -> bool:
        evidence = judged(honest.answers, tau)
        if max(evidence) >= MARGIN_FAIL or not _spares(evidence, honest.kinds, lent=LENT):
            return False
        return slashes(judged(honest.noisier, tau), draws=0).rate <= TARGET_OF_NOISE

    place = bisect_left(_TAUS, True, key=spares)
    if place == len(_TAUS):
        raise CalibrationError(_NOT_HONEST.format("a tolerance of a nat in sampling"))
    return _TAUS[place]


def _spares(evidence: Sequence[int], kinds: Sequence[Sequence[int]], *, lent: int = 0) -> bool:
    """Whether workers with such answers are hardly ever slashed, nor those with answers of one kind, of which each has `lent`
    answers of all kinds beside its own.
    """
    times, others = (max(1, round(len(evidence) / lent)), evidence) if lent else (1, [])
    alike = ([evidence[number] for number in numbers] * times + [*others] for numbers in kinds)
    alone = all(slashes(one, draws=0).rate <= TARGET_OF_A_KIND for one in alike)
    return alone and slashes(evidence).above <= TARGET


def _kinds(answers: Sequence[Observation]) -> list[list[int]]:
    """Which answers are of one kind of prompt, of kinds with enough of them."""
    found: dict[str, list[int]] = {}
    for number, answer in enumerate(answers):
        found.setdefault(kind_of(answer), []).append(number)
    return [numbers for numbers in found.values() if len(numbers) >= LEAST_OF_A_KIND]


def _quantile_of_all(groups: Sequence[NDArray[np.int64]], level: float) -> int:
    return quantile(np.concatenate(groups), level)
