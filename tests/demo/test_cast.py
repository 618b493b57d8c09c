from __future__ import annotations

import pytest

from llmnet.demo.cast import BEHAVIOURS, HONEST, QUESTIONS, players, questions
from llmnet.demo.cheats import backend_for


def test_one_worker_plays_each_behaviour() -> None:
    cast = players()
    assert [player.behaviour for player in cast] == list(BEHAVIOURS)
    assert len({player.name for player in cast}) == len(cast) == 4
    assert [player.name for player in players((HONEST,))] == ["Worker1"]


def test_questions_follow_from_seed_and_worker() -> None:
    assert questions(1, 6, "Worker1") == questions(1, 6, "Worker1")
    assert questions(1, 6, "Worker1") != questions(2, 6, "Worker1")
    assert questions(1, 6, "Worker1") != questions(1, 6, "Worker2")
    assert len(set(questions(3, len(QUESTIONS), "Worker1"))) == len(QUESTIONS)
    assert len(questions(3, 200, "Worker1")) == 200
    assert set(questions(3, 200, "Worker1")) == set(QUESTIONS)


def test_every_behaviour_has_a_backend_and_no_other() -> None:
    assert len({backend_for(behaviour) for behaviour in BEHAVIOURS}) == len(BEHAVIOURS)
    with pytest.raises(ValueError, match="lazy"):
        backend_for("lazy")
