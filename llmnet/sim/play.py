"""Plays scenarios beside their honest twins and says what each deviation is worth."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from llmnet.sim.errors import UnknownScenario
from llmnet.sim.evidence import HONEST
from llmnet.sim.market import Market
from llmnet.sim.scenarios import Scenario, Seat, scenarios
from llmnet.sim.workers import Terms
from llmnet.sim.world import fresh_world

Watch = Callable[[int, int], None]
"""Told (runs done, runs to do)."""
NEAR = -3.0
"""Value, in R, from which on a deviation is looked at more closely."""


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
    """One run of one seat. `gain` of the team in R, computing paid; `sold` answers, or audits of validators.

    `lost` is how many of the team were slashed, `honest_punished` how many workers that only sold honest answers were.
    """

    gain: float
    sold: int
    lost: int
    honest_punished: int

    @property
    def each(self) -> float:
        """R an answer, or an audit; nothing sold earns nothing."""
        return self.gain / self.sold if self.sold else 0.0


def standard_error(spread: float, runs: int) -> float:
    """Of the mean of so many runs that have this standard deviation; that of a single run is not known, and 0 here."""
    return spread / math.sqrt(max(1, runs - 1))


@dataclass(frozen=True, slots=True)
class Result:
    """`value`: what the deviation brings more than honesty, in R for each answer sold (validators: audit sat on), mean
    of `runs` runs; `spread` is their standard deviation. `deviant`, `honest`: the whole gain of a run, in R."""

    name: str
    role: str
    value: float
    spread: float
    runs: int
    deviant: float
    honest: float
    sold: float
    lost: float
    honest_punished: int

    @property
    def error(self) -> float:
        """Standard error of `value`."""
        return standard_error(self.spread, self.runs)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def named(plan: Plan, name: str) -> Scenario:
    """A scenario of the plan's evidence. Raises UnknownScenario."""
    for scenario in scenarios(plan.terms.recorded):
        if scenario.name == name:
            return scenario
    raise UnknownScenario(f"there is no scenario {name!r}; `llmnet sim list` names them")


def play(scenario: Scenario, plan: Plan) -> Result:
    """Both seats of a scenario, for all seeds, in this process."""
    deviant = [run_seat(scenario, scenario.deviant, plan, seed) for seed in plan.seeds]
    honest = [run_seat(scenario, scenario.honest, plan, seed) for seed in plan.seeds]
    return _result(scenario, deviant, honest)


def play_all(
    plan: Plan, names: Sequence[str], *, closer: int = 0, jobs: int = 1, watch: Watch | None = None
) -> list[Result]:
    """Many scenarios, their runs spread over `jobs` processes; twins that several share are played once.

    What comes NEAR to paying with the plan's seeds is played with `closer` more: few runs do not tell the luck of not
    being slashed from a profit. Raises UnknownScenario before anything is played.
    """
    chosen = [named(plan, name) for name in names]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        runs = _Runs(plan, chosen, pool, watch)
        runs.add(chosen, plan.seeds)
        near = [scenario for scenario in chosen if runs.result(scenario).value > NEAR]
        first = max(plan.seeds, default=0) + 1
        runs.add(near, range(first, first + closer))
    return [runs.result(scenario) for scenario in chosen]


class _Runs:
    """What was seen so far, by scenario, whether it was the deviant's seat, and seed."""

    def __init__(self, plan: Plan, chosen: Sequence[Scenario], pool: Executor, watch: Watch | None) -> None:
        self._plan, self._pool, self._watch = plan, pool, watch
        self._twins = {_twin(scenario): scenario.name for scenario in chosen}
        self._seeds: dict[str, list[int]] = {scenario.name: [] for scenario in chosen}
        self._seen: dict[tuple[str, bool, int], Seen] = {}

    def add(self, chosen: Sequence[Scenario], seeds: Sequence[int]) -> None:
        """Play these scenarios and their twins with these seeds; what was played already is not played again."""
        wanted: dict[tuple[str, bool, int], None] = {}
        for scenario in chosen:
            for seed in seeds:
                self._seeds[scenario.name].append(seed)
                wanted[scenario.name, True, seed] = None
                wanted[self._twins[_twin(scenario)], False, seed] = None
        waiting = {
            self._pool.submit(_play_one, self._plan, *task): task for task in wanted if task not in self._seen
        }
        of = len(self._seen) + len(waiting)
        for future in as_completed(waiting):
            self._seen[waiting[future]] = future.result()
            if self._watch is not None:
                self._watch(len(self._seen), of)

    def result(self, scenario: Scenario) -> Result:
        """Of all its runs."""
        seeds, twin = self._seeds[scenario.name], self._twins[_twin(scenario)]
        deviant = [self._seen[scenario.name, True, seed] for seed in seeds]
        return _result(scenario, deviant, [self._seen[twin, False, seed] for seed in seeds])


def _twin(scenario: Scenario) -> str:
    return scenario.twin + "/" + "/".join(scenario.members)


def best_deviation(results: Iterable[Result]) -> Result:
    """The most profitable one."""
    return max(results, key=lambda result: result.value)


def run_seat(scenario: Scenario, seat: Seat, plan: Plan, seed: int) -> Seen:
    """One market. AssertionError if money was made or lost, or audits never end."""
    with fresh_world(plan.wasm, plan.cache_dir) as world:
        issued = world.issuance()
        market = Market(world, plan.terms, seed)
        seat(market)
        market.run(plan.answers, plan.per_epoch)
        if world.issuance() != issued:
            raise AssertionError("money was made or lost")
        return _seen(scenario, market, plan)


def _play_one(plan: Plan, name: str, deviant: bool, seed: int) -> Seen:
    scenario = named(plan, name)
    return run_seat(scenario, scenario.deviant if deviant else scenario.honest, plan, seed)


def _result(scenario: Scenario, deviant: Sequence[Seen], honest: Sequence[Seen]) -> Result:
    values = [bad.each - good.each for bad, good in zip(deviant, honest, strict=True)]
    return Result(
        scenario.name,
        scenario.role,
        statistics.fmean(values),
        statistics.pstdev(values),
        len(values),
        statistics.fmean(seen.gain for seen in deviant),
        statistics.fmean(seen.gain for seen in honest),
        statistics.fmean(seen.sold for seen in deviant),
        statistics.fmean(seen.lost for seen in deviant),
        sum(seen.honest_punished for seen in (*deviant, *honest)),
    )


def _seen(scenario: Scenario, market: Market, plan: Plan) -> Seen:
    members = [name for name in market.names() if name in scenario.members]
    workers = [market.workers[name] for name in members if name in market.workers]
    validators = [market.validators[name] for name in members if name in market.validators]
    saves = plan.terms.recorded.saves
    gain = sum(market.gain(name) for name in members) / plan.terms.price
    gain -= sum(plan.costs.answer * (1 - saves[kind]) for worker in workers for kind in worker.sold)
    gain -= plan.costs.reference * sum(validator.runs for validator in validators)
    answers = sum(len(worker.sold) for worker in workers)
    audits = sum(validator.audits for validator in validators)
    return Seen(
        gain,
        answers if scenario.role == "worker" else audits,
        sum(market.removed(name) for name in members if name in market.workers),
        sum(market.removed(name) for name, worker in market.workers.items() if set(worker.sold) <= {HONEST}),
    )
