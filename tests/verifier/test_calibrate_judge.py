"""Judging an observed answer is what the chain does with its leaves."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.measure import Recording, observe
from llmnet.proof import LANES, Calibration, Candidate, Leaf, NumericsClass, ServiceSpec, judge
from llmnet.proof.consensus import Reference
from llmnet.proof.sampler import sample
from llmnet.verifier.calibrate import (
    Observation,
    against,
    audit,
    audit_at,
    every_audit,
    floor_calibration,
    most_deviating,
)

from .observations import answer

SPEC = ServiceSpec(b"m", *[bytes(32)] * 4, 1, 8, NumericsClass.FP16, 64, 64, 9, 9)
SEED = bytes(range(32))
ROW = Calibration(40, 90, 30, 60, 6554, 1, 1000)


@st.composite
def answers(draw: st.DrawFn) -> Recording:
    """Leaves of a worker that is near the reference here and far there, and sometimes contradicts itself."""
    count, temperature = draw(st.integers(1, 12)), draw(st.sampled_from([0, 128, 256, 384]))
    leaves, own = [], []
    for position in range(count):
        order = draw(st.permutations(range(12)))
        logprobs = sorted(draw(st.lists(st.integers(-900, 0), min_size=8, max_size=8, unique=True)))[::-1]
        mine = _leaf(position, order[:8], logprobs, [0] * LANES, temperature)
        swapped = draw(st.permutations(order[:8])) if draw(st.booleans()) else order[:8]
        lanes = draw(st.lists(st.integers(-6, 6), min_size=LANES, max_size=LANES))
        leaf = _leaf(position, swapped, logprobs, lanes, temperature)
        if draw(st.integers(0, 9)) == 0:
            leaf = replace(leaf, token=order[9])
        token = order[8] if draw(st.integers(0, 9)) == 0 else leaf.token
        leaves.append(leaf)
        own.append(replace(mine, token=token))
    return Recording("a/b", (1, 2), SEED, temperature, tuple(leaves), tuple(own))


def _leaf(position: int, ids: list[int], logprobs: list[int], lanes: list[int], temperature: int) -> Leaf:
    winner = ids[sample(logprobs, ids, temperature, SEED, position)]
    candidates = tuple(Candidate(one, value) for one, value in zip(ids, logprobs, strict=True))
    return Leaf(position, winner, candidates, tuple(lanes), tuple(reversed(lanes)))


@settings(max_examples=60, deadline=None)
@given(answers())
def test_a_recorded_answer_is_judged_as_on_the_chain(recording: Recording) -> None:
    references = [Reference(bytes([n]) * 32, recording.reference) for n in range(3)]
    told = judge(recording.leaves, references, ROW, SPEC, SEED, recording.temperature)
    found = audit_at(observe(recording, SPEC), ROW, range(len(recording.leaves)))
    assert (found.position, found.margin, found.sprt) == (
        told.position_evidence,
        told.margin_evidence,
        told.sprt,
    )
    assert found.failed == (told.verdict.value == "fail")


def test_positions_are_drawn_for_long_answers_only() -> None:
    row = floor_calibration(NumericsClass.FP32)
    far = answer("long", [10**6] + [0] * 99)
    outcomes = {audit(far, row, bytes([number]) * 32).position for number in range(64)}
    assert outcomes == {-256, 1024 - 15 * 64}
    assert audit(answer("short", [10**6] + [0] * 15), row, bytes(32)).position == 1024 - 15 * 64
    assert [len(one) for one in every_audit([far, answer("short", [0])], row)] == [8, 1]


def test_a_broken_position_counts_where_it_is_opened() -> None:
    row = floor_calibration(NumericsClass.FP32)
    found = replace(answer("a", [0] * 16), broken=(3,))
    assert audit_at(found, row, [2, 4]).failed is False
    assert (audit_at(found, row, [2, 3]).failed, audit_at(found, row, [3]).position) == (True, 3072)


def test_a_token_that_is_not_looked_at_counts_neither_way() -> None:
    row = floor_calibration(NumericsClass.FP32)
    assert audit(answer("a", [0] * 16, deficit=None), row, bytes(32)).margin == 0
    missed: Observation = answer("a", [0] * 16, deficit=1312)
    assert audit(missed, row, bytes(32)).failed and audit(missed, row, bytes(32)).misses == 16
    assert not audit(answer("a", [0] * 16, deficit=1311), row, bytes(32)).failed


def test_what_deviates_most_does_so_in_distances_and_tokens_together() -> None:
    row = floor_calibration(NumericsClass.FP32)
    calm, far = answer("calm", [0] * 16), answer("far", [10**6] + [0] * 15)
    missed = replace(answer("missed", [0] * 16), deficit=(1312,) + (0,) * 15)
    assert [against(one, row) for one in (calm, far, missed)] == [-256 - 208, 64 - 208, -256 + 1341]
    assert most_deviating([calm, far, missed], row, 2) == ["missed", "far"]
    assert most_deviating([calm], row, 0) == []


def test_an_audit_and_a_challenge_of_one_answer_say_no_more_than_one_answer_may() -> None:
    """One miss where it was drawn (1536 - 15 * 13) and three where it was not: both together are twelve nat."""
    row = floor_calibration(NumericsClass.FP32)
    missed = {3, 20, 21, 22}
    deficits = tuple(1312 if place in missed else 0 for place in range(32))
    found = audit_at(replace(answer("a", [0] * 32), deficit=deficits), row, range(16))
    assert (found.failed, found.misses, found.margin) == (True, 1, 3072)
    without = tuple(0 if place == 3 else value for place, value in enumerate(deficits))
    lucky = audit_at(replace(answer("a", [0] * 32), deficit=without), row, range(16))
    assert (lucky.failed, lucky.margin) == (True, 3072 - 208)
