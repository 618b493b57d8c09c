"""Planters: they order wrong answers from a worker of theirs and tell afterwards."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from llmnet import proof
from llmnet.chain import Event, Keypair, Variant
from llmnet.pallets import spot_checks
from llmnet.sim.answers import Answer
from llmnet.sim.world import World


@dataclass
class Planter:
    """Plants every answer of `kind` that `worker` sells, and reveals those that were audited. `revealed` counts."""

    world: World
    keys: Keypair
    worker: bytes
    kind: str
    rng: random.Random
    revealed: int = 0
    refused: int = 0
    _salts: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def sells(self, answer: Answer) -> None:
        """Commit to an answer, in the block in which its batch is committed at the latest."""
        if answer.kind != self.kind:
            return
        place, salt = (answer.receipt.session, answer.receipt.index), self.rng.randbytes(32)
        self._salts[place] = salt
        commitment = proof.plant_commitment(self.keys.public, *place, self.worker, salt)
        self.world.post(spot_checks.plant(commitment), self.keys, self._refused)

    def on_event(self, event: Event) -> None:
        """Reveal what was decided."""
        fields = event.fields
        if (event.pallet, event.name) == ("SpotChecks", "Decided"):
            self._on_decided(fields)

    def _on_decided(self, fields: Mapping[str, object]) -> None:
        session, index, audit, verdict = (fields[name] for name in ("session", "index", "audit", "verdict"))
        assert isinstance(session, int) and isinstance(index, int) and isinstance(audit, int)
        salt = self._salts.pop((session, index), None)
        if salt is None or not isinstance(verdict, Variant) or verdict.name == "Abstained":
            return
        self.revealed += 1
        self.world.post(spot_checks.reveal_plant(audit, salt), self.keys, self._refused)

    def _refused(self, error: str) -> None:
        """Quotas bound what a planter may do."""
        if error not in ("PlantQuotaReached", "TooManyPlants", "UnknownPlant"):
            raise AssertionError(f"a planter's call was refused: {error}")
        self.refused += 1
