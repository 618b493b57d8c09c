from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def node_url(tmp_path: Path) -> Iterator[str]:
    """A development node in its own process that checks each block by executing it again."""
    command = [sys.executable, "-m", "llmnet.cli.node", "--dev", "--json", "--port", "0", "--self-check"]
    command += ["--block-time", "0.5", "--finality-lag", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    errors = (tmp_path / "errors").open("w")
    with (
        errors,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first, (tmp_path / "errors").read_text()
            yield json.loads(first)["url"]
        finally:
            process.terminate()
            process.communicate(timeout=20)
    assert (tmp_path / "errors").read_text() == ""
