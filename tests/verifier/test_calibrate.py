"""Thresholds follow from what was measured, spare the honest, and never fall below the floor."""

from __future__ import annotations

import random
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.proof import Calibration, NumericsClass, position_evidence
from llmnet.verifier import CalibrationError
from llmnet.verifier.calibrate import (
    TARGET,
    Method,
    Observation,
    every_audit,
    false_alarm,
    fit,
    floor_calibration,
    quantile,
    quantile_above,
)
from llmnet.verifier.calibrate.observed import MAX_DISTANCE

from .observations import answer, honest

fitting = import_module("llmnet.verifier.calibrate.fit")


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=300), st.sampled_from([0.95, 0.99]))
def test_at_least_as_many_as_promised_lie_below_a_quantile(values: list[int], level: float) -> None:
    found = quantile(np.array(values), level)
    assert sum(value < found for value in values) >= level * len(values) - 1e-9
    assert found == min(values) + 1 or sum(value < found - 1 for value in values) < level * len(values)


def test_the_upper_limit_of_a_quantile_grows_when_answers_differ_more_than_positions() -> None:
    rng = np.random.default_rng(3)
    alike = [rng.integers(0, 1000, 16) for _ in range(200)]
    unlike = [rng.integers(0, 10, 16) + rng.integers(0, 1000) for _ in range(200)]
    for groups in (alike, unlike):
        assert quantile_above(groups, 0.95) >= quantile(np.concatenate(groups), 0.95)

    def margin(groups: list[np.ndarray]) -> int:
        return quantile_above(groups, 0.95) - quantile(np.concatenate(groups), 0.95)

    assert margin(unlike) > margin(alike)


def test_answers_within_one_step_give_the_floor() -> None:
    answers = [answer(str(number), [number % 2] * 16) for number in range(32)]
    for method in Method:
        row = fit(answers, NumericsClass.FP32, method=method, expires_at=1000)
        assert row == replace(floor_calibration(NumericsClass.FP32), positions=32 * 16, expires_at=1000)
    assert (row.logit_q95, row.hidden_q99, row.tau_sample) == (9, 9, 1311)


def test_nominal_thresholds_are_the_quantiles() -> None:
    answers = [answer(str(number), range(16 * number, 16 * number + 16)) for number in range(100)]
    row = fit(answers, NumericsClass.BF16, method=Method.NOMINAL)
    assert (row.logit_q95, row.logit_q99, row.positions) == (1520, 1584, 1600)
    assert (row.hidden_q95, row.hidden_q99) == (760, 792)
    assert row.tau_sample == 16384


def test_where_deviations_cluster_quantiles_slash_the_honest_and_safe_thresholds_do_not() -> None:
    answers = honest(400, clustering=1.0)
    nominal = fit(answers, NumericsClass.BF16, method=Method.NOMINAL)
    safe = fit(answers, NumericsClass.BF16)
    assert false_alarm(every_audit(answers, nominal)).above > 100 * TARGET
    assert false_alarm(every_audit(answers, safe)).above <= TARGET
    assert safe.logit_q99 > nominal.logit_q99 and safe.hidden_q99 > nominal.hidden_q99
    # No more than needed: all thresholds are one multiple of the quantiles.
    ratios = {round(safe.logit_q95 / nominal.logit_q95, 2), round(safe.hidden_q99 / nominal.hidden_q99, 2)}
    assert max(ratios) - min(ratios) <= 0.02


def test_an_honest_machine_with_twice_the_noise_is_spared_too() -> None:
    """Without clusters the quantiles are nearly safe for the machine that was measured, and only for that one."""
    answers = honest(400, clustering=0.0)
    nominal, safe = (fit(answers, NumericsClass.BF16, method=one) for one in (Method.NOMINAL, Method.SAFE))
    assert 1.3 * nominal.logit_q99 < safe.logit_q99 < 2.3 * nominal.logit_q99

    def slashed(row: Calibration, power: int) -> float:
        return false_alarm(every_audit([one.noisier(power) for one in answers], row), draws=0).rate

    assert slashed(nominal, 1) < 1e-4 and slashed(nominal, 2) > 0.5
    assert slashed(safe, 2) <= 1e-5


def test_noise_grows_in_the_square() -> None:
    one = replace(answer("x", [3, MAX_DISTANCE]), hidden=(1, 2), deficit=(100, None)).noisier(4)
    assert (one.logit, one.hidden, one.deficit) == ((12, MAX_DISTANCE), (4, 8), (200, None))


def test_a_worker_that_is_asked_for_the_hardest_kind_only_is_spared_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "NOISE", 1)  # a noisier machine asks for more still
    easy = honest(380, clustering=0.2)
    hard = [
        replace(one, id=f"hard/{number}", logit=tuple(4 * value for value in one.logit))
        for number, one in enumerate(honest(20, clustering=0.2, seed=5))
    ]
    row = fit([*easy, *hard], NumericsClass.BF16)
    assert false_alarm(every_audit(hard, row), draws=0).rate <= 1e-5
    blind = fit([*easy, *(replace(one, id=f"k{n}/0") for n, one in enumerate(hard))], NumericsClass.BF16)
    assert blind.logit_q99 < row.logit_q99


def test_the_tolerance_in_sampling_is_the_least_that_spares() -> None:
    """Every tenth answer has two tokens that the reference would not have sampled, 0.3 nat short."""
    deficits = [(0.3 if number % 10 == 0 else 0.01) * 65536 for number in range(400)]
    answers = [
        replace(one, deficit=(round(short), round(short), *one.deficit[2:]))
        for one, short in zip(honest(400), deficits, strict=True)
    ]
    row = fit(answers, NumericsClass.BF16)
    assert (
        0.42 * 65536 < row.tau_sample < 0.44 * 65536
    )  # 0.3 nat by the root of two: a machine with twice the noise
    clean = [replace(one, deficit=(0,) * 16) for one in answers]
    assert fit(clean, NumericsClass.BF16).tau_sample == 1311
    with pytest.raises(CalibrationError, match="a nat in sampling"):
        fit([replace(one, deficit=(1 << 20,) * 16) for one in answers], NumericsClass.BF16)


def test_answers_that_no_multiple_spares_are_refused() -> None:
    answers = [answer(f"a/{n}", [1] * 15 + [10**9] if n % 2 else [10**9] * 16) for n in range(32)]
    answers += [answer(f"b/{n}", [1] * 16) for n in range(1000)]
    with pytest.raises(CalibrationError, match="are these answers all honest"):
        fit(answers, NumericsClass.BF16)


def test_too_few_answers_are_no_calibration() -> None:
    for answers in ([], honest(7)):
        with pytest.raises(CalibrationError, match=f"{len(answers)} answers are too few"):
            fit(answers, NumericsClass.FP32)


def test_one_step_in_every_lane_is_no_evidence_and_more_is() -> None:
    row = floor_calibration(NumericsClass.FP32)
    assert position_evidence(8, 8, row) < 0
    assert position_evidence(9, 0, row) > 0


def test_least_thresholds_can_be_registered_and_say_what_was_measured() -> None:
    assert floor_calibration(NumericsClass.FP32).positions > 0
    assert floor_calibration(NumericsClass.FP32, positions=70).positions == 70


def test_coarser_numerics_may_stray_further() -> None:
    taus = [floor_calibration(kind).tau_sample for kind in NumericsClass]
    assert taus == sorted(taus)
    assert taus[0] < taus[1] < taus[3]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1.2))
def test_whatever_is_fitted_spares_what_it_was_fitted_on(seed: int, clustering: float) -> None:
    answers: list[Observation] = honest(64, clustering=clustering, seed=seed)
    random.Random(seed).shuffle(answers)
    row: Calibration = fit(answers, NumericsClass.FP16)
    assert false_alarm(every_audit(answers, row)).above <= TARGET
    assert min(row.logit_q95, row.hidden_q95) >= 9
    assert row.logit_q95 <= row.logit_q99 and row.hidden_q95 <= row.hidden_q99
