"""The list of attacks, and what is written about them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmnet.redteam.errors import UnknownAttack
from llmnet.redteam.protocol import Effect, Found, Outcome, Setting, attacks, run_all
from llmnet.redteam.protocol.__main__ import main
from llmnet.redteam.protocol.registry import chosen
from llmnet.verifier.errors import CalibrationError

GOOD = Outcome("n", "f", "d", Effect.FINED, True, "", Found(Effect.FINED, "x", 3, 3, lost=20.0, won=0.5))


def test_an_outcome_is_as_expected() -> None:
    assert GOOD.as_expected
    assert GOOD.value == pytest.approx(-19.5)


@pytest.mark.parametrize(
    "found",
    [
        replace(GOOD.found, effect=Effect.SUCCEEDS),
        replace(GOOD.found, caught=2),
        replace(GOOD.found, won=20.5),
    ],
)
def test_an_outcome_is_not_as_expected(found: Found) -> None:
    """Another effect, one that got away, or a covered attack that pays."""
    assert not replace(GOOD, found=found).as_expected


def test_what_is_not_covered_may_pay() -> None:
    assert replace(GOOD, covered=False, why="because", found=replace(GOOD.found, won=99.0)).as_expected


def test_names_and_families_choose() -> None:
    trees = [attack for attack in attacks().values() if attack.family == "trees"]
    assert chosen(["trees"]) == trees
    assert [attack.name for attack in chosen(["forged receipts", "wrong index"])] == [
        "forged receipts",
        "wrong index",
    ]
    assert len(chosen(["trees", "wrong index"])) == len(trees)
    with pytest.raises(UnknownAttack, match="--list"):
        chosen(["no such thing"])


def test_progress_is_told(setting: Setting) -> None:
    seen: list[Outcome] = []
    assert run_all(setting, ["all wrong counts"], seen.append) == seen
    assert [outcome.name for outcome in seen] == ["all wrong counts"]


def test_the_command_writes_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "folder" / "protocol.json"
    assert main(["forged receipts", "--scale", "1", "--out", str(out)]) == 0
    page = json.loads(out.read_text())
    (row,) = page["attacks"]
    assert row["effect"] == row["expected"] == "refused"
    assert row["tried"] == row["caught"] == 85
    assert page["command"].startswith("python -m llmnet.redteam.protocol --scale 1 ")
    assert "forged receipts: refused 85/85" in capsys.readouterr().out


def test_a_run_in_pieces_makes_one_file(tmp_path: Path) -> None:
    """What was run before stays, if it was run as often."""
    out = tmp_path / "protocol.json"
    for names, scale in (
        (["all wrong counts"], "1"),
        (["leaves for nodes"], "1"),
        (["all wrong counts"], "1"),
    ):
        assert main([*names, "--scale", scale, "--out", str(out)]) == 0
    assert [row["name"] for row in json.loads(out.read_text())["attacks"]] == [
        "all wrong counts",
        "leaves for nodes",
    ]
    assert main(["disordered proofs", "--scale", "2", "--out", str(out)]) == 0
    assert [row["name"] for row in json.loads(out.read_text())["attacks"]] == ["disordered proofs"]


def test_the_command_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(attacks())


def test_the_command_refuses_damaged_recordings(tmp_path: Path) -> None:
    (tmp_path / "honest-x.jsonl.xz").write_bytes(b"[]")
    with pytest.raises(CalibrationError, match="honest-x"):
        main(["noise", "--honest", str(tmp_path)])
