"""The comparison as a command: it records what it needs, goes on where it was, and says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmnet.redteam.rivals.__main__ import COMPARED, SCORES, TABLE, main

from .conftest import Recorded

CLASS = "BF16_FP32_RESIDUAL"


def test_from_nothing_to_a_table(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings, out = tmp_path / "recordings", tmp_path / "out"
    of = ["--numerics", CLASS, "--recordings", str(recordings), "--model", str(recorded.files.path)]
    assert main(["states", *of, "--honest", "40", "--cheats", "1"]) == 0
    made = {path: path.read_bytes() for path in (recordings / CLASS).iterdir()}
    assert main(["states", *of, "--honest", "40", "--cheats", "2"]) == 0
    assert all(path.read_bytes().startswith(content) for path, content in made.items())
    capsys.readouterr()
    assert main(["scores", *of, "--out", str(out)]) == 0
    assert f"{len(COMPARED)} attacks" in capsys.readouterr().err
    table = json.loads((out / TABLE).read_text())["classes"][CLASS]
    assert table["fitted_on"] + table["held_out"] == 40
    assert {row["attack"] for row in table["rows"]} == set(COMPARED)
    written = (out / TABLE).read_bytes()
    (out / TABLE).unlink()
    assert main(["table", "--out", str(out)]) == 0 and (out / TABLE).read_bytes() == written


def test_nothing_recorded_is_told_and_leaves_what_was_published(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [
        "--recordings",
        str(tmp_path / "absent"),
        "--out",
        str(tmp_path),
        "--model",
        str(recorded.files.path),
    ]
    assert main(["scores", *where]) == 1
    said = capsys.readouterr().err
    assert "has no honest answers" in said and "rivals states" in said and said.count("\n") == 1
    assert not (tmp_path / SCORES).exists() and not (tmp_path / TABLE).exists()


def test_damaged_or_absent_scores_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (None, b"not compressed"):
        if content is not None:
            (tmp_path / SCORES).write_bytes(content)
        assert main(["table", "--out", str(tmp_path)]) == 1
        said = capsys.readouterr().err
        assert SCORES in said and said.count("\n") == 1
    assert not (tmp_path / TABLE).exists()
