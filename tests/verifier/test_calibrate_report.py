"""The report judges on held-out answers, and the published page is what the committed data give."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from llmnet.engine import ensure_default_model
from llmnet.proof import Calibration, NumericsClass
from llmnet.verifier import CalibrationError, spec_of
from llmnet.verifier.calibrate import (
    Method,
    Observed,
    by_form,
    by_length,
    by_prompt,
    draw,
    load,
    measured_row,
    page,
    report,
    tables,
)

from .observations import answer, honest

DOCS = Path(__file__).parents[2] / "docs"
ROWS = Path(__file__).parents[2] / "llmnet" / "verifier" / "calibrate" / "rows"
DATA = sorted((DOCS / "verification-data").glob("honest-*.jsonl.xz"))
QUICK = ["honest-bf16_fp32_residual.jsonl.xz"]  # the others: LLMNET_LONG=1


def observed(answers: list, numerics: NumericsClass = NumericsClass.BF16) -> Observed:
    return Observed(bytes(32), "m", numerics, "CPU", "a command", tuple(answers))


def test_no_prompt_is_on_both_sides() -> None:
    short = honest(200, kinds=20)
    long = [replace(one, id=f"long/{one.id}") for one in short[:40]]
    halves = by_prompt([*short, *long])
    sides = [{one.id.removeprefix("long/") for one in side} for side in (halves.fitted, halves.held_out)]
    assert not sides[0] & sides[1] and 60 < len(sides[0]) < 140
    forms = by_form(short)
    kinds = [{one.id.split("/")[0] for one in side} for side in (forms.fitted, forms.held_out)]
    assert not kinds[0] & kinds[1] and min(map(len, kinds)) >= 4


def test_long_answers_are_judged_by_short_ones() -> None:
    answers = [answer("0/1", [0] * 16), answer("long/0/1", [0] * 17), answer("0/2", [0])]
    answers.append(replace(answer("deep/1", [0] * 16), prompt_tokens=600))
    halves = by_length(answers)
    assert [one.id for one in halves.fitted] == ["0/1", "0/2"]
    with pytest.raises(CalibrationError, match="record more"):
        by_length(answers[:1])


def test_the_row_is_judged_by_answers_that_it_was_not_fitted_on() -> None:
    answers = honest(300)
    found = report(observed(answers), workers=200, pools=5)
    halves = by_prompt(answers)
    assert found.row.positions == 16 * len(halves.fitted)
    assert (found.chosen.fitted, found.chosen.held_out) == (len(halves.fitted), len(halves.held_out))
    # Held-out answers that are far worse change the judgement and not the row.
    worse = [replace(one, logit=tuple(100 * v for v in one.logit)) for one in halves.held_out]
    other = report(observed([*halves.fitted, *worse]), workers=200, pools=5)
    assert other.row == found.row
    assert other.chosen.slashed and other.chosen.failed.hits == len(worse) and not found.chosen.slashed
    assert "**slashed**" in tables([other]) and "**slashed**" not in tables([found])


def test_rates_are_those_of_the_positions() -> None:
    far = [answer(f"{n % 5}/{n}", [10**6] * 4 + [0] * 12) for n in range(0, 200, 2)]
    near = [answer(f"{n % 5}/{n}", [0] * 16) for n in range(1, 200, 2)]
    found = report(observed([*far, *near]), workers=100, pools=5)
    nominal = next(one for one in found.others if one.method is Method.NOMINAL)
    assert nominal.row.logit_q95 == 10**6 + 1 and nominal.exceedances[0].rate.hits == 0
    assert [(band.start, band.end) for band in found.by_position] == [(0, 4), (4, 8), (8, 16)]
    assert found.by_position[0].logit_median in (0, 10**6) and found.by_position[1].logit_q99 == 0


def test_every_answer_is_judged_by_the_other_half() -> None:
    found = report(observed(honest(300)), workers=50, pools=5)
    assert found.crossed.failed.trials == 300 and not found.crossed.slashed
    assert found.crossed.hardest in {"0", "1", "2", "3", "4"}
    spoilt = [
        replace(one, broken=(0,)) if number % 10 == 0 else one for number, one in enumerate(honest(300))
    ]
    with pytest.raises(CalibrationError, match="are these answers all honest"):
        report(observed(spoilt))


def test_growth_with_the_position_shows() -> None:
    answers = [answer(f"{n % 5}/{n}", [10 * place + n % 7 for place in range(128)]) for n in range(60)]
    bands = report(observed(answers), workers=100, pools=5).by_position
    medians = [band.logit_median for band in bands]
    assert medians == sorted(medians) and medians[-1] > 900 and len(bands) == 6


def test_tolerances_count_what_is_above_them() -> None:
    answers = [answer(f"{n % 5}/{n}", [0] * 16, deficit=6000 if n % 4 else 0) for n in range(80)]
    found = {one.tau: one for one in report(observed(answers), workers=50, pools=5).tolerances}
    assert found[0.05].misses.rate == 0.75 and found[0.05].fined.hits == 60
    assert found[0.10].misses.hits == found[0.10].fined.hits == 0


def test_a_report_is_json_and_the_same_again(tmp_path: Path) -> None:
    found = [report(observed(honest(80)), workers=20, pools=2) for _ in range(2)]
    assert json.loads(json.dumps(found[0].as_json())) == json.loads(json.dumps(found[1].as_json()))
    assert page(found[:1]) == page(found[1:])
    pictures = []
    for number, one in enumerate(found):
        draw([one], tmp_path / f"{number}.svg")
        pictures.append((tmp_path / f"{number}.svg").read_bytes())
    assert pictures[0] == pictures[1] and b"bf16" in pictures[0]


def test_too_few_answers_to_split_are_refused() -> None:
    for answers in ([], honest(3)):
        with pytest.raises(CalibrationError, match=r"record more|too few"):
            report(observed(answers))


# What is committed


@pytest.mark.model
def test_rows_that_come_with_the_package_are_of_the_default_model() -> None:
    files = ensure_default_model()
    for numerics in NumericsClass:
        assert measured_row(spec_of(files, numerics=numerics).id) is not None, numerics


def published(numerics: NumericsClass) -> list[str]:
    rows = (DOCS / "calibration.md").read_text().splitlines()
    return [row for row in rows if row.startswith(f"| {numerics.name.lower()} |")]


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.name)
def test_the_page_and_the_row_are_what_the_data_give(path: Path) -> None:
    if path.name not in QUICK and not os.environ.get("LLMNET_LONG"):
        pytest.skip("LLMNET_LONG=1 makes all classes again")
    found = report(load(path))
    name = found.observed.numerics.name.lower()
    rows = [row for row in tables([found]).splitlines() if row.startswith(f"| {name} |")]
    assert rows == published(found.observed.numerics) and len(rows) > 20
    stored = json.loads((ROWS / f"smollm2-135m-{name.replace('_', '-')}.json").read_text())
    assert Calibration(**stored["row"]) == found.row and stored["spec"] == "0x" + found.observed.spec_id.hex()
