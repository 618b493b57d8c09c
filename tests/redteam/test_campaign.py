"""Files of results: written, read, merged, refused when damaged; recordings go on where they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmnet.redteam import campaign, exporting
from llmnet.redteam.cells import Bench
from llmnet.redteam.errors import BadCells, MissingRecordings
from llmnet.redteam.registry import ATTACKS, chosen
from llmnet.redteam.shop import Shop
from llmnet.redteam.transcripts import TRANSCRIPTS, record
from llmnet.sim import load
from llmnet.verifier.calibrate import Observed, save


def summary(shop: Shop, judged_with: Bench, observed: Observed, *names: str) -> dict[str, object]:
    cells = campaign.judge_all(shop, chosen(names), judged_with, lambda _: None)
    return campaign.summary(shop, judged_with, observed, cells)


def test_results_are_read_as_they_were_written(
    shop: Shop, judged_with: Bench, observed: Observed, tmp_path: Path
) -> None:
    path = campaign.results_file(tmp_path / "data", shop.numerics)
    made = summary(shop, judged_with, observed, "honest", "zero")
    campaign.write(path, made)
    assert path.name == "redteam-fp32.json"
    assert campaign.read(path) == json.loads(json.dumps(made))


def test_running_some_attacks_again_keeps_the_others(
    shop: Shop, judged_with: Bench, observed: Observed
) -> None:
    old = summary(shop, judged_with, observed, "honest", "zero")
    new = summary(shop, judged_with, observed, "zero", "constant")
    assert [cell["attack"] for cell in campaign.merged(old, new)["cells"]] == ["honest", "zero", "constant"]
    other = {**old, "calibration": {**old["calibration"], "positions": 1}}  # type: ignore[dict-item]
    assert campaign.merged(other, new) == new  # judged by other thresholds: not to be mixed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"class": "FP32"}',
        '{"class": "FP64", "calibration": {}, "cells": []}',
        '{"class": "FP32", "calibration": {"logit_q95": 1}, "cells": []}',
    ],
)
def test_damaged_results_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "redteam-fp32.json"
    path.write_text(text)
    with pytest.raises(BadCells, match=r"redteam-fp32\.json"):
        campaign.read(path)


def test_a_cell_without_a_verdict_is_refused(
    shop: Shop, judged_with: Bench, observed: Observed, tmp_path: Path
) -> None:
    made = summary(shop, judged_with, observed, "zero")
    del made["cells"][0]["seen"]  # type: ignore[index]
    campaign.write(tmp_path / "cells.json", made)
    with pytest.raises(BadCells, match="a cell has no seen"):
        campaign.read(tmp_path / "cells.json")


def test_honest_answers_of_another_model_are_refused(shop: Shop, observed: Observed, tmp_path: Path) -> None:
    with pytest.raises(MissingRecordings, match="llmnet calibrate record"):
        campaign.honest_answers(shop, tmp_path)
    save(replace(observed, spec_id=bytes(32)), campaign.honest_file(tmp_path, shop.numerics))
    with pytest.raises(MissingRecordings, match="not of what is attacked"):
        campaign.bench(shop, campaign.honest_answers(shop, tmp_path))


def test_what_is_recorded_is_not_made_again_and_a_torn_line_is(shop: Shop, tmp_path: Path) -> None:
    mine = replace(shop, folder=tmp_path, answers=3)
    record(mine, "seed_1")
    path = mine.file("seed_1").path
    whole = path.read_bytes()
    record(mine, "seed_1")
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-40])
    record(mine, "seed_1")
    assert path.read_bytes() == whole
    record(replace(mine, answers=4), "seed_1")
    assert path.read_bytes().startswith(whole) and len(mine.file("seed_1").ids()) == 4


def test_the_simulation_reads_the_evidence(
    shop: Shop, judged_with: Bench, observed: Observed, tmp_path: Path
) -> None:
    path = exporting.evidence_file(tmp_path, shop)
    exporting.write_evidence(path, exporting.document(shop, judged_with, observed))
    found = load(path)
    assert found.calibration == judged_with.row
    assert {"honest", "int8", "skip_1", "wrong_seed"} <= set(found.answers)
    assert len(found.answers["int8"]) == 8
    assert not any(position.miss for answer in found.answers["honest"] for position in answer)
    misses = [position.miss for answer in found.answers["wrong_seed"] for position in answer]
    assert sum(misses) > len(misses) / 10
    far = [
        position.hidden > judged_with.row.hidden_q99
        for answer in found.answers["int8"]
        for position in answer
    ]
    assert sum(far) > len(far) / 2


def test_every_attack_names_transcripts_that_there_are() -> None:
    assert {name for attack in ATTACKS.values() for name in attack.transcripts} <= set(TRANSCRIPTS)
    assert all(set(transcript.needs) <= set(TRANSCRIPTS) for transcript in TRANSCRIPTS.values())
    assert set(exporting.KINDS) <= set(ATTACKS)
