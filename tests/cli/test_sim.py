"""`llmnet sim`: what it prints, and what it says of evidence that is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from llmnet.cli.main import app

NEAR, FAR = [1, 1, 0], [40, 40, 0]
CALIBRATION = {
    "logit_q95": 9,
    "logit_q99": 18,
    "hidden_q95": 9,
    "hidden_q99": 18,
    "tau_sample": 1311,
    "positions": 1000,
    "expires_at": 1 << 30,
}


def sim(cli: CliRunner, *args: str) -> Result:
    return cli.invoke(app, ["sim", *args])


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    kinds = {
        "honest": {"saves": 0, "answers": [[NEAR] * 24]},
        "other_model": {"saves": 0.9, "answers": [[FAR] * 24]},
    }
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps({"calibration": CALIBRATION, "kinds": kinds}))
    return path


def test_deviations_are_named_after_the_evidence(cli: CliRunner, evidence: Path) -> None:
    listed = json.loads(sim(cli, "list", "--evidence", str(evidence), "--json").stdout)
    names = [each["name"] for each in listed]
    assert "other_model 100%" in names
    assert not [name for name in names if "cheap" in name]


def test_a_cheat_loses_and_the_table_says_so(cli: CliRunner, evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    run = sim(
        cli,
        *("run", "other_model 100%", "--evidence", str(evidence), "--answers", "20"),
        *("--seeds", "1", "--jobs", "1", "--out", str(out)),
    )
    assert run.exit_code == 0
    assert "most profitable deviation: other_model 100%, -" in run.stdout
    (result,) = json.loads(out.read_text())["results"]
    assert result["value"] < -10
    assert (result["lost"], result["honest_punished"]) == (1, 0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no recorded evidence"),
        ("[]", "holds no recorded evidence"),
        ('{"kinds": {}}', "needs honest answers"),
        (json.dumps({"calibration": CALIBRATION, "kinds": {}}), "needs honest answers"),
        (
            json.dumps(
                {"calibration": CALIBRATION, "kinds": {"honest": {"saves": 0, "answers": [[[1, 1]]]}}}
            ),
            "holds no recorded evidence",
        ),
    ],
)
def test_what_is_no_evidence_is_refused(cli: CliRunner, tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(content)
    run = sim(cli, "list", "--evidence", str(path))
    assert run.exit_code == 1
    assert says in run.stderr


def test_an_unknown_deviation_is_named(cli: CliRunner, evidence: Path) -> None:
    run = sim(cli, "run", "winning", "--evidence", str(evidence))
    assert run.exit_code == 1
    assert "winning" in run.stderr
    assert "llmnet sim list" in run.stderr
