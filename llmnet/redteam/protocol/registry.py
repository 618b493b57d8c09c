"""What an attack on the protocol is, what came of it, and the list of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from llmnet.redteam.errors import UnknownAttack
from llmnet.redteam.protocol.setting import Setting


class Effect(Enum):
    """What an attack comes to, the mildest first."""

    NOTHING = "nothing"  # it may be done, and nobody loses or gains by it
    REFUSED = "refused"  # a call, a signature check or a daemon turns it down
    UNPAID = "unpaid"  # it earns nothing
    FINED = "fined"
    SLASHED = "slashed"
    SUCCEEDS = "succeeds"  # the attacker has what it wanted


@dataclass(frozen=True, slots=True)
class Found:
    """What one run of an attack showed.

    `tried`, `caught`: instances of it and those that came to `effect`. `answers`, `audits`: how many of the attacker it took.
    `on_chain`, `off_chain`: bytes that it sent. `lost`, `won`: what it lost and gained more than an honest twin, in units of
    the reward R of an answer; where computing is saved, the saving is in `won`.
    """

    effect: Effect
    by: str
    tried: int = 1
    caught: int = 1
    answers: int = 0
    audits: int = 0
    on_chain: int = 0
    off_chain: int = 0
    lost: float = 0.0
    won: float = 0.0
    note: str = ""


Run = Callable[[Setting], Found]


@dataclass(frozen=True, slots=True)
class ProtocolAttack:
    """`covered`: the protocol makes it fail or not worth its price. If not, `why` says what is missing."""

    name: str
    family: str
    does: str
    run: Run
    expected: Effect
    covered: bool = True
    why: str = ""

    def play(self, setting: Setting) -> Outcome:
        """Run it."""
        return Outcome(
            self.name, self.family, self.does, self.expected, self.covered, self.why, self.run(setting)
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attack and what came of it."""

    name: str
    family: str
    does: str
    expected: Effect
    covered: bool
    why: str
    found: Found

    @property
    def value(self) -> float:
        """What the attack is worth, in R: above 0 it pays."""
        return self.found.won - self.found.lost

    @property
    def as_expected(self) -> bool:
        """Whether every instance came to the expected effect, and a covered attack does not pay."""
        found = self.found
        whole = found.effect is self.expected and found.caught == found.tried
        return whole and (not self.covered or self.value <= 0)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        found = asdict(self.found)
        return {
            "name": self.name,
            "family": self.family,
            "does": self.does,
            "expected": self.expected.value,
            "covered": self.covered,
            "why": self.why,
            **found,
            "effect": self.found.effect.value,
            "lost": round(self.found.lost, 4),
            "won": round(self.found.won, 4),
            "value": round(self.value, 4),
            "as_expected": self.as_expected,
        }


_ATTACKS: dict[str, ProtocolAttack] = {}


def attack(
    name: str, family: str, does: str, expected: Effect, *, uncovered: str = ""
) -> Callable[[Run], Run]:
    """Register a function as an attack. `uncovered` says why it is not covered."""

    def register(run: Run) -> Run:
        assert name not in _ATTACKS, name
        _ATTACKS[name] = ProtocolAttack(name, family, does, run, expected, not uncovered, uncovered)
        return run

    return register


def registered() -> Mapping[str, ProtocolAttack]:
    """All attacks of the modules that are imported, in the order of their names' registration."""
    return dict(_ATTACKS)


def chosen(names: Iterable[str] | None) -> list[ProtocolAttack]:
    """The attacks of these names or families; all for None. Raises UnknownAttack."""
    known = registered()
    if names is None:
        return list(known.values())
    picked: dict[str, ProtocolAttack] = {}
    for name in names:
        found = [item for item in known.values() if name in (item.name, item.family)]
        if not found:
            raise UnknownAttack(
                f"no attack or family is called {name!r}; see `python -m llmnet.redteam.protocol --list`"
            )
        picked.update((item.name, item) for item in found)
    return list(picked.values())
