"""Areas and detection rates of scores whose answers are known."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.redteam.rivals.errors import NothingToCompare
from llmnet.redteam.rivals.statistics import Judged, split, threshold

HUNDRED = list(range(100))
scores = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


def test_known_areas() -> None:
    judged = Judged([0, 1, 2, 3], "x")
    assert judged.area([4, 5]).value == 1
    assert judged.area([-1]).value == 0
    assert judged.area([1.5]).value == 0.5
    assert judged.area([3, inf]).value == pytest.approx((3.5 + 4) / 8)
    assert Judged([inf], "x").area([inf]).value == 0.5


@given(scores, scores)
def test_the_area_is_the_share_of_pairs_that_are_in_order(honest: list[float], cheats: list[float]) -> None:
    pairs = [(cheat > one) + (cheat == one) / 2 for cheat in cheats for one in honest]
    found = Judged(honest, "x").area(cheats)
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= found.low <= found.high <= 1


def test_detection_at_a_rate() -> None:
    judged = Judged(HUNDRED, "x")
    found = judged.detection([97, 98, 99, 100], 0.01)
    assert found is not None
    assert found.value == 0.5  # the limit is 98: one honest answer of a hundred lies above
    assert judged.false_rate(0.01) == 0.01
    assert found.low <= found.value <= found.high


def test_a_level_that_the_answers_cannot_tell_is_not_told() -> None:
    judged = Judged(HUNDRED, "x")
    assert judged.detection([1e9], 0.001) is None
    assert not judged.supports(0.001)
    assert Judged(list(range(1000)), "x").supports(0.001)


@given(scores, st.sampled_from([0.01, 0.05, 0.2]))
def test_no_more_honest_answers_than_the_level_are_above(honest: list[float], level: float) -> None:
    limit = float(threshold(np.array(honest), level))
    assert sum(score > limit for score in honest) <= level * len(honest)


def test_equal_scores_never_count_as_above() -> None:
    judged = Judged([-4.0] * 199 + [3.0], "x")
    assert judged.false_rate(0.01) == 0.005
    found = judged.detection([-4.0, -3.9], 0.01)
    assert found is not None
    assert found.value == 0.5


def test_the_same_name_gives_the_same_interval() -> None:
    first, second = (Judged(HUNDRED, "a").area([50, 60, 99]) for _ in range(2))
    assert first == second
    assert first.high - first.low > 0.1  # three answers say little


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(NothingToCompare, match="1 honest scores are no numbers"):
        Judged([1, nan], "x")
    with pytest.raises(NothingToCompare, match="no cheating scores"):
        Judged([1], "x").area([])
    with pytest.raises(NothingToCompare, match="no honest scores"):
        Judged([], "x")


def test_the_split_depends_on_the_id_alone() -> None:
    ids = [f"{form}/{place}" for form in range(20) for place in range(50)]
    fit, held = split(ids, 1 / 3)
    assert sorted(fit + held) == list(range(1000))
    assert 270 < len(fit) < 400
    again, _ = split(ids[::-1], 1 / 3)
    assert {ids[place] for place in fit} == {ids[::-1][place] for place in again}
