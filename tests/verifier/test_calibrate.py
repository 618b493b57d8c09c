"""Thresholds follow from what was measured, and never fall below the floor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.proof import NumericsClass, ServiceSpec, position_evidence
from llmnet.verifier import Distances, Reference, Sample, VerifierError, floor_calibration, measure, propose

from .answers import Answered


def test_honest_answers_give_the_floor(reference: Reference, answered: Answered) -> None:
    found = measure(reference, [Sample(answered.prompt_ids, answered.leaves, answered.request_seed)])
    row = propose(found, reference.spec, expires_at=1000)
    assert row == replace(
        floor_calibration(NumericsClass.FP32), positions=answered.receipt.n_out, expires_at=1000
    )
    assert (row.logit_q95, row.hidden_q99, row.tau_sample) == (9, 9, 1311)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=300))
def test_at_least_as_many_as_promised_lie_below(values: list[int]) -> None:
    row = propose(Distances(tuple(values), tuple(values), 0, 0), SPEC)
    assert 9 <= row.logit_q95 <= row.logit_q99
    for threshold, level in ((row.logit_q95, 0.95), (row.hidden_q99, 0.99)):
        assert sum(value < threshold for value in values) >= level * len(values) - 1e-9
    assert row.positions == len(values)


SPEC = ServiceSpec(b"m", *[bytes(32)] * 4, 1, 20, NumericsClass.FP32, 100, 100, 9, 9)


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


def test_nothing_measured_is_no_calibration() -> None:
    with pytest.raises(VerifierError, match="at least one measured position"):
        propose(Distances((), (), 0, 0), SPEC)
