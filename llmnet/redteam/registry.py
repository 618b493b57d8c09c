"""All attacks, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llmnet.redteam.attack import Attack
from llmnet.redteam.errors import UnknownAttack
from llmnet.redteam.forgery import CONTROLS, FORGERY
from llmnet.redteam.forward import FORWARD
from llmnet.redteam.sampling import SAMPLING

ATTACKS: Mapping[str, Attack] = {attack.name: attack for attack in (*CONTROLS, *FORWARD, *SAMPLING, *FORGERY)}


def chosen(names: Iterable[str]) -> list[Attack]:
    """The attacks of these names, each once; all for none. Raises UnknownAttack."""
    wanted = list(dict.fromkeys(names)) or list(ATTACKS)
    missing = [name for name in wanted if name not in ATTACKS]
    if missing:
        raise UnknownAttack(f"there is no attack {', '.join(missing)}: `llmnet redteam list` names them all")
    return [ATTACKS[name] for name in wanted]
