"""A handful of recorded answers of the default model in bf16 with fp32 residual, judged at the published thresholds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from llmnet.measure import Recording, RecordingFile
from llmnet.proof import (
    Calibration,
    Candidate,
    NumericsClass,
    ServiceSpec,
    Verdict,
    domain_hash,
    draw_positions,
)
from llmnet.redteam.attack import Source
from llmnet.redteam.bending import first_of, laundered, nudged
from llmnet.redteam.campaign import read, results_file
from llmnet.redteam.trials import try_answer

FOLDER = Path(__file__).parent / "recorded"
DATA = Path(__file__).parents[2] / "docs" / "verification-data"
CLASS = NumericsClass.BF16_FP32_RESIDUAL
SPEC = ServiceSpec(b"SmolLM2", *([bytes(32)] * 4), 1, 20, CLASS, 49_152, 8_192, 9, 9)
SOURCE = Source(SPEC, {})


@pytest.fixture(scope="module")
def row() -> Calibration:
    return Calibration(**read(results_file(DATA, CLASS))["calibration"])


def recorded(name: str) -> list[Recording]:
    found = list(RecordingFile(FOLDER / f"{name}.jsonl"))
    assert len(found) >= 3
    return found


def test_honest_answers_pass_and_speak_for_their_worker(row: Calibration) -> None:
    for recording in recorded("baseline"):
        trial, judgement = try_answer(recording, SPEC, row, 0)
        assert judgement.verdict is Verdict.PASS
        assert trial.position < 0 and trial.margin <= 0


def test_int8_answers_fail_by_their_sketches(row: Calibration) -> None:
    for recording in recorded("int8"):
        trial, judgement = try_answer(recording, SPEC, row, 0)
        assert judgement.verdict is Verdict.FAIL and judgement.self_consistent
        assert trial.position == 3072 and trial.decided is not None and trial.decided <= 8


@pytest.mark.parametrize("name", ["cheap_int8", "seed_1", "canned"])
def test_honest_sketches_under_other_tokens_are_told_by_the_tokens_alone(name: str, row: Calibration) -> None:
    margins = []
    for recording in recorded(name):
        _, raw = try_answer(recording, SPEC, row, 0)
        bent, judgement = try_answer(nudged(SOURCE, recording), SPEC, row, 0)
        assert raw.verdict is Verdict.FAIL and not raw.self_consistent
        assert judgement.self_consistent and judgement.position_evidence < 0
        margins.append(bent.margin)
    assert sum(margins) > 1_000 * len(margins)


def with_misses(recording: Recording, places: set[int]) -> Recording:
    """The same answer before validators to whom its tokens at these places are the least likely of all candidates."""
    reference = tuple(
        dataclasses.replace(leaf, candidates=_last(leaf.token, leaf.candidates))
        if leaf.position in places
        else leaf
        for leaf in recording.reference
    )
    return dataclasses.replace(recording, reference=reference)


def _last(token: int, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    others = [candidate for candidate in candidates if candidate.id != token]
    return (*others, Candidate(token, others[-1].logprob - 2_000))


def test_an_audit_and_a_challenge_of_one_answer_say_no_more_than_one_answer_may(row: Calibration) -> None:
    """A miss where it was drawn, three where it was not: twelve nat, as in the chain's sum, and not 4413."""
    recording = next(one for one in recorded("baseline") if one.temperature == 256 and len(one.leaves) >= 24)
    seed = domain_hash("draw", f"redteam/{recording.id}/0".encode())
    drawn = draw_positions(seed, len(recording.leaves))
    others = [place for place in range(len(recording.leaves)) if place not in drawn]
    once, judgement = try_answer(with_misses(recording, {drawn[0]}), SPEC, row, 0)
    assert (judgement.verdict, once.failed, once.margin) == (Verdict.PASS, False, 1536 - 15 * 13)
    missed = {drawn[0], *others[:3]}
    both, judgement = try_answer(with_misses(recording, missed), SPEC, row, 0)
    assert (judgement.verdict, both.failed, both.margin) == (Verdict.PASS, True, 3072)
    one_each, _ = try_answer(with_misses(recording, {drawn[0], others[0]}), SPEC, row, 0)
    undrawn = len(others)
    assert (one_each.failed, one_each.margin) == (True, 2 * 1536 - 13 * (16 - 1 + undrawn - 1))
    alone, _ = try_answer(with_misses(recording, {others[0]}), SPEC, row, 0)
    assert (alone.failed, alone.margin) == (False, -13 * 16)


def test_the_first_tokens_of_an_answer_are_bent_like_a_whole_one() -> None:
    for recording in recorded("canned"):
        short = first_of(5, nudged)(SOURCE, recording)
        whole = nudged(SOURCE, recording)
        assert (short.leaves, short.reference) == (whole.leaves[:5], recording.reference[:5])
        assert first_of(10_000, nudged)(SOURCE, recording) == whole


def test_hiding_a_token_at_the_end_of_the_list_changes_no_verdict(row: Calibration) -> None:
    for recording in recorded("canned"):
        plain, _ = try_answer(nudged(SOURCE, recording), SPEC, row, 0)
        hidden, _ = try_answer(laundered(SOURCE, recording), SPEC, row, 0)
        assert (plain.failed, plain.margin) == (hidden.failed, hidden.margin) == (True, 3072)


def test_the_same_answers_pass_where_thresholds_are_endless(row: Calibration) -> None:
    """What these tests see is seen by the thresholds, not by the machinery around them."""
    endless = dict.fromkeys(("logit_q95", "logit_q99", "hidden_q95", "hidden_q99"), 1 << 40)
    blind = dataclasses.replace(row, tau_sample=2**32 - 1, **endless)
    for name in ("int8", "seed_1"):
        for recording in recorded(name):
            assert not try_answer(nudged(SOURCE, recording), SPEC, blind, 0)[0].failed
