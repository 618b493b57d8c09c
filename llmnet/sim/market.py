"""Everybody on one chain: workers sell an epoch's answers at a time, events are handed round until all audits are decided."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llmnet.chain import Event, Keypair, Variant
from llmnet.pallets import registry, spot_checks
from llmnet.sim.answers import SPEC, Answer
from llmnet.sim.planters import Planter
from llmnet.sim.validators import Look, Validator, honest
from llmnet.sim.workers import Choose, Terms, Worker, appeals_when_honest
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
    planters: list[Planter] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    verdicts: dict[bytes, Counter[str]] = field(default_factory=dict)
    started_with: dict[str, int] = field(default_factory=dict)
    _answers: dict[tuple[int, int], Answer] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)
    _reviews: set[int] = field(default_factory=set)
    _successors: dict[str, str] = field(default_factory=dict)

    def worker(
        self,
        name: str,
        choose: Choose,
        opens: Callable[[Answer], bool] | None = None,
        appeals: Callable[[Answer], bool] = appeals_when_honest,
        *,
        after: str | None = None,
    ) -> Worker:
        """A worker and the requester who buys from it. With `after` it enters when that worker has been slashed."""
        keys, payer = self._account(name), self._account(name + "/payer")
        rng = random.Random(f"{self.seed}/{name}")
        self.workers[name] = Worker(self.world, self.terms, keys, payer, choose, rng, opens, appeals)
        if after is not None:
            self._successors[name] = after
        return self.workers[name]

    def planter(self, name: str, worker: str, kind: str) -> Planter:
        """Somebody trusted by root, who has `worker` sell answers of `kind` on purpose."""
        rng = random.Random(f"{self.seed}/{name}")
        planted = self.workers[worker]
        found = Planter(self.world, self._account(name), planted.keys.public, kind, rng)
        planted.sells = found.sells
        self.planters.append(found)
        return found

    def validator(
        self,
        name: str,
        look: Look = honest,
        *,
        acts: bool = True,
        reveals: bool = True,
        challenges: bool = True,
    ) -> Validator:
        """A validator with the stake of every other."""
        rng = random.Random(f"{self.seed}/{name}")
        account = self._account(name)
        found = Validator(self.world, account, self._find, rng, look, acts, reveals, challenges)
        self.validators[name] = found
        return found

    def run(self, answers: int, per_epoch: int, watch: Watch | None = None) -> None:
        """Every worker sells `answers`, `per_epoch` at a time, as long as it is in the market; then all audits are finished."""
        self._begin(answers)
        epoch_length = int(self.world.constant("SpotChecks", "EpochLength"))
        for sold in range(0, answers, per_epoch):
            self._enter([name for name in self._successors if self._may_enter(name)], answers - sold)
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
        for validator in self.validators.values():
            validator.begin()
        self.world.post(registry.register_spec(SPEC), ALICE)
        self._step()
        self.world.sudo(registry.set_calibration(SPEC.id, self.terms.recorded.calibration))
        if self.planters:
            accounts = [planter.keys.public for planter in self.planters]
            self.world.sudo(spot_checks.set_planters(accounts))
        self.started_with = {name: self.world.wealth(account) for name, account in self.names().items()}
        self._enter([name for name in self.workers if name not in self._successors], answers)

    def _enter(self, names: Sequence[str], answers: int) -> None:
        """Workers bond, and their payers open sessions with enough for `answers`."""
        entering = [self.workers[name] for name in names]
        for worker in entering:
            worker.begin()
        if entering:
            self._step()
        for worker in entering:
            worker.open_session(max(UNIT // 100, 2 * answers * self.terms.price), _SESSION_BLOCKS)
        while not all(worker.ready for worker in entering):
            self._step()

    def _may_enter(self, name: str) -> bool:
        return not self.workers[name].entered and self.removed(self._successors[name])

    def _fund(self) -> None:
        payers = [worker.payer.public for worker in self.workers.values()]
        planters = [planter.keys.public for planter in self.planters]
        for account in (*self.names().values(), *payers, *planters):
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
            for planter in self.planters:
                planter.on_event(event)

    def _count(self, event: Event) -> None:
        self.events[event.name] += 1
        if event.name in ("AuditDrawn", "ReviewFiled"):
            self._open.add(event.fields["audit"])
        if event.name == "ReviewFiled":
            self._reviews.add(event.fields["audit"])
        elif event.name == "ReviewVoid":
            self._open.discard(event.fields["audit"])
        elif event.name == "Decided":
            self._decided(event.fields["audit"], event.fields["worker"], event.fields["verdict"].name)

    def _decided(self, audit: int, worker: bytes, verdict: str) -> None:
        self._open.discard(audit)
        if audit not in self._reviews:
            self.verdicts.setdefault(worker, Counter())[verdict] += 1
