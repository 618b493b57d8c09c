"""The file of observed answers gives back what it was given, and says what is wrong with anything else."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.proof import NumericsClass
from llmnet.verifier import CalibrationError
from llmnet.verifier.calibrate import Observation, Observed, load, merge, save

from .observations import answer, honest

Lines = list[dict[str, Any]]


def observed(answers: tuple[Observation, ...], spec: int = 1) -> Observed:
    return Observed(bytes([spec]) * 32, "m", NumericsClass.BF16, "CPU", "a command", answers)


DEFICIT = st.one_of(st.none(), st.just((1 << 63) - 1), st.integers(0, 1 << 40))
POSITION = st.tuples(st.integers(0, 1 << 35), st.integers(0, 1 << 35), DEFICIT)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    logit, hidden, deficit = zip(*draw(st.lists(POSITION, min_size=1, max_size=20)), strict=True)
    broken = draw(st.sets(st.integers(0, len(logit) - 1)))
    numbers = draw(st.integers(0, 65535)), draw(st.integers(1, 8192))
    return Observation(draw(st.text(max_size=9)), *numbers, logit, hidden, deficit, tuple(sorted(broken)))


@settings(max_examples=25, deadline=None)
@given(st.lists(observations(), max_size=8, unique_by=lambda one: one.id))
def test_what_was_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, found: list[Observation]) -> None:
    path = tmp_path_factory.mktemp("observed") / "a.jsonl.xz"
    whole = observed(tuple(found))
    save(whole, path)
    assert load(path) == whole
    first = path.read_bytes()
    save(whole, path)
    assert path.read_bytes() == first


def written(path: Path, change: Callable[[Lines], Lines]) -> Path:
    """The file of two answers with its lines changed."""
    save(observed(tuple(honest(2))), path)
    lines = [json.loads(line) for line in lzma.decompress(path.read_bytes()).decode().splitlines()]
    text = "".join(json.dumps(line) + "\n" for line in change(lines))
    path.write_bytes(lzma.compress(text.encode()))
    return path


def changed(place: int, **values: object) -> Callable[[Lines], Lines]:
    return lambda lines: [
        {**line, **values} if number == place else line for number, line in enumerate(lines)
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed(1, logit=[float("nan")] * 16), "line 2 is damaged: NaN is no distance"),
        (changed(1, logit=[float("inf")] * 16), "line 2 is damaged: Infinity is no distance"),
        (changed(2, logit=[1.5] * 16), "line 3 is damaged.*not a whole number"),
        (changed(2, logit=[True] * 16), "line 3 is damaged.*not a whole number"),
        (changed(1, hidden=[-1] * 16), "line 2 is damaged.*not a whole number"),
        (changed(1, hidden=[1 << 40] * 16), "line 2 is damaged.*that far apart"),
        (changed(1, hidden=[1]), "line 2 is damaged.*as many"),
        (changed(1, logit=[], hidden=[], deficit=[]), "line 2 is damaged.*at least one"),
        (changed(1, deficit=["present"] * 16), "line 2 is damaged.*not a whole number"),
        (changed(1, broken=[16]), "line 2 is damaged.*outside the answer"),
        (changed(1, temperature=None), "line 2 is damaged"),
        (lambda lines: [*lines[:2], {"id": "x"}], "line 3 is damaged: 'temperature'"),
        (lambda lines: [lines[0], lines[1], lines[1]], "holds an answer twice"),
        (lambda lines: lines[1:], "does not begin"),
        (lambda lines: [], "does not begin"),
        (changed(0, format="something else 2"), "does not begin"),
        (changed(0, spec="zz"), "line 1"),
        (changed(0, numerics="FP8"), "line 1: KeyError\\('FP8'\\)"),
    ],
)
def test_damaged_files_say_where(tmp_path: Path, change: Callable[[Lines], Lines], said: str) -> None:
    path = written(tmp_path / "a.jsonl.xz", change)
    with pytest.raises(CalibrationError, match=said):
        load(path)


def test_the_file_that_is_changed_above_loads_when_it_is_not(tmp_path: Path) -> None:
    assert len(load(written(tmp_path / "a.jsonl.xz", lambda lines: lines)).answers) == 2


@pytest.mark.parametrize(
    "data", [b"", b"plain text\n", lzma.compress(b"\xff\xfe"), lzma.compress(b"[]\n" * 3)]
)
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(data)
    with pytest.raises(CalibrationError, match=r"a\.jsonl\.xz"):
        load(path)


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.xz"
    save(observed(tuple(honest(50))), path)
    whole = path.read_bytes()
    for size in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(CalibrationError):
            load(path)


def test_files_of_several_machines_are_one_and_of_several_specs_are_not() -> None:
    one, two = observed(tuple(honest(4))), replace(observed(tuple(honest(3))), machine="GPU")
    both = merge([one, two])
    assert len({found.id for found in both.answers}) == 7 and both.machine == "CPU, GPU"
    assert merge([one]) is one
    for other in (observed((), spec=2), replace(one, numerics=NumericsClass.FP16)):
        with pytest.raises(CalibrationError, match="different models or classes"):
            merge([one, other])


def test_an_answer_with_numbers_that_do_not_fit_is_refused() -> None:
    with pytest.raises(CalibrationError, match="as many"):
        answer("a", [1, 2], [1])
