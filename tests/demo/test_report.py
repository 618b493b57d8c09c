"""What is right, and what is shown. Each check of the demo fails here once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from llmnet.demo.report import Outcome, WorkerResult, draw_evidence, evidence_table, outcome_table, tokens

from .results import FAILED, PASSED, cheat, honest, outcome


def _shown(table: Table) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_a_good_outcome_is_good() -> None:
    found = outcome()
    assert found.ok and found.issuance_ok
    body = json.loads(found.to_json())
    assert (body["ok"], body["issuance_ok"], body["seed"], body["seconds"]) == (True, True, 1, 12.3)
    assert {"name", "behaviour", "earned", "fined", "slashed", "integrity"} <= set(body["workers"][0])
    assert [(row["passed"], row["failed"], row["right"]) for row in body["workers"]] == [
        (2, 0, True),
        (0, 1, True),
    ]


def _with(worker: Callable[[], WorkerResult], **values: object) -> WorkerResult:
    made = worker()
    for name, value in values.items():
        setattr(made, name, value)
    return made


WRONG = {
    "honest fined": outcome(_with(honest, fined=1), cheat()),
    "honest slashed": outcome(_with(honest, slashed=1), cheat()),
    "honest unpaid": outcome(_with(honest, earned=0), cheat()),
    "honest failed": outcome(_with(honest, points=[PASSED, FAILED]), cheat()),
    "cheat unslashed": outcome(honest(), _with(cheat, slashed=0)),
    "cheat only fined": outcome(honest(), _with(cheat, slashed=0, fined=10**12)),
    "minted": outcome(issuance_after=1001),
    "burnt": outcome(issuance_after=999),
    "held off": outcome(held_ok=False),
    "nobody played": outcome(workers=[]),
}


@pytest.mark.parametrize("found", WRONG.values(), ids=WRONG)
def test_each_wrong_outcome_is_wrong(found: Outcome) -> None:
    assert not found.ok
    assert json.loads(found.to_json())["ok"] is False


def test_the_table_says_who_was_wronged() -> None:
    text = _shown(outcome_table(outcome(_with(honest, fined=1), cheat())))
    rows = {line.split()[1]: line for line in text.splitlines() if "Worker" in line}
    assert "NO" in rows["Worker1"] and "yes" in rows["Worker2"]
    assert "2 of 2" in rows["Worker1"] and "24.0" in rows["Worker2"]  # 6144 / 256 nat
    assert "seed 1" in text


def test_a_worker_without_audits_has_a_row() -> None:
    assert "0 of 2" in _shown(outcome_table(outcome(_with(honest, points=[]), cheat())))


def test_evidence_is_counted_by_value() -> None:
    text = _shown(evidence_table([honest()]))
    assert "-0.25" in text and "-0.05" in text and text.splitlines()[-2].split()[-2] == "2"


def test_amounts_are_whole_tokens() -> None:
    assert tokens(1_234_567_890_123_456) == "1,234.567890"


@pytest.mark.parametrize(("name", "magic"), [("a.svg", b"<?xml"), ("a.png", b"\x89PNG")])
def test_the_picture_is_drawn(tmp_path: Path, name: str, magic: bytes) -> None:
    draw_evidence([honest(), cheat(), _with(honest, points=[])], tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)
