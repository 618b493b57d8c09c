"""From recordings to the table: the same scores give the same table, and what is damaged is named."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmnet.redteam.rivals.comparing import compare
from llmnet.redteam.rivals.errors import BadScores, NothingToCompare, RivalError
from llmnet.redteam.rivals.preparing import prepare
from llmnet.redteam.rivals.scores import class_scores, read_scores, rivals, stateless, write_scores
from llmnet.redteam.rivals.states_file import States, StatesFile, bfloat16

from .conftest import CHEATS, HONEST_ANSWERS, Recorded

OURS = "sketches and margin (ours)"


@pytest.fixture(scope="module")
def scored(recorded: Recorded) -> dict[str, Any]:
    return class_scores({variant: recorded.answers(variant) for variant in ("honest", "int8")})


def test_all_answers_are_scored_and_those_for_fitting_are_not_judged(scored: dict[str, Any]) -> None:
    assert scored["fitted_on"] + scored["held_out"] == HONEST_ANSWERS
    assert len(scored["methods"]) == 8
    for found in scored["methods"].values():
        assert len(found["scores"]["honest"]) == scored["held_out"]
        assert len(found["scores"]["int8"]) == CHEATS
    assert set(scored["methods"][OURS]["published"]) == {"honest", "int8"}
    assert scored["methods"]["token replay"]["published"] == {}


def test_scores_survive_the_file(scored: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "scores.json.xz"
    write_scores(path, {"BF16": scored})
    first = path.read_bytes()
    assert read_scores(path) == {"BF16": scored}
    write_scores(path, read_scores(path))
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    "content",
    [b"", b"not compressed", lzma.compress(b"{"), lzma.compress(b"[]"), lzma.compress(b'{"FP32": {}}')],
)
def test_a_damaged_file_of_scores_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "scores.json.xz"
    path.write_bytes(content)
    with pytest.raises(BadScores, match=r"scores\.json\.xz"):
        read_scores(path)


def test_the_table_follows_from_the_scores(scored: dict[str, Any]) -> None:
    table = compare({"BF16": scored})
    assert json.dumps(table) == json.dumps(compare({"BF16": json.loads(json.dumps(scored, sort_keys=True))}))
    assert [method["name"] for method in table["classes"]["BF16"]["methods"]] == [
        one.name for one in rivals()
    ]
    rows = table["classes"]["BF16"]["rows"]
    assert {row["attack"] for row in rows} == {"int8"}
    ours = next(row for row in rows if row["method"] == OURS)
    scores = scored["methods"][OURS]["scores"]
    wins = [(a > b) + (a == b) / 2 for a in scores["int8"] for b in scores["honest"]]
    assert ours["area"][0] == pytest.approx(np.mean(wins), abs=1e-4)
    assert ours["detection"] == {"0.01": None, "0.001": None}  # too few honest answers for either


def test_another_score_gives_another_table(scored: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(scored))
    changed["methods"][OURS]["scores"]["int8"][0] = -100.0
    assert compare({"BF16": changed}) != compare({"BF16": scored})


def test_without_states_the_methods_that_need_them_are_left_out(recorded: Recorded) -> None:
    found = {name: stateless(recorded.folder, name, recorded.spec, 24) for name in ("honest", "int8")}
    methods = class_scores(found)["methods"]
    assert set(methods) == {method.name for method in rivals() if not method.needs_states}
    assert "TOPLOC" not in methods
    assert [len(stateless(recorded.folder, "int8", recorded.spec, limit)) for limit in (2, 100)] == [
        2,
        CHEATS,
    ]


def test_too_few_honest_answers_are_refused(recorded: Recorded) -> None:
    with pytest.raises(NothingToCompare, match="too few"):
        class_scores({"int8": recorded.answers("int8")})
    with pytest.raises(NothingToCompare, match="no answers"):
        class_scores({"honest": recorded.answers("honest"), "int8": []})


# States of recordings


def states(name: str) -> States:
    drawn = bfloat16(np.random.default_rng(3).normal(size=(4, 8)).astype(np.float32))
    return States(name, drawn, -drawn)


def test_states_survive_the_file_and_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "x.states.jsonl"
    StatesFile(path).append(states("a"))
    with path.open("ab") as file:
        file.write(b'{"id": "b", "wor')
    assert [found.id for found in StatesFile(path)] == ["a"]
    StatesFile(path).append(states("c"))
    found = list(StatesFile(path))
    assert [one.id for one in found] == ["a", "c"]
    assert (found[1].worker == states("c").worker).all()
    assert (found[1].own == -found[1].worker).all()


def test_a_damaged_line_of_states_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.states.jsonl"
    StatesFile(path).append(states("a"))
    path.write_bytes(path.read_bytes() + b'{"id": "b", "worker": [8, "AAA"], "own": [8, ""]}\n')
    with pytest.raises(RivalError, match="line 2"):
        list(StatesFile(path))


def test_preparing_goes_on_where_it_was(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "honest.jsonl").write_bytes((recorded.folder / "honest.jsonl").read_bytes())
    assert prepare(tmp_path, "honest", recorded.model, recorded.states, 2) == 2
    assert prepare(tmp_path, "honest", recorded.model, recorded.states, 3) == 3
    whole = list(StatesFile(recorded.folder / "honest.states.jsonl"))[:3]
    for mine, made in zip(StatesFile(tmp_path / "honest.states.jsonl"), whole, strict=True):
        assert mine.id == made.id
        assert (mine.worker == made.worker).all()


def test_leaves_of_another_model_than_the_states_are_noticed(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "int8.jsonl").write_bytes((recorded.folder / "int8.jsonl").read_bytes())
    with pytest.raises(RivalError, match="do not belong"):
        prepare(tmp_path, "int8", recorded.model, recorded.states, 2)
