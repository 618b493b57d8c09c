"""What a requester can do to an honest worker by choosing what it asks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmnet.proof import NumericsClass
from llmnet.redteam.errors import MissingRecordings
from llmnet.redteam.protocol.noise import Strain, mined, mined_strains, slashes
from llmnet.verifier.calibrate import Observation, Observed, audit, floor_calibration, load, measured_row

ROW = floor_calibration(NumericsClass.FP32)
FAR, NEAR = (10**6,) * 16, (0,) * 16


def asked(far: Callable[[int, int], bool]) -> Observed:
    """Ten questions asked six times; `far(question, number)`."""
    answers = tuple(
        Observation(f"8/{question}~{number}", 256, 40, FAR if far(question, number) else NEAR, NEAR, NEAR)
        for number in range(6)
        for question in range(10)
    )
    return Observed(bytes(32), "m", NumericsClass.FP32, "CPU", "a command", answers)


def test_questions_are_chosen_by_the_first_rounds_and_judged_by_the_last() -> None:
    chance = mined(asked(lambda question, number: question < 5 and number < 3), ROW)
    assert len(chance.answers) == 5 * 3
    assert slashes(chance, 1, 1_000, random.Random(1)) == 0
    nature = mined(asked(lambda question, _: question in (1, 3, 4, 6, 9)), ROW)
    assert all(seen[0][0] == FAR[0] for seen in nature.answers)
    assert slashes(nature, 1, 1_000, random.Random(1)) > 0.3


def test_tokens_slash_as_distances_do() -> None:
    calm = [(0, 0, False)] * 16
    assert slashes(Strain("calm", ROW, [calm]), 1, 100, random.Random(1)) == 0
    missed = [(0, 0, place < 2) for place in range(16)]
    assert slashes(Strain("missed", ROW, [missed]), 1, 100, random.Random(1)) == 0.5
    far = [(10**6, 0, False)] * 16
    assert slashes(Strain("far", ROW, [far]), 1, 100, random.Random(1)) == 0.5


def test_each_class_is_judged_by_the_row_of_its_own_honest_answers() -> None:
    again = asked(lambda *_: False)
    honest = replace(again, answers=tuple(replace(one, id=one.id.replace("~", "/")) for one in again.answers))
    by_hand, found = mined_strains([honest], [again])
    assert (by_hand.name, found.name, found.row.logit_q99) == ("Fp32, by hand", "FP32", 9)
    assert [one.name for one in mined_strains([], [])] == ["Fp32, by hand"]
    with pytest.raises(MissingRecordings, match="no honest answers of m in FP32"):
        mined_strains([replace(honest, spec_id=bytes([1]) * 32)], [again])


def test_a_greedy_question_that_was_close_in_every_round_is_tolerated() -> None:
    """Measured: two tokens so close that worker and reference differ each time. Were it asked warmer, it would be a miss."""
    path = Path(__file__).parents[3] / "docs/verification-data/again-bf16_fp32_residual.jsonl.xz"
    observed = load(path)
    row = measured_row(observed.spec_id)
    assert row is not None
    close = [answer for answer in observed.answers if answer.id.startswith("5/45~")]
    assert len(close) == 20 and {answer.temperature for answer in close} == {0}
    for answer in close:
        assert audit(answer, row, bytes(32)).misses == 0
        assert audit(replace(answer, temperature=128), row, bytes(32)).misses == 1
    assert len(mined(observed, row).answers) == 5 * 10
