"""`python -m llmnet.engine` makes model directories, and says what is wrong with one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmnet.engine import ModelFiles
from llmnet.engine.__main__ import main
from llmnet.engine.weights import MANIFEST


def test_a_directory_is_sealed(tiny: ModelFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(tiny.path, tmp_path / "copy")
    (tmp_path / "copy" / MANIFEST).unlink()
    assert main(["--seal", str(tmp_path / "copy")]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "copy"), tiny.weights_root.hex()]
    assert (tmp_path / "copy" / MANIFEST).is_file()


def test_errors_are_lines_and_not_traces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    assert main(["--gguf", str(tmp_path / "bad.gguf"), str(tmp_path / "out")]) == 1
    assert "not a whole GGUF file" in capsys.readouterr().err
    assert main(["--gguf", str(tmp_path / "bad.gguf"), str(tmp_path / "out")]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(["--seal", str(tmp_path / "nowhere")]) == 1
    assert "does not exist" in capsys.readouterr().err
