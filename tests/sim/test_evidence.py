"""Recorded evidence: read with care, replayed exactly."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet import proof
from llmnet.proof import Calibration
from llmnet.sim import BadEvidence, Position, Recorded, load
from llmnet.sim.answers import SPEC, make_answer, shifted
from llmnet.sim.evidence import lanes_at

CALIBRATION = {
    "logit_q95": 9,
    "logit_q99": 18,
    "hidden_q95": 9,
    "hidden_q99": 18,
    "tau_sample": 1311,
    "positions": 100,
    "expires_at": 1,
}
GOOD: dict[str, Any] = {
    "calibration": CALIBRATION,
    "kinds": {
        "honest": {"answers": [[[0, 1, 0], [2, 0, 0]]], "saves": 0},
        "int8": {"answers": [[[50, 70, 1]]], "saves": 0.5},
    },
}


@given(st.integers(0, 1 << 28))
def test_lanes_have_exactly_the_distance(distance: int) -> None:
    lanes = lanes_at(distance)
    assert len(lanes) == proof.LANES
    assert sum(lane * lane for lane in lanes) == distance


def test_a_distance_beyond_all_lanes_saturates() -> None:
    assert lanes_at(1 << 60) == (1 << 14,) * proof.LANES


@given(
    st.lists(
        st.builds(Position, st.integers(0, 10**6), st.integers(0, 10**6), st.booleans()),
        min_size=1,
        max_size=9,
    )
)
def test_an_answer_has_the_evidence_it_was_made_of(positions: list[Position]) -> None:
    answer = make_answer("x", positions, 7, 3, 10, random.Random(1))
    calibration = Calibration(**CALIBRATION)
    for position, leaf, reference in zip(positions, answer.leaves, answer.reference, strict=True):
        assert proof.distance(leaf.logit_sketch, reference.logit_sketch) == position.logit
        assert proof.distance(leaf.hidden_sketch, reference.hidden_sketch) == position.hidden
        assert proof.self_consistent(leaf, SPEC, bytes(32), 0)
        found = proof.margin(leaf, reference, SPEC, calibration, bytes(32), 0)
        assert (found is proof.Margin.MISS) == position.miss
    assert answer.receipt.transcript_root == proof.transcript_root(answer.leaves)


def test_a_shifted_leaf_is_another() -> None:
    answer = make_answer("x", [Position(0, 0, False)], 1, 0, 1, random.Random(1))
    (moved,) = shifted(answer.reference, 40)
    assert proof.distance(moved.logit_sketch, answer.reference[0].logit_sketch) == 8 * 1600


def test_a_good_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "e.json"
    file.write_text(json.dumps(GOOD))
    recorded = load(file)
    assert recorded.answers["int8"] == ((Position(50, 70, True),),)
    assert recorded.draw("honest", 3, random.Random(1)) == [
        Position(0, 1, False),
        Position(2, 0, False),
        Position(0, 1, False),
    ]


def test_an_answer_that_is_too_short_goes_on_with_another_one() -> None:
    """One miss in one of many answers is not two in one that is longer."""
    whole = tuple(Position(place, 0, False) for place in range(10))
    missed = (Position(0, 0, True), *whole[1:])
    recorded = Recorded(
        Calibration(1, 2, 1, 2, 1, 1, 9), {"honest": (missed, *[whole] * 30)}, {"honest": 0.0}
    )
    rng = random.Random(4)
    drawn = [recorded.draw("honest", 25, rng) for _ in range(300)]
    assert all([one.logit for one in answer] == [*range(10), *range(10), *range(5)] for answer in drawn)
    misses = [sum(one.miss for one in answer) for answer in drawn]
    assert 0 < sum(one > 1 for one in misses) < sum(one == 1 for one in misses) / 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({**GOOD, "kinds": {}}),
        json.dumps({**GOOD, "kinds": {"honest": {"answers": [], "saves": 0}}}),
        json.dumps({**GOOD, "kinds": {"honest": {"answers": [[]], "saves": 0}}}),
        json.dumps({**GOOD, "kinds": {"honest": {"answers": [[[1]]], "saves": 0}}}),
        json.dumps({**GOOD, "kinds": {"honest": {"answers": [[["a", 0, 0]]], "saves": 0}}}),
        json.dumps({**GOOD, "calibration": {**CALIBRATION, "more": 1}}),
        json.dumps({**GOOD, "calibration": {**CALIBRATION, "logit_q95": -1}}),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "e.json"
    file.write_text(text)
    with pytest.raises(BadEvidence, match=r"e\.json|honest"):
        load(file)
