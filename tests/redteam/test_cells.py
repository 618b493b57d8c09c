"""Attacks on a tiny model: what must be caught is, the honest are not, and with nothing to catch it by nothing is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmnet.proof import Calibration
from llmnet.redteam.attack import Grade, Source
from llmnet.redteam.campaign import judge_all
from llmnet.redteam.cells import Bench, Cell
from llmnet.redteam.errors import MissingRecordings, UnknownAttack
from llmnet.redteam.forgery import FORGERY
from llmnet.redteam.registry import ATTACKS, chosen
from llmnet.redteam.shop import Shop
from llmnet.redteam.trials import trials

CONTROLS = [attack.name for attack in FORGERY if attack.must_fail]
ENDLESS = 1 << 40


def cell_of(shop: Shop, judged_with: Bench, name: str) -> Cell:
    (cell,) = judge_all(shop, chosen([name]), judged_with, lambda _: None)
    return cell


def blind(row: Calibration) -> Calibration:
    """Thresholds that nothing exceeds."""
    return replace(
        row,
        logit_q95=ENDLESS,
        logit_q99=ENDLESS,
        hidden_q95=ENDLESS,
        hidden_q99=ENDLESS,
        tau_sample=2**32 - 1,
    )


@pytest.mark.parametrize("name", CONTROLS)
def test_forged_leaves_are_rejected_every_time(shop: Shop, judged_with: Bench, name: str) -> None:
    recordings = {kind: shop.recorded(kind) for kind in ATTACKS[name].transcripts}
    sold = ATTACKS[name].answers(Source(shop.spec, recordings))
    found = [trial for one in trials(sold, shop.spec, judged_with.row, 2) for trial in one]
    assert len(found) >= len(sold) == 8
    assert all(trial.failed for trial in found)


def test_what_must_always_fail_and_once_does_not_is_not_as_expected(shop: Shop, judged_with: Bench) -> None:
    open_eyes = cell_of(shop, judged_with, "zero")
    shut = cell_of(shop, replace(judged_with, row=blind(judged_with.row)), "zero")
    assert open_eyes.as_expected and open_eyes.fails.hits == 8
    assert not shut.as_expected and shut.fails.hits == 0


@pytest.mark.parametrize(
    "name", ["int8", "skip_1", "cached", "cheap_int4_raw", "wrong_seed", "canned_laundered"]
)
def test_gross_cheats_are_slashed_within_three_audits(shop: Shop, judged_with: Bench, name: str) -> None:
    cell = cell_of(shop, judged_with, name)
    assert cell.seen is Grade.WITHIN_3
    assert cell.covered and cell.worth.best < 0
    assert cell.found.within(1) == 0  # never on one answer


def test_the_honest_are_left_alone_by_the_same_machinery(shop: Shop, judged_with: Bench) -> None:
    cell = cell_of(shop, judged_with, "honest")
    assert (cell.fails.hits, cell.found.within(100), cell.seen) == (0, 0.0, Grade.UNACCUSED)
    assert cell.as_expected and cell.worth.best == 0


@pytest.mark.parametrize("name", ["int8", "wrong_seed", "early_stop_laundered"])
def test_without_thresholds_nothing_is_caught(shop: Shop, judged_with: Bench, name: str) -> None:
    cell = cell_of(shop, replace(judged_with, row=blind(judged_with.row)), name)
    assert cell.fails.hits == 0 and cell.found.within(100) == 0
    assert not cell.as_expected


def test_what_contradicts_itself_is_caught_without_any_threshold(shop: Shop, judged_with: Bench) -> None:
    cell = cell_of(shop, replace(judged_with, row=blind(judged_with.row)), "foreign_leaves")
    assert cell.fails.hits == 8


def test_an_early_end_counts_the_same_however_it_is_listed(shop: Shop, judged_with: Bench) -> None:
    plain, hidden = (cell_of(shop, judged_with, name) for name in ("early_stop", "early_stop_laundered"))
    assert plain.found.mean is not None and plain.found.mean == hidden.found.mean
    assert plain.worth == hidden.worth


def test_a_tenth_of_the_answers_takes_longer_but_does_not_pay(shop: Shop, judged_with: Bench) -> None:
    rarely, always = (cell_of(shop, judged_with, name) for name in ("int8_10pc", "int8"))
    assert rarely.found.within(5) < always.found.within(5) == 1.0
    assert rarely.worth.best < 0


def test_a_worker_that_repeats_recordings_in_json_says_what_the_cell_says(
    shop: Shop, judged_with: Bench
) -> None:
    found = cell_of(shop, judged_with, "int8").as_json()
    assert found["fail"]["k"] == found["answers"] == 8
    assert found["positions"] == 8 * 12
    assert found["slash_within"]["1"] == 0 and found["slash_within"]["5"] == 1
    assert len(found["curve"]) == 12 and found["curve"][0][1] == 12.0  # one answer adds twelve nat at most
    assert found["bytes_on"] > 6_000 and found["bytes_off"] > 3 * 2 * 64


def test_unknown_attacks_and_missing_recordings_are_named(shop: Shop, judged_with: Bench) -> None:
    with pytest.raises(UnknownAttack, match="no attack nonsense"):
        chosen(["int8", "nonsense"])
    with pytest.raises(MissingRecordings, match="fp8_kv: fp8_kv is not recorded for FP32"):
        cell_of(shop, judged_with, "fp8_kv")
