"""Strategies on the real runtime: honesty pays, cheating does not, and money stays what it was."""

from __future__ import annotations

import pytest

from llmnet.sim import CallFailed, Market, Plan, always, best_deviation, fresh_world, play
from llmnet.sim.scenarios import Scenario, Seat, scenarios
from llmnet.sim.validators import framing
from llmnet.sim.world import ALICE


def named(plan: Plan, name: str) -> Scenario:
    return next(scenario for scenario in scenarios(plan.terms.recorded) if scenario.name == name)


def test_an_honest_worker_earns_and_is_never_accused(plan: Plan) -> None:
    with fresh_world(plan.wasm) as world:
        issued = world.issuance()
        market = Market(world, plan.terms)
        market.worker("one", always("honest"))
        for number in range(4):
            market.validator(f"v{number}")
        market.run(60, 20)
        (verdicts,) = market.verdicts.values()
        assert set(verdicts) == {"Passed"}
        assert verdicts["Passed"] >= 10
        assert not market.removed("one")
        # 60 answers, less the fee on claims and what transactions cost
        assert 40 * plan.terms.price < market.gain("one") < 60 * plan.terms.price
        assert world.issuance() == issued


@pytest.mark.parametrize("kind", ["other_model", "cheap_decode"])
def test_cheating_with_every_answer_loses(plan: Plan, kind: str) -> None:
    result = play(named(plan, f"{kind} 100%"), plan)
    assert result.lost == 1
    assert result.deviant < result.honest - 500
    assert result.honest_punished == 0


def test_a_deviation_that_is_honesty_is_worth_nothing(plan: Plan) -> None:
    """Else the comparison measures something besides the deviation."""
    seat = named(plan, "other_model 100%").honest
    result = play(Scenario("nothing", "worker", "", "nothing", ("deviant",), seat, seat), plan)
    assert result.value == pytest.approx(0, abs=0.1)
    assert result.lost == 0


def test_without_validators_cheating_pays(plan: Plan) -> None:
    """It is the audits that make it lose: nobody to look, nothing lost."""

    def seat(kind: str) -> Seat:
        def fill(market: Market) -> None:
            market.worker("deviant", always(kind))

        return fill

    blind = Scenario("blind", "worker", "", "blind", ("deviant",), seat("honest"), seat("other_model"))
    assert play(blind, plan).value > 0


def test_a_worker_is_framed_only_by_most_of_its_panels(plan: Plan) -> None:
    """One liar of ten is rejected wherever it sits."""
    with fresh_world(plan.wasm) as world:
        market = Market(world, plan.terms)
        victim = market.worker("victim", always("honest"))
        market.validator("liar", framing({victim.keys.public}))
        for number in range(9):
            market.validator(f"v{number}")
        market.run(60, 20)
        assert not market.removed("victim")
        assert market.events["ReferenceRejected"] > 0
        assert market.gain("liar") < 0


def test_a_call_that_fails_unexpectedly_is_a_fault(plan: Plan) -> None:
    with fresh_world(plan.wasm) as world:
        world.post(world.runtime.call("Staking", "unbond", {}), ALICE)
        with pytest.raises(CallFailed, match="NotBonded"):
            world.step()
        seen: list[str] = []
        world.post(world.runtime.call("Staking", "unbond", {}), ALICE, seen.append)
        world.step()
        assert seen == ["NotBonded"]


def test_the_best_deviation_is_the_dearest(plan: Plan) -> None:
    seat = named(plan, "other_model 100%").honest
    nothing = play(Scenario("nothing", "worker", "", "nothing", ("deviant",), seat, seat), plan)
    cheat = play(named(plan, "other_model 100%"), plan)
    assert best_deviation([cheat, nothing]) is nothing
