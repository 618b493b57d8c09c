from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the user's reaches a test, and none of a test's files reaches the user."""
    for name in [name for name in os.environ if name.startswith("LLMNET_") and name != "LLMNET_CACHE"]:
        monkeypatch.delenv(name)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("LLMNET_HOME", str(tmp_path / "home"))


@pytest.fixture
def cli() -> CliRunner:
    return CliRunner()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node of these tests compiles its runtime while it is connected to, on a machine that does other things too."""
    monkeypatch.setattr("llmnet.cli.command.CONNECT_SECONDS", 60.0)
