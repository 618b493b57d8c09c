"""Who plays what: each scenario seats a deviant, or a team of them, beside honest people, and its twin seats honest ones there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from llmnet.sim.answers import Answer
from llmnet.sim.evidence import HONEST, Recorded
from llmnet.sim.market import Market
from llmnet.sim.validators import (
    Look,
    copying,
    framing,
    honest,
    in_league,
    inventing_together,
    made_up,
    withheld,
)
from llmnet.sim.workers import Choose, after, always, appeals_when_honest, sometimes

DEVIANT = "deviant"
VALIDATORS = 10
SHARES = (1.0, 0.5, 0.25, 0.1, 0.02)
RING_SIZES = (1, VALIDATORS // 5, VALIDATORS // 2)
LIVES = 4
"""How many accounts somebody has who comes back after each slash."""
PLANTED = 0.04
"""Share of its answers that a planter's worker gets wrong on purpose: with one other worker, two audits in a hundred."""

Seat = Callable[[Market], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`honest` and `deviant` fill the same market but for what the members of the team do.

    `role` says what is counted, answers sold by a "worker" or audits of a "validator"; `kind` is the recorded kind of the
    deviant's answers, or "". Scenarios of one `twin` share the honest seat.
    """

    name: str
    role: str
    kind: str
    twin: str
    members: tuple[str, ...]
    honest: Seat
    deviant: Seat


def scenarios(recorded: Recorded) -> Iterator[Scenario]:
    """Every deviation."""
    kinds = [kind for kind in recorded.answers if kind != HONEST]
    for kind in kinds:
        yield from _cheating(kind)
    yield from _lazy()
    yield from _rings()
    for kind in kinds:
        yield from _with_friends(kind)
    if kinds:
        yield from _copyists(kinds[0])


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"validator-{number}" for number in range(count))


def _crowd(market: Market) -> None:
    market.worker("neighbour", always(HONEST))
    for name in _names(VALIDATORS):
        market.validator(name)


def _seller(
    choose: Choose,
    opens: Callable[[Answer], bool] | None = None,
    appeals: Callable[[Answer], bool] = appeals_when_honest,
) -> Seat:
    def seat(market: Market) -> None:
        _crowd(market)
        market.worker(DEVIANT, choose, opens, appeals)

    return seat


def _cheating(kind: str) -> Iterator[Scenario]:
    twin = _seller(always(HONEST))

    def scenario(name: str, seat: Seat) -> Scenario:
        return Scenario(f"{kind} {name}", "worker", kind, "worker", (DEVIANT,), twin, seat)

    for share in SHARES:
        yield scenario(f"{share:.0%}", _seller(sometimes(kind, share)))
    hides = _seller(sometimes(kind, 0.25), opens=lambda answer: answer.kind == HONEST)
    yield scenario("25 %, hides what is drawn", hides)
    yield scenario("25 %, appeals everything", _seller(sometimes(kind, 0.25), appeals=lambda _: True))
    yield scenario("after 300 honest answers", lambda market: _seller(after(kind, 300))(market))
    yield _coming_back(kind)


def _coming_back(kind: str) -> Scenario:
    """A slashed account is followed by a fresh one that nobody can link to it."""
    names = (DEVIANT, *(f"{DEVIANT}-{life}" for life in range(2, LIVES + 1)))

    def seat(sells: str) -> Seat:
        def fill(market: Market) -> None:
            _crowd(market)
            market.worker(names[0], always(sells))
            for before, name in pairwise(names):
                market.worker(name, always(sells), after=before)

        return fill

    return Scenario(f"{kind} 100%, {LIVES} lives", "worker", kind, "lives", names, seat(HONEST), seat(kind))


def _lazy() -> Iterator[Scenario]:
    first = _names(1)

    def seat(look: Look = honest, *, acts: bool = True, reveals: bool = True) -> Seat:
        def fill(market: Market) -> None:
            market.worker("neighbour", always(HONEST))
            market.worker("other", always(HONEST))
            for name in _names(VALIDATORS):
                if name in first:
                    market.validator(name, look, acts=acts, reveals=reveals)
                else:
                    market.validator(name)

        return fill

    for name, deviant in (
        ("invents references", seat(made_up)),
        ("never answers", seat(acts=False)),
        ("never reveals", seat(reveals=False)),
        ("cries withheld", seat(withheld)),
    ):
        yield Scenario(f"validator {name}", "validator", "", "validator", first, seat(), deviant)


def _rings() -> Iterator[Scenario]:
    """Validators that lie together: about one worker, or about all because none of them looks."""
    for count in RING_SIZES:
        ring = _names(count)

        def lies(market: Market, ring: Sequence[str] = ring) -> None:
            victim = market.worker("neighbour", always(HONEST))
            market.worker("other", always(HONEST))
            look = framing({victim.keys.public})
            for name in _names(VALIDATORS):
                market.validator(name, look if name in ring else honest)

        def invents(market: Market, ring: Sequence[str] = ring) -> None:
            market.worker("neighbour", always(HONEST))
            market.worker("other", always(HONEST))
            for name in _names(VALIDATORS):
                market.validator(name, inventing_together if name in ring else honest)

        def behave(market: Market) -> None:
            market.worker("neighbour", always(HONEST))
            market.worker("other", always(HONEST))
            for name in _names(VALIDATORS):
                market.validator(name)

        what = f"{count} of {VALIDATORS} validators"
        yield Scenario(f"{what} frame a worker", "validator", "", f"ring {count}", ring, behave, lies)
        yield Scenario(f"{what} invent alike", "validator", "", f"ring {count}", ring, behave, invents)


def _with_friends(kind: str) -> Iterator[Scenario]:
    """A cheating worker and the share of validators that hands in what it sends them; one purse."""
    for count in (VALIDATORS // 5, VALIDATORS // 2):
        friends = _names(count)

        def deviant(market: Market, friends: Sequence[str] = friends) -> None:
            cheat = market.worker(DEVIANT, always(kind))
            market.worker("neighbour", always(HONEST))
            look = in_league({cheat.keys.public})
            for name in _names(VALIDATORS):
                market.validator(name, look if name in friends else honest)

        name = f"{kind} with {count} of {VALIDATORS} validators as friends"
        members = (DEVIANT, *friends)
        twin = _seller(always(HONEST))
        yield Scenario(name, "worker", kind, "worker", members, twin, deviant)


def _copyists(kind: str) -> Iterator[Scenario]:
    """Validators that hand in what any worker offers them, where faults are planted."""
    for count in RING_SIZES:
        lazy = _names(count)

        def seat(market: Market, lazy: Sequence[str]) -> None:
            market.worker("neighbour", always(HONEST))
            market.worker("planted", sometimes(kind, PLANTED))
            market.planter("planter", "planted", kind)
            for name in _names(VALIDATORS):
                market.validator(name, copying if name in lazy else honest)

        name = f"{count} of {VALIDATORS} validators copy the worker, {PLANTED / 2:.0%} planted"
        yield Scenario(
            name,
            "validator",
            "",
            "planted",
            lazy,
            lambda market, seat=seat: seat(market, ()),  # type: ignore[misc]
            lambda market, seat=seat, lazy=lazy: seat(market, lazy),  # type: ignore[misc]
        )
