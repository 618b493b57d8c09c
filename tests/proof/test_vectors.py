"""The committed vector files are what this package computes; a changed one is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmnet.proof.vectors import all_files
from llmnet.proof.vectors.__main__ import main, stale

VECTORS = Path(__file__).parents[2] / "runtime_spec" / "vectors"


def test_committed_vectors_are_current() -> None:
    assert stale(VECTORS) == []
    assert main(["--out", str(VECTORS), "--check"]) == 0


def test_a_changed_missing_or_unknown_file_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    assert stale(tmp_path) == []
    changed = tmp_path / "leaf.json"
    changed.write_text(changed.read_text().replace("0x", "0X", 1))
    (tmp_path / "philox.json").unlink()
    (tmp_path / "strange.json").write_text("{}")
    assert stale(tmp_path) == ["leaf.json", "philox.json", "strange.json"]
    assert main(["--out", str(tmp_path), "--check"]) == 1
    assert "leaf.json is not current" in capsys.readouterr().err


def test_every_file_has_enough_cases_and_none_twice() -> None:
    for name, file in all_files().items():
        cases = [json.dumps(case["in"]) for case in file.cases]
        assert len(cases) >= 20, name
        repeated = [text for text in set(cases) if cases.count(text) > 1]
        assert repeated == [], name


def test_integers_of_64_bits_and_more_are_strings_and_others_fit() -> None:
    def walk(value: object) -> None:
        if isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
        else:
            assert isinstance(value, (bool, str, type(None))) or -(1 << 31) <= value < 1 << 32

    for file in all_files().values():
        walk(json.loads(file.render()))


@pytest.mark.parametrize(
    ("name", "key", "values"),
    [
        ("merkle_multiproof", "valid", {True, False}),
        ("signature", "valid", {True, False}),
        ("self_consistency", "well_formed", {True, False}),
        ("self_consistency", "self_consistent", {True, False}),
        ("margin", "margin", {"hit", "miss", "not_counted"}),
        ("answer_scoring", "sprt", {"failed", "clear", "undecided"}),
        ("position_scoring", "evidence", {-64, 205, 640, 1024}),
        ("consensus", "abstain", {True, False}),
    ],
)
def test_every_outcome_occurs(name: str, key: str, values: set[object]) -> None:
    assert {case["out"][key] for case in all_files()[name].cases} == values


def test_every_verdict_and_every_reason_occurs() -> None:
    judged = [case["out"]["judgement"] for case in all_files()["judge"].cases]
    assert {item["verdict"] for item in judged} == {"pass", "fail", "abstain"}
    failed = [item for item in judged if item["verdict"] == "fail"]
    reasons = [
        (
            item["sprt"] == "failed",
            item["self_consistent"],
            item["tokens_match"],
            item["margin_evidence"] >= 2304,
        )
        for item in failed
    ]
    for alone in ((True, True, True, False), (False, False, True, False), (False, True, False, False)):
        assert alone in reasons
    assert (False, True, True, True) in reasons, "margin alone"


@pytest.mark.parametrize(
    "name", ["spec", "request", "leaf", "receipt", "voucher", "segment", "placed_segment", "calibration"]
)
def test_encodings_have_refused_bytes(name: str) -> None:
    errors = {case["out"].get("error") for case in all_files()[name].cases}
    assert {None, "truncated", "trailing"} <= errors
