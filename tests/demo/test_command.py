"""`llmnet demo`: exit status, files, messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmnet.cli import demo
from llmnet.demo import director
from llmnet.demo.director import CurtainError
from llmnet.demo.processes import Daemon, DaemonDied
from llmnet.demo.report import Outcome
from llmnet.demo.stage import StageError

from .results import honest, outcome
from .test_report import WRONG

Play = Callable[..., int]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Runs the command with a play that ends as told."""

    class FakeDirector:
        result: Outcome | Exception = outcome()

        def __init__(self, script: object, tell: object) -> None: ...

        async def play(self) -> Outcome:
            if isinstance(self.result, Exception):
                raise self.result
            return self.result

    monkeypatch.setattr(director, "Director", FakeDirector)
    monkeypatch.setattr(demo, "script_of", lambda args: director.Script(tmp_path, tmp_path))

    def run(result: Outcome | Exception, *arguments: str) -> int:
        FakeDirector.result = result
        return demo.main(["--picture", str(tmp_path / "out" / "p.svg"), *arguments])

    return run


def test_a_good_play_ends_with_zero(play: Play, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(outcome(), "--json", str(tmp_path / "o.json")) == 0
    assert json.loads((tmp_path / "o.json").read_text())["ok"] is True
    assert (tmp_path / "out" / "p.svg").exists()
    shown = capsys.readouterr().out
    assert "Worker1 honest" in shown and "total issuance adds up" in shown


PLAYED = {name: found for name, found in WRONG.items() if found.workers}


@pytest.mark.parametrize("found", PLAYED.values(), ids=PLAYED)
def test_each_wrong_outcome_ends_with_one(play: Play, tmp_path: Path, found: Outcome) -> None:
    assert play(found, "--json", str(tmp_path / "o.json")) == 1
    assert json.loads((tmp_path / "o.json").read_text())["ok"] is False


def test_money_that_does_not_add_up_is_said(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(outcome(issuance_after=1)) == 1
    assert "DOES NOT ADD UP" in capsys.readouterr().out


@pytest.mark.parametrize(
    "error", [StageError("no node"), CurtainError("not over"), DaemonDied("Validator1 ended")]
)
def test_a_play_that_breaks_off_says_why(
    play: Play, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    assert play(error) == 1
    assert capsys.readouterr().err == f"llmnet demo: {error}\n"


def test_honest_only_shows_the_distribution(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(outcome(honest()), "--honest-only") == 0
    assert "Evidence of one answer" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--rounds", "x"], ["--nonsense"]])
def test_wrong_usage_ends_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        demo.main(arguments)
    assert ended.value.code == 2


@pytest.mark.e2e
@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(320)
async def test_the_demo_plays(tmp_path: Path) -> None:
    """The real thing: nine processes, the default model, three cheats."""
    files: dict[str, Any] = {
        name: str(tmp_path / name) for name in ("outcome.json", "evidence.svg", "folder")
    }
    arguments = [
        "--rounds",
        "3",
        "--seed",
        "5",
        "--json",
        files["outcome.json"],
        "--picture",
        files["evidence.svg"],
    ]
    daemon = await Daemon.start(
        "demo", "llmnet.cli.demo", [*arguments, "--folder", files["folder"]], tmp_path / "demo.log", {}
    )
    try:
        status = await daemon.process.wait()
    finally:
        await daemon.stop()
    said = daemon.log.read_text()
    assert status == 0, said
    body = json.loads((tmp_path / "outcome.json").read_text())
    assert body["ok"] and body["issuance_ok"] and body["seed"] == 5
    behaviours = {row["behaviour"]: row for row in body["workers"]}
    assert set(behaviours) == {"honest", "int8", "skip_layer", "cheap_decode"}
    assert behaviours["honest"]["passed"] == 3 and behaviours["honest"]["earned"] > 0
    assert all(row["slashed"] > 0 for name, row in behaviours.items() if name != "honest")
    assert behaviours["honest"]["integrity"] > 0.5 > behaviours["int8"]["integrity"]
    assert (tmp_path / "evidence.svg").stat().st_size > 1000
    logs = list((tmp_path / "folder").glob("*.log"))
    assert logs and not [log.name for log in logs if "Traceback" in log.read_text()]
