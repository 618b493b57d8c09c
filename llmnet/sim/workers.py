"""Workers of a simulation: the protocol's duties are the same for all, what they sell and what they show is not."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from llmnet import proof
from llmnet.chain import Event, Keypair, Variant
from llmnet.pallets import registry, sessions, spot_checks, staking
from llmnet.pallets.staking import StakeRole
from llmnet.proof import PlacedSegment, Segment, Voucher
from llmnet.proof.scoring import is_alarming
from llmnet.sim.answers import SPEC, Answer, make_answer
from llmnet.sim.evidence import HONEST, Recorded
from llmnet.sim.world import UNIT, World

Choose = Callable[[random.Random], str]
"""Which kind of answer to sell next."""
STAKE = 200 * UNIT
DOUBTFUL = frozenset(reason.name.title() for reason in spot_checks.DOUBTFUL)
"""What can be appealed, as events name it."""


def always(kind: str) -> Choose:
    """Sell nothing else."""
    return lambda _: kind


def sometimes(kind: str, share: float) -> Choose:
    """Cheat with a fixed probability."""
    return lambda rng: kind if rng.random() < share else HONEST


def after(kind: str, first: int) -> Choose:
    """Sell `first` honest answers, which makes audits rare, and cheat from then on."""
    sold = itertools.count()
    return lambda _: kind if next(sold) >= first else HONEST


def appeals_when_honest(answer: Answer) -> bool:
    """An honest worker knows what it has computed."""
    return answer.kind == HONEST


@dataclass(frozen=True, slots=True)
class Terms:
    """What every answer of a simulation has in common. `price` in plancks; the prompt is priced at nothing."""

    recorded: Recorded
    price: int
    tokens: int = 24
    n_prompt: int = 32

    @property
    def price_out(self) -> int:
        """Plancks per 1,000 output tokens, so that an answer costs `price`."""
        return self.price * 1_000 // self.tokens


@dataclass
class Batch:
    """What was committed in one epoch."""

    placed: PlacedSegment
    answers: list[Answer]
    receipts: list[bytes]


@dataclass
class Worker:
    """One worker with one session. `opens` says whether it answers for a drawn answer (None: always), `appeals` whether it
    has another panel look at one that failed, and `sells` hears of each answer before it is committed."""

    world: World
    terms: Terms
    keys: Keypair
    payer: Keypair
    choose: Choose
    rng: random.Random
    opens: Callable[[Answer], bool] | None = None
    appeals: Callable[[Answer], bool] = appeals_when_honest
    sells: Callable[[Answer], None] | None = None
    sold: list[str] = field(default_factory=list)
    removed_at: int | None = None
    removals: int = 0
    entered: bool = False
    _session: int | None = None
    _seeded: bool = False
    _next: int = 0
    _paid: int = 0
    _batches: dict[int, Batch] = field(default_factory=dict)
    _pending: Batch | None = None
    _audits: dict[int, Answer] = field(default_factory=dict)
    _positions: dict[int, list[int]] = field(default_factory=dict)
    _reviews: set[int] = field(default_factory=set)

    @property
    def ready(self) -> bool:
        """Whether it can sell: its session has a seed and it was not removed."""
        return self._seeded and self.removed_at is None

    def begin(self) -> None:
        """Bond and put the offer into the next block."""
        self.entered = True
        self.world.post(staking.bond(StakeRole.WORKER, STAKE), self.keys)
        offer = registry.put_offer(
            SPEC.id, endpoint="http://127.0.0.1:1", price_in=0, price_out=self.terms.price_out
        )
        self.world.post(offer, self.keys)

    def open_session(self, escrow: int, blocks: int) -> None:
        """Its payer opens the session."""
        call = sessions.open(
            self.keys.public,
            SPEC.id,
            escrow=escrow,
            max_price_in=0,
            max_price_out=self.terms.price_out,
            expires_in=blocks,
        )
        self.world.post(call, self.payer)

    def sell(self, count: int) -> list[Answer]:
        """Make answers and put their commitment into the next block; claims what its payer's voucher says a block later."""
        assert self._session is not None
        answers = []
        for _ in range(count):
            kind = self.choose(self.rng)
            positions = self.terms.recorded.draw(kind, self.terms.tokens, self.rng)
            answers.append(
                make_answer(kind, positions, self._session, self._next, self.terms.n_prompt, self.rng)
            )
            self._next += 1
            self.sold.append(kind)
            if self.sells is not None:
                self.sells(answers[-1])
        receipts = [answer.receipt for answer in answers]
        price = sum(proof.price(r.n_prompt, r.n_out, 0, self.terms.price_out) for r in receipts)
        segment = Segment(
            self._session, receipts[0].index, receipts[-1].index, proof.receipts_root(receipts), price
        )
        (placed,) = proof.place_segments([segment])
        self._pending = Batch(placed, answers, [receipt.encode() for receipt in receipts])
        self._paid += price
        self.world.post(spot_checks.commit_batch([segment]), self.keys, self._late)
        return answers

    def claim(self) -> None:
        """Claim all that was promised so far."""
        assert self._session is not None
        voucher = Voucher(self._session, self._paid, self._next)
        payload = proof.signing_bytes("voucher", self.world.genesis_hash, voucher.encode())
        call = sessions.claim(self._session, self._paid, self._next, self.payer.sign(payload))
        self.world.post(call, self.keys, self._late)

    def _late(self, error: str) -> None:
        """Calls that cross its own removal fail, and claims of what it could not commit then; anything else is a fault of the
        simulation."""
        if self.removals == 0:
            raise AssertionError(f"a worker in good standing was refused: {error}")

    def on_event(self, event: Event) -> None:
        """Do what an event asks of it, in the next block."""
        handler = _HANDLERS.get((event.pallet, event.name))
        if handler is not None:
            handler(self, event.fields)

    def _on_opened(self, fields: Mapping[str, object]) -> None:
        if fields["worker"] == self.keys.public:
            self._session = _number(fields["session"])

    def _on_seeded(self, fields: Mapping[str, object]) -> None:
        self._seeded = self._seeded or fields["session"] == self._session

    def _on_committed(self, fields: Mapping[str, object]) -> None:
        if fields["worker"] == self.keys.public and self._pending is not None:
            self._batches[_number(fields["epoch"])] = self._pending
            self._pending = None

    def _on_drawn(self, fields: Mapping[str, object]) -> None:
        if fields["worker"] != self.keys.public:
            return
        batch = self._batches[_number(fields["epoch"])]
        place, audit = _number(fields["ordinal"]), _number(fields["audit"])
        answer = batch.answers[place]
        if self.opens is not None and not self.opens(answer):
            return
        self._audits[audit] = answer
        receipt_proof = proof.multiproof(batch.receipts, [place])
        call = spot_checks.open_receipt(audit, batch.placed, [], answer.receipt, receipt_proof)
        self.world.post(call, self.keys, self._late)

    def _on_receipt_opened(self, fields: Mapping[str, object]) -> None:
        positions = fields["positions"]
        if fields["audit"] in self._audits and isinstance(positions, Sequence):
            self._positions[_number(fields["audit"])] = [_number(position) for position in positions]

    def _on_leaves_due(self, fields: Mapping[str, object]) -> None:
        audit = _number(fields["audit"])
        if audit in self._audits:
            leaves, path = self._audits[audit].opening(self._positions[audit])
            self.world.post(spot_checks.open_leaves(audit, leaves, path), self.keys, self._late)

    def _on_decided(self, fields: Mapping[str, object]) -> None:
        """What a panel says can be appealed, once; what the chain has seen itself cannot."""
        audit = _number(fields["audit"])
        answer = self._audits.get(audit)
        if answer is None or audit in self._reviews:
            return
        if is_appealed(fields) and self.appeals(answer):
            self.world.post(spot_checks.appeal(audit), self.keys, _refused_appeal)

    def _on_review(self, fields: Mapping[str, object]) -> None:
        answer = self._audits.get(_number(fields["of"]))
        if answer is not None:
            self._audits[_number(fields["audit"])] = answer
            self._reviews.add(_number(fields["audit"]))

    def _on_readmitted(self, fields: Mapping[str, object]) -> None:
        if fields["worker"] == self.keys.public:
            self.removed_at = None

    def _on_removed(self, fields: Mapping[str, object]) -> None:
        if fields["worker"] == self.keys.public:
            self.removed_at = len(self.sold)
            self.removals += 1


def is_appealed(decided: Mapping[str, object]) -> bool:
    """Whether the daemon of an honest worker appeals this verdict: all that a panel has failed, and what passed with much
    against it when half of what is a slash is there."""
    reason = decided["reason"]
    assert isinstance(reason, Variant)
    said, total = _number(decided["position_evidence"]), _number(decided["position_total"])
    return reason.name in DOUBTFUL or (reason.name == "Clean" and is_alarming(said, total))


def _refused_appeal(error: str) -> None:
    """A slashed worker may have nothing left for a bond, and one whose epoch was long ago is late."""
    if error not in ("ReviewTooLate", "FundsUnavailable", "NotReviewable"):
        raise AssertionError(f"an appeal was refused: {error}")


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


_HANDLERS: dict[tuple[str, str], Callable[[Worker, Mapping[str, object]], None]] = {
    ("Sessions", "SessionOpened"): Worker._on_opened,
    ("Sessions", "Seeded"): Worker._on_seeded,
    ("SpotChecks", "BatchCommitted"): Worker._on_committed,
    ("SpotChecks", "AuditDrawn"): Worker._on_drawn,
    ("SpotChecks", "ReceiptOpened"): Worker._on_receipt_opened,
    ("SpotChecks", "LeavesDue"): Worker._on_leaves_due,
    ("SpotChecks", "Decided"): Worker._on_decided,
    ("SpotChecks", "ReviewBegun"): Worker._on_review,
    ("SpotChecks", "WorkerSlashed"): Worker._on_removed,
    ("SpotChecks", "SlashTakenBack"): Worker._on_readmitted,
    ("SpotChecks", "Readmitted"): Worker._on_readmitted,
}
