"""Everybody on one chain: workers sell an epoch's answers at a time, events are handed round until all audits are decided."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llmnet.chain import Event, Keypair, Variant
from llmnet.pallets import registry
from llmnet.sim.answers import SPEC, Answer
from llmnet.sim.validators import Look, Validator, honest
from llmnet.sim.workers import Choose, Terms, Worker
from llmnet.sim.world import ALICE, UNIT, World

WEALTH = 10_000 * UNIT  # of every account at its beginning
_SESSION_BLOCKS = 50_000
_SETTLING = 400  # blocks without any event of an audit after which a market counts as stuck

Watch = Callable[[int, int], None]
"""Told (answers sold, answers to sell) after each epoch."""


@dataclass
class Market:
    """One simulated market. Add everybody, then `run`.

    `seed` decides what is sold. It does not decide who is drawn: sr25519 signatures are randomised, they go into the hashes
    of blocks, and those into the beacon. So no run repeats another, and figures need several.
    """

    world: World
    terms: Terms
    seed: int = 1
    workers: dict[str, Worker] = field(default_factory=dict)
    validators: dict[str, Validator] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    verdicts: dict[bytes, Counter[str]] = field(default_factory=dict)
    started_with: dict[str, int] = field(default_factory=dict)
    _answers: dict[tuple[int, int], Answer] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)

    def worker(self, name: str, choose: Choose, opens: Callable[[Answer], bool] | None = None) -> Worker:
        """A worker and the requester who buys from it."""
        keys, payer = self._account(name), self._account(name + "/payer")
        rng = random.Random(f"{self.seed}/{name}")
        self.workers[name] = Worker(self.world, self.terms, keys, payer, choose, rng, opens)
        return self.workers[name]

    def validator(
        self, name: str, look: Look = honest, *, acts: bool = True, reveals: bool = True
    ) -> Validator:
        """A validator with the stake of every other."""
        rng = random.Random(f"{self.seed}/{name}")
        found = Validator(self.world, self._account(name), self._find, rng, look, acts, reveals)
        self.validators[name] = found
        return found

    def run(self, answers: int, per_epoch: int, watch: Watch | None = None) -> None:
        """Every worker sells `answers`, `per_epoch` at a time, as long as it is in the market; then all audits are finished."""
        self._begin(answers)
        epoch_length = int(self.world.constant("SpotChecks", "EpochLength"))
        for sold in range(0, answers, per_epoch):
            self._sell(min(per_epoch, answers - sold))
            self._step()
            for worker in self._selling():
                worker.claim()
            self._until_epoch_after(epoch_length)
            if watch is not None:
                watch(min(sold + per_epoch, answers), answers)
        self._settle()

    def names(self) -> dict[str, bytes]:
        """All workers' and validators' accounts."""
        parts: dict[str, Worker | Validator] = {**self.workers, **self.validators}
        return {name: part.keys.public for name, part in parts.items()}

    def gain(self, name: str) -> int:
        """What an account has more than it started with, in plancks; stakes and holds count as its own."""
        return self.world.wealth(self.names()[name]) - self.started_with[name]

    def removed(self, name: str) -> bool:
        """Whether a worker was slashed out of the market."""
        return self.workers[name].removed_at is not None

    def _account(self, name: str) -> Keypair:
        return Keypair.from_uri(f"//Sim//{self.seed}//{name.replace('/', '-')}")

    def _find(self, session: int, index: int) -> Answer | None:
        return self._answers.get((session, index))

    def _begin(self, answers: int) -> None:
        self._fund()
        for part in (*self.validators.values(), *self.workers.values()):
            if isinstance(part, Validator):
                part.begin()
        self.world.post(registry.register_spec(SPEC), ALICE)
        self._step()
        self.world.sudo(registry.set_calibration(SPEC.id, self.terms.recorded.calibration))
        for worker in self.workers.values():
            worker.begin()
        self._step()
        for worker in self.workers.values():
            worker.open_session(max(UNIT // 100, 2 * answers * self.terms.price), _SESSION_BLOCKS)
        while not all(worker.ready for worker in self.workers.values()):
            self._step()
        self.started_with = {name: self.world.wealth(account) for name, account in self.names().items()}

    def _fund(self) -> None:
        payers = [worker.payer.public for worker in self.workers.values()]
        for account in (*self.names().values(), *payers):
            call = self.world.runtime.call(
                "Balances", "transfer_allow_death", {"dest": Variant("Id", account), "value": WEALTH}
            )
            self.world.post(call, ALICE)
        self._step()

    def _selling(self) -> Sequence[Worker]:
        return [worker for worker in self.workers.values() if worker.ready]

    def _sell(self, count: int) -> None:
        for worker in self._selling():
            for answer in worker.sell(count):
                self._answers[answer.receipt.session, answer.receipt.index] = answer

    def _until_epoch_after(self, length: int) -> None:
        """One batch an epoch: go to the first block of the next one."""
        epoch = self.world.block // length
        while self.world.block // length == epoch:
            self._step()

    def _settle(self) -> None:
        """Until nothing is open for as long as a sealed batch waits to be drawn. AssertionError if audits never end."""
        rest = 2 * int(
            self.world.constant("Beacon", "CommitBlocks") + self.world.constant("Beacon", "RevealBlocks")
        )
        idle = silent = 0
        while idle < rest:
            before = self.events.total()
            self._step()
            idle = 0 if self._open else idle + 1
            silent = silent + 1 if self._open and self.events.total() == before else 0
            if silent > _SETTLING:
                raise AssertionError(f"audits {sorted(self._open)} never end")

    def _step(self) -> None:
        for event in self.world.step():
            if event.pallet in ("SpotChecks", "Sessions"):
                self._count(event)
            for worker in self.workers.values():
                worker.on_event(event)
            for validator in self.validators.values():
                validator.on_event(event)

    def _count(self, event: Event) -> None:
        self.events[event.name] += 1
        if event.name == "AuditDrawn":
            self._open.add(event.fields["audit"])
        elif event.name == "Decided":
            self._open.discard(event.fields["audit"])
            found = self.verdicts.setdefault(event.fields["worker"], Counter())
            found[event.fields["verdict"].name] += 1
