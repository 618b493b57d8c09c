"""What happens after a verdict: appeals, challenges, planted faults; and who comes back."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from llmnet.sim import (
    Market,
    Plan,
    Position,
    Recorded,
    Result,
    Terms,
    UnknownScenario,
    always,
    fresh_world,
    play_all,
)
from llmnet.sim.play import NEAR, named
from llmnet.sim.scenarios import PLANTED, scenarios
from llmnet.sim.validators import framing
from llmnet.sim.workers import after, sometimes


def test_who_is_framed_appeals_and_is_given_right(plan: Plan) -> None:
    with fresh_world(plan.wasm) as world:
        market = Market(world, plan.terms)
        victim = market.worker("victim", always("honest"))
        for number in range(12):
            market.validator(f"v{number}", *([framing({victim.keys.public})] if number < 4 else []))
        market.run(60, 20)
        if "WorkerFined" not in market.events:
            pytest.fail("of a third of liars, no panel of three had two: one in a billion")
        assert market.events["ReviewFiled"] == market.events["ReviewBegun"] > 0
        assert market.events["Overturned"] > 0
        assert sum(market.gain(f"v{number}") for number in range(4)) < 0


def test_a_cheat_between_the_drawn_positions_is_challenged(plan: Plan) -> None:
    """Eight of 512 tokens are not what the model says: sixteen positions hardly ever show two, but the validators hold them all.
    A few answers an epoch, so that a challenge comes before the next draw.
    """
    near, wrong = Position(1, 1, False), Position(1, 1, True)
    recorded = plan.terms.recorded
    kinds = {"honest": ((near,) * 512,), "sparse": ((near,) * 63 + (wrong,),)}
    sparse = Recorded(recorded.calibration, kinds, {"honest": 0.0, "sparse": 0.1})
    for looks in (True, False):
        with fresh_world(plan.wasm) as world:
            market = Market(world, Terms(sparse, plan.terms.price, 512))
            market.worker("cheat", always("sparse"))
            for number in range(5):
                market.validator(f"v{number}", challenges=looks)
            market.run(20, 4)
            challenged = market.events["ReviewFiled"]
            assert (challenged > 0) is looks
            if looks:
                assert 1 <= market.events["WorkerFined"] <= market.events["AuditDrawn"], "once an answer"
                assert market.removed("cheat")


def test_planted_faults_pay_those_who_look(plan: Plan) -> None:
    """Three workers sell enough for a hundred audits: twice what the quota of one in fifty asks for."""
    with fresh_world(plan.wasm) as world:
        issued = world.issuance()
        market = Market(world, plan.terms)
        for number in range(3):
            market.worker(f"neighbour{number}", always("honest"))
        market.worker("planted", sometimes("other_model", 0.2))
        market.planter("planter", "planted", "other_model")
        for number in range(5):
            market.validator(f"v{number}")
        market.run(100, 20)
        told, audits = market.events["PlantRevealed"], market.events["AuditDrawn"]
        assert 0 < told <= audits // 50
        assert market.events["Jackpot"] >= 2 * told
        assert market.events["Overturned"] == told
        assert world.issuance() == issued


def test_a_slashed_account_is_followed_by_a_fresh_one(plan: Plan) -> None:
    (result,) = play_all(replace(plan, answers=80), ["other_model 100%, 4 lives"])
    assert result.lost >= 2
    assert result.sold > 20
    assert result.value < -10


def test_twins_are_shared_and_names_are_checked(plan: Plan) -> None:
    seen: list[tuple[int, int]] = []
    names = ["other_model 100%", "cheap_decode 100%"]
    small = replace(plan, answers=10, per_epoch=10)
    results = play_all(small, names, watch=lambda done, of: seen.append((done, of)))
    assert [result.name for result in results] == names
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert results[0].honest == results[1].honest
    with pytest.raises(UnknownScenario, match="llmnet sim list"):
        play_all(plan, ["nothing of the kind"])
    with pytest.raises(UnknownScenario):
        named(plan, "")


def test_what_comes_near_to_paying_is_played_more_often(plan: Plan) -> None:
    """One run that was not slashed does not say whether that was luck."""
    seen: list[tuple[int, int]] = []
    small = replace(plan, answers=40, per_epoch=20, seeds=(1,))
    names = ["other_model 100%", "other_model after 300 honest answers"]
    cheat, honest = play_all(small, names, closer=2, watch=lambda done, of: seen.append((done, of)))
    assert (cheat.runs, honest.runs) == (1, 3)
    assert cheat.value < NEAR and abs(honest.value) < 0.01
    assert seen == [(1, 3), (2, 3), (3, 3), (4, 7), (5, 7), (6, 7), (7, 7)]


def test_more_runs_make_the_error_smaller() -> None:
    def of(runs: int) -> float:
        return Result("x", "worker", 0.0, 3.0, runs, 0.0, 0.0, 0.0, 0.0, 0).error

    assert [of(2), of(10)] == [3.0, 1.0]


def test_names_are_unique(recorded: Recorded) -> None:
    names = [scenario.name for scenario in scenarios(recorded)]
    assert len(names) == len(set(names)) > 30


def test_patience_and_shares() -> None:
    rng = random.Random(1)
    choose = after("bad", 3)
    assert [choose(rng) for _ in range(5)] == ["honest", "honest", "honest", "bad", "bad"]
    share = sum(sometimes("bad", PLANTED)(rng) == "bad" for _ in range(10_000)) / 10_000
    assert abs(share - PLANTED) < 0.01
