"""What an attack costs: purses looked into before and after, in units of the reward."""

from __future__ import annotations

from llmnet.chain import Keypair
from llmnet.redteam.protocol.registry import Effect, Found
from llmnet.redteam.protocol.room import REWARD, Room

SAVED = 0.45
"""Of R: what a cheap answer saves, where computing is half of the price and another model does it for a tenth."""
RUN = 0.25
"""Of R: what a reference run costs a validator."""


class Purse:
    """The money of some accounts, stakes and holds included, from now on."""

    def __init__(self, room: Room, *keys: Keypair) -> None:
        self._room, self._keys = room, keys
        self._before = self._now()

    def _now(self) -> int:
        return sum(self._room.wealth(keys) for keys in self._keys)

    def change(self, reward: int = REWARD) -> float:
        """What they have more than before, in R."""
        return (self._now() - self._before) / reward


def refusals(room: Room, errors: list[str], purse: Purse, sender: Keypair, note: str = "") -> Found:
    """What came of calls that the chain should refuse, all of them."""
    caught = sum(bool(error) for error in errors)
    lost = -purse.change() / len(errors)
    effect = Effect.REFUSED if caught == len(errors) else Effect.SUCCEEDS
    sent = room.sent.get(sender.public, 0) // len(errors)
    return Found(
        effect, ", ".join(sorted(set(errors))), len(errors), caught, on_chain=sent, lost=lost, note=note
    )
