"""Intervals, clustering and false alarms against values that are known otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.proof import Calibration, NumericsClass
from llmnet.proof.scoring import SLASH
from llmnet.verifier.calibrate import (
    Method,
    Rate,
    design_effect,
    every_audit,
    false_alarm,
    fit,
    in_sequence,
    resample,
    wilson,
)
from llmnet.verifier.calibrate.alarm import bound

from .observations import answer, honest


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        # Newcombe 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval_is_the_published_one(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_rate_and_shrinks_with_trials(hits: int, trials: int) -> None:
    hits = min(hits, trials)
    one, more = Rate(hits, trials), Rate(10 * hits, 10 * trials)
    assert 0 <= one.low <= one.rate <= one.high <= 1
    assert more.high - more.low < one.high - one.low


def test_independent_positions_do_not_cluster_and_whole_answers_do() -> None:
    rng = np.random.default_rng(1)
    sizes = [16] * 4000
    assert design_effect(rng.binomial(16, 0.05, 4000).tolist(), sizes) == pytest.approx(1, abs=0.1)
    assert design_effect((16 * rng.binomial(1, 0.05, 4000)).tolist(), sizes) == pytest.approx(16, abs=0.1)
    assert design_effect([0] * 5, [16] * 5) == 1


def test_the_bound_is_lundbergs() -> None:
    """For steps of +256 and -256 the exponent is the logarithm of their odds."""
    values = np.array([-256.0, 256.0])
    for up in (0.1, 0.3, 0.45):
        expected = (up / (1 - up)) ** 10
        assert bound(values, np.array([[1 - up, up]]), 2560)[0] == pytest.approx(expected, rel=1e-6)
    assert bound(values, np.array([[0.5, 0.5]]), 2560)[0] == 1
    assert bound(values, np.array([[1.0, 0.0]]), 2560)[0] == 0


def test_no_more_workers_are_slashed_than_the_bound_allows() -> None:
    answers = honest(300, clustering=0.6)
    audits = every_audit(answers, fit(answers, NumericsClass.BF16, method=Method.NOMINAL))
    alarm = false_alarm(audits)
    histories = resample(audits, lengths=(50, 200), workers=4000, pools=50)
    for length, slashed, worst in zip(histories.lengths, histories.slashed, histories.worst, strict=True):
        assert slashed.low <= alarm.rate * length
        assert worst >= slashed.rate
    assert histories.slashed[1].hits > 20
    assert alarm.above > alarm.rate


def test_workers_whose_answers_speak_for_them_are_never_slashed() -> None:
    audits = every_audit([answer(str(n), [1] * 16) for n in range(20)], NARROW)
    assert false_alarm(audits) == false_alarm(audits, seed=9)
    assert false_alarm(audits).above == 0
    histories = resample(audits, lengths=(100,), workers=100, pools=5)
    assert histories.slashed[0].hits == 0 and histories.worst == (0.0,)
    assert in_sequence([one[0] for one in audits]) == (False, 0, 0)


def test_workers_whose_answers_speak_against_them_are_slashed_at_the_second() -> None:
    audits = every_audit([answer(str(n), [10**6] * 16) for n in range(20)], NARROW)
    assert false_alarm(audits).rate == 1
    assert resample(audits, lengths=(1, 2), workers=50, pools=5).slashed == (Rate(0, 50), Rate(50, 50))
    slashed, position, margin = in_sequence([one[0] for one in audits])
    assert slashed and position >= SLASH and margin == 0


NARROW = Calibration(9, 9, 9, 9, 1311, 100, 1000)
