"""The published page follows from the data alone: the same data the same bytes, other data another page."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from llmnet.redteam import plots
from llmnet.redteam.errors import BadCells
from llmnet.redteam.report import DATA, PAGE, differing, files, load, show, write
from llmnet.redteam.report_data import ClassComparison, Comparison
from llmnet.redteam.report_page import page

ROOT = Path(__file__).parents[2]
OURS = "sketches and margin (ours)"


def rate(k: int, n: int) -> dict[str, float]:
    return {"k": k, "n": n, "low": max(0.0, k / n - 0.1), "high": min(1.0, k / n + 0.1)}


def cell(attack: str, **changed: Any) -> dict[str, Any]:
    return {
        "attack": attack,
        "family": "forward",
        "class": "FP32",
        "does": f"does {attack}",
        "expected": "slashed within 3",
        "seen": "slashed within 3",
        "as_expected": True,
        "answers": 32,
        "positions": 512,
        "fail": rate(31, 32),
        "slash_within": {"1": 0.0, "2": 0.4, "3": 0.9, "4": 1.0, "5": 1.0},
        "audits_to_slash": {"mean": 2.5, "p90": 3.0, "censored": 0.0},
        "positions_to_decision": {"mean": 6.0, "p90": 9.0},
        "curve": [[3.0 * n, 5.0 * n, 8.0 * n] for n in range(1, 13)],
        "honest_false": rate(0, 500),
        "bytes_on": 3000,
        "bytes_off": 8000,
        "saves": 0.5,
        "saves_how": "weights are half as large",
        "value": -1.25,
        "value_careful": -0.5,
        "covered": True,
        "note": "",
    } | changed


def results(numerics: str = "FP32", **changed: Any) -> dict[str, Any]:
    thresholds = {"logit_q95": 9, "logit_q99": 10, "hidden_q95": 11, "hidden_q99": 12, "tau_sample": 1311}
    return {
        "class": numerics,
        "model": "a small model",
        "command": "llmnet redteam run all",
        "calibration": thresholds | {"positions": 1000, "expires_at": 4294967295},
        "calibrated_on": {"answers": 100, "positions": 1000},
        "honest": {"fail": rate(0, 200), "slash_100_audits": rate(0, 1000)},
        "cells": [
            cell("int8"),
            cell("wrong seed", family="sampling"),
            cell("free ride", family="sampling", covered=False, value=0.75, note="nothing looks there"),
        ],
    } | changed


def outcome(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "family": "beacon",
        "does": f"does {name}",
        "expected": "fined",
        "effect": "fined",
        "by": "a rule",
        "as_expected": True,
        "covered": True,
        "why": "",
        "tried": 8,
        "caught": 8,
        "answers": 1,
        "audits": 1,
        "on_chain": 100,
        "off_chain": 0,
        "lost": 2.0,
        "won": 0.5,
        "value": -1.5,
        "note": "",
    } | changed


def comparison() -> dict[str, Any]:
    def row(method: str, attack: str, share: float) -> dict[str, Any]:
        interval = [share, max(0.0, share - 0.1), min(1.0, share + 0.1)]
        return {
            "method": method,
            "attack": attack,
            "answers": 32,
            "area": [0.9, 0.8, 1.0],
            "detection": {"0.01": interval, "0.001": None},
            "published": None,
        }

    def method(name: str, size: float) -> dict[str, Any]:
        return {
            "name": name,
            "source": "somewhere",
            "bytes_a_position": size,
            "check_ms": 1.0,
            "false_rate": {"0.01": 0.01},
            "published_false": None,
        }

    one = {
        "fitted_on": 100,
        "held_out": 200,
        "timing": {"answers": 32, "decode_ms": 250.0, "verifier_ms": 125.0},
        "methods": [method(OURS, 161.0), method("TOPLOC", 16.1)],
        "rows": [
            row(OURS, "int8", 0.9),
            row("TOPLOC", "int8", 0.4),
            row(OURS, "edited", 0.5),
            row("TOPLOC", "edited", 0.7),
        ],
    }
    return {"window": 16, "levels": [0.01, 0.001], "classes": {"FP32": one}}


def simulation() -> dict[str, Any]:
    one = {
        "name": "lazy",
        "role": "validator",
        "value": 0.25,
        "spread": 0.1,
        "runs": 5,
        "lost": 0.0,
        "honest_punished": 0,
    }
    results = [one, {**one, "name": "cheap", "value": -9.5}]
    return {"evidence": "evidence-fp32.json", "answers": 200, "seeds": 3, "best": "lazy", "results": results}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / DATA).mkdir(parents=True)
    contents = {
        "redteam-fp32.json": results(),
        "redteam-bf16.json": results("BF16"),
        "protocol.json": {
            "command": "python -m attack",
            "attacks": [outcome("grinding", covered=False, why="the author may choose"), outcome("hiding")],
        },
        "comparison.json": comparison(),
        "simulation.json": simulation(),
    }
    for name, content in contents.items():
        (tmp_path / DATA / name).write_text(json.dumps(content))
    return tmp_path


def text_of(root: Path) -> str:
    return page(load(root / DATA))


# What is committed


def test_the_committed_page_is_what_the_committed_data_give() -> None:
    if not any((ROOT / DATA).glob("redteam-*.json")):
        pytest.skip("no results are published yet")
    assert (ROOT / PAGE).read_text() == text_of(ROOT)


def test_the_readme_names_what_is_not_covered_or_late_and_nothing_else() -> None:
    found = load(ROOT / DATA)
    cells = [cell for one in found.classes for cell in one.cells]
    names = {cell.attack for cell in cells if not cell.covered or cell.late}
    names |= {one.name for one in found.outcomes if not one.covered}
    assert found.simulation is not None
    names |= {one.name for one in found.simulation.results if one.pays}
    text = (ROOT / "README.md").read_text()
    named = text[text.index("**Not covered today**") : text.index("`make redteam` tries")]
    assert set(re.findall(r"`([^`]+)`", named)) == names


def test_the_readme_says_how_late_what_is_slashed_later_than_aimed_at() -> None:
    cells = [cell for one in load(ROOT / DATA).classes for cell in one.cells]
    late = {cell.audits_to_slash.mean: cell.attack for cell in cells if cell.late}
    takes = " and ".join(f"{mean:.1f}" for mean in sorted(mean or 99 for mean in late))
    assert set(late.values()) == {"cheap_fp8", "cheap_fp8_middle"}
    assert f"takes {takes} audits" in (ROOT / "README.md").read_text()


def test_every_gross_cheat_and_every_cheap_decode_has_an_aim() -> None:
    """Slashed within three audits on average, within five where only the tokens are another model's."""
    aims = {cell.attack: cell.aim for one in load(ROOT / DATA).classes for cell in one.cells}
    gross = (
        "small_model",
        "skip_1",
        "skip_3",
        "skip_8",
        "early_exit",
        "int8",
        "int4",
        "fp8",
        "w8a8",
        "fp8_kv",
    )
    assert [aims[name] for name in (*gross, "truncated", "no_system", "one_edited", "tuned_10pc")] == [3] * 14
    cheap = [name for name in aims if name.startswith("cheap_") and not name.endswith("pc")]
    assert len(cheap) == 11 and {aims[name] for name in cheap} == {5}


def test_a_committed_picture_is_what_the_committed_data_give() -> None:
    """One is drawn anew; `llmnet redteam report` draws all."""
    found = load(ROOT / DATA)
    if found.comparison is None:
        pytest.skip("no comparison is published yet")
    assert (ROOT / DATA / "comparison.svg").read_bytes() == plots.comparison(found.comparison)


# Page


def test_the_same_data_give_the_same_bytes_and_nothing_else_is_written(root: Path) -> None:
    changed = write(root)
    assert {path.name for path in changed} == {
        "verification.md",
        "evidence-fp32.svg",
        "evidence-bf16.svg",
        "comparison.svg",
    }
    assert write(root) == []
    page_file = root / PAGE
    page_file.write_text(page_file.read_text() + "edited by hand")
    assert differing(root) == [page_file]


def test_what_is_not_covered_comes_first_and_in_bold(root: Path) -> None:
    text = text_of(root)
    assert "**3 of the rows below are not covered" in text
    assert (
        "| fp32 | **free ride** | does free ride | slashed within 3 | +0.75 | nothing looks there |" in text
    )
    assert "| protocol | **grinding** | does grinding | fined | -1.50 | the author may choose |" in text
    assert text.index("**free ride**") < text.index("## Claimed") < text.index("## Attacks, fp32")


def test_what_is_slashed_later_than_aimed_at_is_listed(root: Path) -> None:
    path = root / DATA / "redteam-fp32.json"
    assert "Later than aimed at" not in text_of(root)
    for mean, listed in ((5.0, False), (5.1, True), (None, True)):
        told = results()
        cell = next(cell for cell in told["cells"] if cell["covered"])
        cell["aim"], cell["audits_to_slash"]["mean"] = 5, mean
        path.write_text(json.dumps(told))
        text = text_of(root)
        shown = "never" if mean is None else f"{mean}"
        assert ("## Later than aimed at" in text) is listed
        assert (f"| **{cell['attack']}** | {cell['does']} | 5 | {shown} |" in text) is listed


def test_classes_families_and_all_parts_are_there(root: Path) -> None:
    text = text_of(root)
    assert text.index("## Attacks, fp32") < text.index("## Attacks, bf16")
    for heading in (
        "Another forward pass",
        "Another token",
        "What the attacks do",
        "Beacon",
        "What the methods cost",
    ):
        assert f"# {heading}\n" in text
    assert "fp32: 0 of 200 honest answers fail their audit (95 %: at most 10 %)" in text
    assert "0 covered attacks pay; the dearest brings -1.25 R an answer." in text
    assert "Not measured yet" not in text


def test_where_another_method_is_better_is_said(root: Path) -> None:
    text = text_of(root)
    assert "- fp32, edited: TOPLOC detects 70 % [60, 80], ours 50 % [40, 60]." in text
    assert "fp32, int8: TOPLOC" not in text
    assert "ours keeps 161.0 off chain, and opens 16 leaves an audit): TOPLOC 16.1." in text


def test_a_method_that_was_looked_at_in_one_class_only_costs_what_it_costs_there(root: Path) -> None:
    data = comparison()
    less = copy.deepcopy(data["classes"]["FP32"])
    less["methods"] = less["methods"][:1]
    less["rows"] = [row for row in less["rows"] if row["method"] == OURS]
    data["classes"] = {"FP32": less, "BF16": data["classes"]["FP32"]}
    (root / DATA / "comparison.json").write_text(json.dumps(data))
    text = text_of(root)
    assert "| TOPLOC | somewhere | 16.1 | 258 | 4,122 | 1.00 | 0.50 |" in text
    assert "| attack (answers) | sketches and margin (ours) |\n" in text
    assert plots.comparison(Comparison.model_validate(data))


def test_deviations_that_pay_come_first_and_in_bold(root: Path) -> None:
    text = text_of(root)
    assert "| lazy | validator | **+0.25** | 0.05 | 5 |" in text
    assert "The most profitable deviation found is `lazy`: +0.2500 ± 0.0500 R in 5 runs." in text
    assert text.index("| lazy |") < text.index("| cheap |")


def test_what_is_missing_is_named(root: Path) -> None:
    for name in ("comparison.json", "simulation.json", "protocol.json"):
        (root / DATA / name).unlink()
    text = text_of(root)
    assert (
        "**Not measured yet, or not published:** `protocol.json`, `comparison.json`, `simulation.json`."
        in text
    )
    assert "Beside other methods" not in text


def test_nothing_at_all_still_makes_a_page(tmp_path: Path) -> None:
    assert "`redteam-CLASS.json`" in page(load(tmp_path))


def changed_numbers() -> list[tuple[str, Callable[[Any], None]]]:
    def at(*keys: Any, to: Any) -> Callable[[Any], None]:
        def change(data: Any) -> None:
            for key in keys[:-1]:
                data = data[key]
            data[keys[-1]] = to

        return change

    return [
        ("redteam-fp32.json", at("cells", 0, "fail", "k", to=30)),
        ("redteam-fp32.json", at("cells", 0, "value", to=0.5)),
        ("redteam-fp32.json", at("cells", 0, "slash_within", "2", to=0.41)),
        ("redteam-bf16.json", at("cells", 1, "covered", to=False)),
        ("redteam-bf16.json", at("cells", 1, "as_expected", to=False)),
        ("redteam-bf16.json", at("honest", "fail", "k", to=1)),
        ("redteam-bf16.json", at("calibration", "hidden_q99", to=13)),
        ("protocol.json", at("attacks", 1, "caught", to=7)),
        ("comparison.json", at("classes", "FP32", "rows", 0, "detection", "0.01", to=[0.8, 0.7, 0.9])),
        ("comparison.json", at("classes", "FP32", "methods", 0, "check_ms", to=60.0)),
        ("simulation.json", at("results", 0, "value", to=0.3)),
    ]


@pytest.mark.parametrize("number", range(len(changed_numbers())))
def test_a_changed_number_changes_the_page(number: int, root: Path) -> None:
    name, change = changed_numbers()[number]
    before = text_of(root)
    path = root / DATA / name
    data = json.loads(path.read_text())
    changed = copy.deepcopy(data)
    change(changed)
    assert changed != data
    path.write_text(json.dumps(changed))
    assert text_of(root) != before


def test_a_changed_number_changes_the_pictures(root: Path) -> None:
    found = load(root / DATA)
    assert found.comparison is not None
    raised = [(low, middle + 1, high) for low, middle, high in found.classes[0].cells[0].curve]
    other = found.classes[0].cells[0].model_copy(update={"curve": raised})
    again = found.classes[0].model_copy(update={"cells": [other, *found.classes[0].cells[1:]]})
    assert plots.evidence(again) != plots.evidence(found.classes[0])
    one = found.comparison.classes["FP32"]
    rows = [one.rows[0].model_copy(update={"detection": {"0.01": (0.5, 0.4, 0.6)}}), *one.rows[1:]]
    moved: ClassComparison = one.model_copy(update={"rows": rows})
    assert plots.comparison(
        found.comparison.model_copy(update={"classes": {"FP32": moved}})
    ) != plots.comparison(Comparison.model_validate(comparison()))


def test_the_terminal_shows_the_same_tables(root: Path) -> None:
    console = Console(width=250, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    for table in show(load(root / DATA)):
        console.print(table)
    console.file.close()
    text = console.export_text()
    for wanted in ("free ride", "grinding", "fp32: Another forward pass", "TOPLOC", "lazy"):
        assert wanted in text


# Damaged data


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file"),
        ("{", "the file"),
        ("[1, 2]", "the file"),
        (json.dumps(results(cells=[cell("x", fail={"k": 3, "n": 2, "low": 0, "high": 1})])), "cells.0.fail"),
        (json.dumps(results(cells=[cell("x", saves="much")])), "cells.0.saves"),
        (json.dumps(results(cells=[cell("x", value=float("nan"))])), "value|file"),
        (json.dumps({key: value for key, value in results().items() if key != "honest"}), "honest"),
        (
            json.dumps(results(honest={"fail": rate(0, 1) | {"high": 1.5}, "slash_100_audits": rate(0, 1)})),
            "high",
        ),
    ],
)
def test_damaged_results_are_named_with_file_and_field(content: str, said: str, root: Path) -> None:
    (root / DATA / "redteam-fp32.json").write_text(content)
    with pytest.raises(BadCells, match=rf"redteam-fp32\.json.*({said})"):
        files(root)
    with pytest.raises(BadCells):
        write(root)
    assert not (root / PAGE).exists()
