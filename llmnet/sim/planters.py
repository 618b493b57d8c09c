"""Planters: they order wrong answers from a worker of theirs and tell afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from llmnet import proof
from llmnet.chain import Event, Keypair, Variant
from llmnet.pallets import spot_checks
from llmnet.sim.answers import Answer
from llmnet.sim.world import World


@dataclass
class Planter:
    """Plants every answer of `kind` that `worker` sells, and reveals those that were audited.

    A reveal above the chain's quota is tried again after later verdicts, as long as a verdict can be reviewed.
    """

    world: World
    keys: Keypair
    worker: bytes
    kind: str
    rng: random.Random
    _salts: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _early: dict[int, bytes] = field(default_factory=dict)

    def sells(self, answer: Answer) -> None:
        """Commit to an answer, in the block in which its batch is committed at the latest."""
        if answer.kind != self.kind:
            return
        place, salt = (answer.receipt.session, answer.receipt.index), self.rng.randbytes(32)
        self._salts[place] = salt
        commitment = proof.plant_commitment(self.keys.public, *place, self.worker, salt)
        self.world.post(spot_checks.plant(commitment), self.keys, _only("TooManyPlants"))

    def on_event(self, event: Event) -> None:
        """Reveal what was decided."""
        if (event.pallet, event.name) == ("SpotChecks", "Decided"):
            self._on_decided(event.fields)

    def _on_decided(self, fields: Mapping[str, object]) -> None:
        session, index, audit, verdict = (fields[name] for name in ("session", "index", "audit", "verdict"))
        assert isinstance(session, int) and isinstance(index, int) and isinstance(audit, int)
        early, self._early = self._early, {}
        salt = self._salts.pop((session, index), None)
        if salt is not None and isinstance(verdict, Variant) and verdict.name != "Abstained":
            early[audit] = salt
        for decided, told in early.items():
            self._reveal(decided, told)

    def _reveal(self, audit: int, salt: bytes) -> None:
        refusable = _only("PlantQuotaReached", "UnknownPlant", "ReviewTooLate")

        def refused(error: str) -> None:
            refusable(error)
            if error == "PlantQuotaReached":
                self._early[audit] = salt

        self.world.post(spot_checks.reveal_plant(audit, salt), self.keys, refused)


def _only(*errors: str) -> Callable[[str], None]:
    """Quotas bound what a planter may do; whatever else is refused is a fault of the simulation."""

    def refused(error: str) -> None:
        if error not in errors:
            raise AssertionError(f"a planter's call was refused: {error}")

    return refused
