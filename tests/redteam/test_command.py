"""`llmnet redteam`: lists, runs, writes, and says by its exit status when something was not caught."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from llmnet.cli.main import app
from llmnet.redteam import campaign
from llmnet.redteam.registry import ATTACKS
from llmnet.redteam.shop import Shop
from llmnet.verifier.calibrate import Observed, save


def redteam(*args: str) -> Result:
    return CliRunner().invoke(app, ["redteam", *args])


@pytest.fixture
def data(shop: Shop, observed: Observed, tmp_path: Path) -> Path:
    """Where honest answers are kept."""
    save(observed, campaign.honest_file(tmp_path, shop.numerics))
    return tmp_path


def run(shop: Shop, data: Path, *args: str) -> Result:
    return redteam(
        *("run", *args, "--numerics", "fp32", "--model", str(shop.files.path), "--data", str(data)),
        *("--recordings", str(shop.folder.parent), "--answers", "8"),
    )


def test_every_attack_is_listed_with_what_is_expected_of_it() -> None:
    listed = {one["attack"]: one for one in json.loads(redteam("list", "--json").stdout)}
    assert set(ATTACKS) <= set(listed)
    assert listed["zero"]["expected"] == "slashed within 3"
    assert any(one["family"].startswith("protocol") for one in listed.values())


def test_what_was_caught_is_written_and_the_status_is_good(shop: Shop, data: Path) -> None:
    result = run(shop, data, "zero", "honest", "--write")
    assert result.exit_code == 0, result.output
    cells = campaign.read(campaign.results_file(data, shop.numerics))["cells"]
    assert [(cell["attack"], cell["seen"]) for cell in cells] == [
        ("zero", "slashed within 3"),
        ("honest", "never accused"),
    ]
    assert (data / "evidence-fp32.json").exists()


def test_what_is_not_caught_makes_the_status_bad(shop: Shop, observed: Observed, data: Path) -> None:
    """Honest workers that stray this far leave no threshold that forged sketches would exceed."""
    wild = [
        replace(answer, logit=(1 << 35,) * len(answer), hidden=(1 << 35,) * len(answer))
        for answer in observed.answers
    ]
    save(replace(observed, answers=tuple(wild)), campaign.honest_file(data, shop.numerics))
    result = run(shop, data, "zero")
    assert result.exit_code == 1
    assert "NOT AS EXPECTED: zero in FP32: slashed within 3 expected" in result.output


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (["run"], 2, "name the attacks"),
        (["run", "nonsense"], 1, "no attack nonsense"),
        (["run", "zero", "--numerics", "fp64"], 2, "not 'fp64'"),
    ],
)
def test_wrong_usage_says_what_to_do(args: list[str], status: int, says: str) -> None:
    result = redteam(*args)
    assert result.exit_code == status
    assert says in result.output


def test_without_honest_answers_nothing_is_judged(shop: Shop, tmp_path: Path) -> None:
    result = run(shop, tmp_path, "zero")
    assert result.exit_code == 1
    assert "llmnet calibrate record" in result.output
