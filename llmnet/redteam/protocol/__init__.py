"""Attacks on the protocol, each run on the real runtime in a node of this process or against the daemons' own code.

    attacks() -> Mapping[str, ProtocolAttack]      all of them, by name
    run_all(setting, names, progress) -> [Outcome]  run some or all; `Outcome.as_json()`
    Setting(wasm, …)                                where, how often

What is attacked is what runs; only people, and the model behind the answers (`toy.py`), are made up. A family is a module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from llmnet.redteam.protocol import (  # noqa: F401 - importing a family registers its attacks
    beacon,
    bombs,
    daemons,
    equivocation,
    framing,
    identities,
    leaving,
    money,
    noise,
    openings,
    prices,
    reviews,
    structure,
    trees,
    validators,
)
from llmnet.redteam.protocol.errors import Stuck
from llmnet.redteam.protocol.registry import Effect, Found, Outcome, ProtocolAttack, chosen, registered
from llmnet.redteam.protocol.room import Room
from llmnet.redteam.protocol.setting import Setting

Progress = Callable[[Outcome], None]


def attacks() -> Mapping[str, ProtocolAttack]:
    """All attacks, by name."""
    return registered()


def run_all(
    setting: Setting, names: Iterable[str] | None = None, progress: Progress | None = None
) -> list[Outcome]:
    """Run the attacks of these names or families, one after the other. Raises UnknownAttack."""
    outcomes = []
    for attack in chosen(names):
        outcomes.append(attack.play(setting))
        if progress is not None:
            progress(outcomes[-1])
    return outcomes


__all__ = [
    "Effect",
    "Found",
    "Outcome",
    "ProtocolAttack",
    "Room",
    "Setting",
    "Stuck",
    "attacks",
    "run_all",
]
