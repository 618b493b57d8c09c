"""Plays a scenario beside its honest twin and says what the deviation is worth."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmnet.sim.evidence import HONEST
from llmnet.sim.market import Market, Watch
from llmnet.sim.scenarios import DEVIANT, Scenario, Seat
from llmnet.sim.workers import Terms
from llmnet.sim.world import fresh_world


@dataclass(frozen=True, slots=True)
class Costs:
    """What computing costs, in units of an answer's reward R."""

    answer: float = 0.5
    reference: float = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """How a scenario is played. `answers` a worker in one run, in batches of `per_epoch`, once for each seed."""

    wasm: Path
    terms: Terms
    costs: Costs = Costs()
    answers: int = 400
    per_epoch: int = 20
    seeds: tuple[int, ...] = (1, 2, 3)
    cache_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One run of one seat. `gain` in R, computing paid; `sold` answers, or audits for a validator."""

    gain: float
    sold: int
    removed: bool
    honest_punished: int


@dataclass(frozen=True, slots=True)
class Result:
    """`value`: what the deviation brings more than honesty, in R an answer (an audit for validators), mean over the seeds."""

    name: str
    role: str
    value: float
    spread: float
    deviant: float
    honest: float
    sold: float
    removed: float
    honest_punished: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def play(scenario: Scenario, plan: Plan, watch: Watch | None = None) -> Result:
    """Both seats of a scenario, for all seeds."""
    deviant = [_run(scenario, scenario.deviant, plan, seed, watch) for seed in plan.seeds]
    honest = [_run(scenario, scenario.honest, plan, seed, watch) for seed in plan.seeds]
    values = [(bad.gain - good.gain) / max(1, good.sold) for bad, good in zip(deviant, honest, strict=True)]
    return Result(
        scenario.name,
        scenario.role,
        statistics.fmean(values),
        statistics.pstdev(values),
        statistics.fmean(seen.gain for seen in deviant),
        statistics.fmean(seen.gain for seen in honest),
        statistics.fmean(seen.sold for seen in deviant),
        statistics.fmean(seen.removed for seen in deviant),
        sum(seen.honest_punished for seen in (*deviant, *honest)),
    )


def best_deviation(results: Iterable[Result]) -> Result:
    """The most profitable one."""
    return max(results, key=lambda result: result.value)


def _run(scenario: Scenario, seat: Seat, plan: Plan, seed: int, watch: Watch | None) -> Seen:
    with fresh_world(plan.wasm, plan.cache_dir) as world:
        issued = world.issuance()
        market = Market(world, plan.terms, seed)
        seat(market)
        market.run(plan.answers, plan.per_epoch, watch)
        if world.issuance() != issued:
            raise AssertionError("money was made or lost")
        return _seen(scenario, market, plan)


def _seen(scenario: Scenario, market: Market, plan: Plan) -> Seen:
    gain = market.gain(DEVIANT) / plan.terms.price
    punished = sum(
        market.removed(name) for name, worker in market.workers.items() if set(worker.sold) <= {HONEST}
    )
    if scenario.role == "validator":
        validator = market.validators[DEVIANT]
        paid = validator.runs * plan.costs.reference
        return Seen(gain - paid, validator.audits, False, punished)
    worker = market.workers[DEVIANT]
    saves = plan.terms.recorded.saves
    paid = sum(plan.costs.answer * (1 - saves.get(kind, 0.0)) for kind in worker.sold)
    return Seen(gain - paid, len(worker.sold), market.removed(DEVIANT), punished)
