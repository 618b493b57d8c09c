"""Evidence, the sequential test and the CUSUMs, with the numbers worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.proof import Calibration, Cusum, ShapeError, Sprt, beside, clip, distance, position_evidence, sprt
from llmnet.proof.scoring import is_alarming

ROW = Calibration(10, 40, 20, 60, 0, 2000, 0)
I16 = st.integers(-32768, 32767)
LANES = st.tuples(*[I16] * 8)


@given(LANES, LANES)
def test_distance_is_a_squared_metric(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) <= 8 * 65535**2


def test_distance_needs_equal_lanes() -> None:
    assert distance([3, -4], [0, 0]) == 25
    with pytest.raises(ShapeError):
        distance([1], [1, 2])


@pytest.mark.parametrize(
    ("logit", "hidden", "evidence"),
    [
        (0, 0, -64),
        (9, 19, -64),
        (10, 0, 205),
        (0, 20, 205),
        (39, 59, 205),
        (40, 0, 640),
        (0, 60, 640),
        (79, 119, 640),
        (80, 0, 1024),
        (0, 120, 1024),
        (10, 120, 1024),
        (1 << 40, 0, 1024),
    ],
)
def test_the_worse_bin_counts_and_limits_belong_to_the_bin_above(
    logit: int, hidden: int, evidence: int
) -> None:
    assert position_evidence(logit, hidden, ROW) == evidence


def test_a_zero_threshold_never_counts_for_the_worker() -> None:
    assert position_evidence(0, 0, Calibration(0, 0, 0, 0, 0, 0, 0)) == 1024


def test_an_answer_adds_a_nat_less_at_best_and_twelve_at_worst() -> None:
    assert [clip(x) for x in (-257, -256, 0, 3072, 3073)] == [-256, -256, 0, 3072, 3072]


FAR, EDGE, NEAR = (51, 0), (50, 75), (0, 0)


@pytest.mark.parametrize(
    ("distances", "state"),
    [
        ([FAR] * 5, Sprt.UNDECIDED),  # 5 * 693 = 3465
        ([FAR] * 6, Sprt.FAILED),
        ([(0, 76)] * 6, Sprt.FAILED),
        ([EDGE] * 16, Sprt.UNDECIDED),  # 1.25 q99 itself is no hit; 16 * -86 = -1376
        ([NEAR] * 20, Sprt.UNDECIDED),  # -1720
        ([NEAR] * 21, Sprt.CLEAR),
        ([NEAR] * 21 + [FAR] * 50, Sprt.CLEAR),  # it has stopped
        ([FAR] * 6 + [NEAR] * 90, Sprt.FAILED),
        ([NEAR] * 10 + [FAR] * 6, Sprt.UNDECIDED),  # 6 * 693 - 860 = 3298
        ([NEAR] * 7 + [FAR] * 6, Sprt.FAILED),  # 3556
        ([NEAR] * 8 + [FAR] * 6, Sprt.UNDECIDED),  # 3470
        ([], Sprt.UNDECIDED),
    ],
)
def test_sprt_by_hand(distances: list[tuple[int, int]], state: Sprt) -> None:
    assert sprt(distances, ROW) is state


def test_cusum_by_hand() -> None:
    state = Cusum().add(3072, 1024)
    assert not state.slashable
    state = state.add(-5000, -24)
    assert (state.position, state.margin) == (0, 1000)
    assert not state.add(0, 4119).slashable
    assert state.add(0, 4120).slashable
    assert Cusum(5119 - 1536, 0).missed_deadline() == Cusum(5119, 0)
    assert Cusum(5120 - 1536, 0).missed_deadline().slashable


@pytest.mark.parametrize(
    ("first", "challenge", "counts"),
    [
        (3072, 3072, 0),
        (3071, 3072, 1),
        (1341, 3072, 1731),
        (0, 3072, 3072),
        (-256, 3072, 3072),
        (3072, -13, -13),
    ],
)
def test_a_challenge_adds_what_is_missing_to_the_most_of_one_answer(
    first: int, challenge: int, counts: int
) -> None:
    assert beside(first, challenge) == counts


@pytest.mark.parametrize(
    ("position", "total", "alarming"),
    [(768, 2560, True), (767, 5119, False), (3072, 2559, False), (3072, 3072, True)],
)
def test_three_nat_are_alarming_where_half_of_a_slash_is_there(
    position: int, total: int, alarming: bool
) -> None:
    assert is_alarming(position, total) is alarming


@given(st.lists(st.tuples(st.integers(-9999, 9999), st.integers(-9999, 9999)), max_size=20))
def test_no_single_answer_slashes_a_clean_worker_and_sums_stay_non_negative(
    answers: list[tuple[int, int]],
) -> None:
    state = Cusum()
    for position, margin in answers:
        once = Cusum().add(clip(position), clip(margin))
        assert not once.slashable
        assert not once.add(beside(clip(position), 3072), beside(clip(margin), 3072)).slashable
        state = state.add(clip(position), clip(margin))
        assert state.position >= 0
        assert state.margin >= 0


@pytest.mark.parametrize(
    ("hits", "misses", "state"),
    [(42, 359, Sprt.CLEAR), (88, 668, Sprt.FAILED)],  # 693 * hits - 86 * misses is -1768, and 3536
)
def test_the_sequential_test_ends_at_its_limits_not_beyond(hits: int, misses: int, state: Sprt) -> None:
    """The fewest positions whose sum is a limit itself, in an order that keeps the sum between both until then."""
    path: list[tuple[int, int]] = []
    total = 0
    while hits or misses:
        hit = bool(hits) and (total < 0 or not misses)
        total, hits, misses = (total + 693, hits - 1, misses) if hit else (total - 86, hits, misses - 1)
        path.append(FAR if hit else NEAR)
    assert total == (3536 if state is Sprt.FAILED else -1768)
    assert sprt(path[:-1], ROW) is Sprt.UNDECIDED
    assert sprt(path, ROW) is state
