"""Who plays what: each scenario seats one deviant beside honest people, and its twin seats an honest one there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llmnet.sim.answers import Answer
from llmnet.sim.evidence import HONEST, Recorded
from llmnet.sim.market import Market
from llmnet.sim.validators import Look, framing, in_league, made_up, withheld
from llmnet.sim.workers import Choose, always, sometimes

DEVIANT = "deviant"
"""The account whose gain is compared with the twin's."""
VALIDATORS = 10
SHARES = (1.0, 0.5, 0.25, 0.1, 0.02)

Seat = Callable[[Market], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`honest` and `deviant` fill the same market but for what the deviant does. `role` says whose costs count."""

    name: str
    role: str  # "worker" or "validator"
    kind: str  # what it saves by: a kind of recorded evidence, or "" for saved reference runs
    honest: Seat
    deviant: Seat


def _crowd(market: Market, honest_validators: int = VALIDATORS) -> None:
    market.worker("neighbour", always(HONEST))
    for number in range(honest_validators):
        market.validator(f"validator-{number}")


def _worker(choose: Choose, opens: Callable[[Answer], bool] | None = None) -> Seat:
    def seat(market: Market) -> None:
        _crowd(market)
        market.worker(DEVIANT, choose, opens)

    return seat


def _validator(look: Look | None = None, *, acts: bool = True, reveals: bool = True) -> Seat:
    def seat(market: Market) -> None:
        _crowd(market, VALIDATORS - 1)
        if look is None:
            market.validator(DEVIANT, acts=acts, reveals=reveals)
        else:
            market.validator(DEVIANT, look, acts=acts, reveals=reveals)

    return seat


def _with_friends(kind: str, friends: int) -> tuple[Seat, Seat]:
    """A cheating worker and the share of validators that helps it; in the twin all are honest."""

    def deviant(market: Market) -> None:
        cheat = market.worker(DEVIANT, always(kind))
        market.worker("neighbour", always(HONEST))
        for number in range(VALIDATORS):
            if number < friends:
                market.validator(f"friend-{number}", in_league({cheat.keys.public}))
            else:
                market.validator(f"validator-{number}")

    return _worker(always(HONEST)), deviant


def _framers(count: int) -> tuple[Seat, Seat]:
    """Validators that lie about an honest worker; the deviant is one of them."""

    def seat(lies: bool) -> Seat:
        def fill(market: Market) -> None:
            victim = market.worker("neighbour", always(HONEST))
            look = framing({victim.keys.public})
            for number in range(VALIDATORS):
                name = DEVIANT if number == 0 else f"validator-{number}"
                if lies and number < count:
                    market.validator(name, look)
                else:
                    market.validator(name)

        return fill

    return seat(False), seat(True)


def scenarios(recorded: Recorded) -> Iterator[Scenario]:
    """Every deviation, cheapest to write first."""
    honest_worker = _worker(always(HONEST))
    for kind in recorded.answers:
        if kind == HONEST:
            continue
        for share in SHARES:
            seat = _worker(sometimes(kind, share))
            yield Scenario(f"{kind} {share:.0%}", "worker", kind, honest_worker, seat)
        hides = _worker(sometimes(kind, 0.25), opens=lambda answer: answer.kind == HONEST)
        yield Scenario(f"{kind} 25 %, hides what is drawn", "worker", kind, honest_worker, hides)
    honest_validator = _validator()
    yield Scenario("validator invents references", "validator", "", honest_validator, _validator(made_up))
    yield Scenario("validator never answers", "validator", "", honest_validator, _validator(acts=False))
    yield Scenario("validator never reveals", "validator", "", honest_validator, _validator(reveals=False))
    yield Scenario("validator cries withheld", "validator", "", honest_validator, _validator(withheld))
    for count in (1, VALIDATORS // 5, VALIDATORS // 2):
        honest, deviant = _framers(count)
        yield Scenario(f"{count} of {VALIDATORS} validators frame a worker", "validator", "", honest, deviant)
    for kind in sorted(set(recorded.answers) - {HONEST}):
        for friends in (VALIDATORS // 5, VALIDATORS // 2):
            honest, deviant = _with_friends(kind, friends)
            name = f"{kind} with {friends} of {VALIDATORS} validators as friends"
            yield Scenario(name, "worker", kind, honest, deviant)
