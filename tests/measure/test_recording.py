"""Recordings survive being cut off, name their spec, and refuse what is damaged."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from zlib import compress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.engine import Engine, ModelFiles
from llmnet.measure import (
    BadRecording,
    Recording,
    RecordingFile,
    answer,
    evidence,
    honest_jobs,
    machine_in_words,
    observe,
    observe_all,
    record,
    record_honest,
    running,
)
from llmnet.measure.running import Job
from llmnet.proof import NumericsClass, ServiceSpec
from llmnet.verifier.reference import Reference, spec_of


@pytest.fixture(scope="module")
def jobs(engine: Engine) -> list[Job]:
    return [replace(job, max_tokens=5) for job in honest_jobs(engine.tokenizer, 6, long=0, deep=0)]


@pytest.fixture(scope="module")
def recordings(
    tmp_path_factory: pytest.TempPathFactory, engine: Engine, reference: Reference, jobs: list[Job]
) -> list[Recording]:
    told: list[tuple[int, int]] = []
    path = tmp_path_factory.mktemp("recorded") / "a" / "honest.jsonl"
    file = record(path, engine, reference, jobs, lambda done, wanted: told.append((done, wanted)))
    assert told == [(number, 6) for number in range(1, 7)]
    return list(file)


def filled(path: Path, recordings: list[Recording], spec: ServiceSpec | None = None) -> RecordingFile:
    file = RecordingFile(path, spec)
    for recording in recordings:
        file.append(recording)
    return file


def test_what_is_recorded_is_what_was_answered(
    recordings: list[Recording], engine: Engine, reference: Reference, jobs: list[Job], spec: ServiceSpec
) -> None:
    answers = answer(engine, jobs)
    for recording, job in zip(recordings, jobs, strict=True):
        assert (recording.id, recording.prompt_ids, recording.temperature) == (
            job.id,
            job.prompt_ids,
            job.temperature,
        )
        assert recording.leaves == answers[job.id]
        assert recording.tokens == tuple(leaf.token for leaf in recording.leaves)
        assert max(point.logit for point in evidence(recording, spec)) < 9
        assert Recording.from_line(recording.as_line()) == recording


def test_recording_goes_on_where_it_was_cut_off(
    tmp_path: Path,
    recordings: list[Recording],
    engine: Engine,
    reference: Reference,
    jobs: list[Job],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = filled(tmp_path / "whole.jsonl", recordings, reference.spec).path.read_bytes()
    asked: list[int] = []

    def counted(engine: Engine, group: list[Job]) -> dict[str, tuple]:
        asked.append(len(group))
        return answer(engine, group)

    monkeypatch.setattr(running, "answer", counted)
    for size in (0, 40, len(whole) // 2, len(whole) - 1, len(whole)):
        path = tmp_path / f"{size}.jsonl"
        path.write_bytes(whole[:size])
        kept = sum(1 for _ in RecordingFile(path))
        again = record(path, engine, reference, jobs)
        assert list(again) == recordings
        assert path.read_bytes() == whole
        assert (asked.pop() if asked else 0) == 6 - kept


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(0, 1 << 30))
def test_a_file_cut_anywhere_loses_no_whole_line(
    tmp_path_factory: pytest.TempPathFactory, recordings: list[Recording], cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    whole = filled(path, recordings[:3]).path.read_bytes()
    path.write_bytes(whole[: cut % (len(whole) + 1)])
    lines = path.read_bytes().count(b"\n")
    assert list(RecordingFile(path)) == recordings[:lines]
    RecordingFile(path).append(recordings[5])
    assert list(RecordingFile(path)) == [*recordings[:lines], recordings[5]]


def test_a_file_of_another_spec_is_refused(
    tmp_path: Path,
    recordings: list[Recording],
    tiny: ModelFiles,
    spec: ServiceSpec,
    reference: Reference,
    engine: Engine,
) -> None:
    other = spec_of(tiny, numerics=NumericsClass.BF16)
    path = filled(tmp_path / "a.jsonl", recordings, spec).path
    assert RecordingFile(path).spec_id == spec.id and RecordingFile(path, spec).ids()
    for make in (
        lambda: RecordingFile(path, other),
        lambda: record(path, engine, Reference(tiny, other), []),
        lambda: observe_all(RecordingFile(path), other, machine="", made_by=""),
    ):
        with pytest.raises(BadRecording, match="another model or class"):
            make()
    assert filled(tmp_path / "b.jsonl", recordings).spec_id is None
    assert RecordingFile(tmp_path / "absent.jsonl", other).spec_id is None


def _damaged(line: str, **values: object) -> str:
    return json.dumps({**json.loads(line), **values})


def _packed(data: bytes) -> str:
    return b64encode(data).decode()


def test_damaged_lines_are_named(tmp_path: Path, recordings: list[Recording]) -> None:
    line = recordings[0].as_line()
    bomb = compress(bytes(1 << 25), 9)
    for bad in (
        "{",
        "[]",
        "null",
        "NaN",
        line[: len(line) // 2],
        _damaged(line, prompt=None),
        _damaged(line, prompt=["x"]),
        _damaged(line, seed="zz"),
        _damaged(line, temperature=None),
        _damaged(line, leaves="?"),
        _damaged(line, leaves=_packed(b"no deflate")),
        _damaged(line, leaves=_packed(bomb)),
        _damaged(line, leaves=_packed(compress(b"\x04"))),
        _damaged(line, reference=_packed(bomb[:100])),
    ):
        path = tmp_path / "a.jsonl"
        path.write_text(line + "\n" + bad + "\n")
        with pytest.raises(BadRecording, match=r"line 2.*delete the line"):
            list(RecordingFile(path))


def test_observations_are_the_evidence(recordings: list[Recording], spec: ServiceSpec) -> None:
    points = evidence(recordings[0], spec)
    found = observe(recordings[0], spec)
    assert found.logit == tuple(point.logit for point in points)
    assert found.deficit == tuple(point.deficit for point in points)
    assert found.prompt_tokens == len(recordings[0].prompt_ids) and not found.broken
    forged = replace(recordings[0].leaves[2], token=recordings[0].leaves[2].token ^ 1)
    leaves = (*recordings[0].leaves[:2], forged, *recordings[0].leaves[3:])
    assert observe(replace(recordings[0], leaves=leaves), spec).broken == (2,)


def test_nothing_recorded_or_recorded_twice_is_no_observation(
    tmp_path: Path, recordings: list[Recording], spec: ServiceSpec
) -> None:
    for given_, said in (
        (RecordingFile(tmp_path / "absent.jsonl"), "nothing is recorded"),
        ([recordings[0], recordings[0]], "twice"),
        ([replace(recordings[0], leaves=(), reference=())], "is empty"),
    ):
        with pytest.raises(BadRecording, match=said):
            observe_all(given_, spec, machine="", made_by="")


def test_the_whole_of_it(tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec) -> None:
    file = record_honest(tmp_path / "a.jsonl", tiny, spec, 3, long=1, deep=0)
    found = observe_all(file, spec, machine=machine_in_words(spec.numerics), made_by="a test")
    assert [answer.id.startswith("long/") for answer in found.answers] == [False] * 3 + [True]
    assert found.spec_id == spec.id and found.positions > 3


def test_emulated_classes_are_called_so() -> None:
    said = {numerics: "emulated" in machine_in_words(numerics) for numerics in NumericsClass}
    assert [numerics for numerics, emulated in said.items() if not emulated] == [NumericsClass.FP32]
    assert machine_in_words(NumericsClass.BF16, "an accelerator") == "an accelerator"
