"""Longer answers are put together from short ones as chance would, and judged as audit and challenge judge them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.proof import Calibration
from llmnet.verifier.calibrate import Observation, audit_at
from llmnet.verifier.calibrate.alarm import slashes
from llmnet.verifier.calibrate.judge import margin_evidence
from llmnet.verifier.calibrate.lengths import (
    LENGTHS,
    MOST,
    by_tokens,
    hypergeometric,
    misses_of,
    verdict,
)

from .observations import answer

ROW = Calibration(40, 90, 30, 60, 6554, 1, 1000)
MISS, HIT = 60_000, 0


def with_misses(tokens: int, places: set[int]) -> Observation:
    deficits = tuple(MISS if place in places else HIT for place in range(tokens))
    return replace(answer("a/1", [0] * tokens), deficit=deficits)


@given(st.integers(17, 260), st.data())
def test_a_verdict_is_that_of_the_audit_and_its_challenge(tokens: int, data: st.DataObject) -> None:
    drawn = data.draw(st.integers(0, 3))
    named = data.draw(st.integers(0, min(tokens - 16, 18)))
    places = {*range(drawn), *range(16, 16 + named)}
    found = audit_at(with_misses(tokens, places), ROW, range(16))
    assert verdict(drawn, named, tokens - 16) == (found.margin, found.failed)


def test_answers_of_sixteen_tokens_are_those_that_were_recorded() -> None:
    answers = [with_misses(16, set(range(count))) for count in (0,) * 60 + (1,) * 4 + (2,)]
    longer = with_misses(40, set(range(40)))
    found = by_tokens([(answers[:30], ROW), ([*answers[30:], longer], ROW)])
    assert [one.tokens for one in found] == list(LENGTHS)
    evidence = [margin_evidence(one, ROW.tau_sample, range(16))[0] for one in answers]
    assert found[0].failed == pytest.approx(1 / 65)
    assert found[0].slashed == pytest.approx(slashes(evidence, draws=0).rate)
    assert found[0].slashed < found[0].above <= 1


def test_without_answers_of_sixteen_tokens_nothing_is_said() -> None:
    assert by_tokens([([with_misses(40, set())], ROW)]) == ()


@pytest.mark.parametrize("tokens", [16, 24, 31, 61, 192])
def test_misses_grow_with_the_length_and_stay_together(tokens: int) -> None:
    pairs = np.zeros(MOST + 1)
    pairs[[0, 2]] = 0.9, 0.1  # two misses or none
    found = misses_of(pairs, tokens)
    assert found.sum() == pytest.approx(1)
    if tokens < 100:
        assert found @ np.arange(MOST + 1) == pytest.approx(tokens * 0.2 / 16)
    if tokens % 16 == 0:
        assert found[1:-1:2] == pytest.approx(0), "never one of a pair"


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_chances_of_a_draw_are_all_there(size: int, marked: int, drawn: int) -> None:
    size += max(marked, drawn)
    chances = [hypergeometric(found, size, marked, drawn) for found in range(-1, 22)]
    assert sum(chances) == pytest.approx(1) and chances[0] == 0
    if size:
        mean = sum(found * chance for found, chance in zip(range(-1, 22), chances, strict=True))
        assert mean == pytest.approx(drawn * marked / size)


def test_it_comes_out_as_answers_that_are_drawn_and_audited_do() -> None:
    rng = random.Random(5)
    short = [0] * 14 + [1] * 5 + [3]
    recorded = [with_misses(16, set(rng.sample(range(16), count))) for count in short]
    expected = next(one.failed for one in by_tokens([(recorded, ROW)]) if one.tokens == 31)
    failed, trials = 0, 4_000
    for _ in range(trials):
        places: set[int] = set()
        for start in (0, 16):
            places |= {start + place for place in rng.sample(range(16), rng.choice(short))}
        drawn = sorted(rng.sample(range(31), 16))
        failed += audit_at(with_misses(31, places - {31}), ROW, drawn).failed
    assert abs(failed / trials - expected) < 5 * (expected * (1 - expected) / trials) ** 0.5
