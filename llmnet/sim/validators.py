"""Validators of a simulation, from the one that looks to those that would rather not."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from llmnet import proof
from llmnet.chain import Event, Keypair, Variant
from llmnet.pallets import spot_checks, staking
from llmnet.pallets.staking import StakeRole
from llmnet.proof import Leaf
from llmnet.proof.scoring import exception_misses
from llmnet.sim.answers import SPEC, Answer, shifted
from llmnet.sim.world import UNIT, World

STAKE = 200 * UNIT
LIE = 40  # lane steps: far outside every threshold

Find = Callable[[int, int], Answer | None]
"""The answer of (session, index), as the worker hands it to the panel; None if it hands out nothing."""
Look = Callable[["Validator", Answer], list[Leaf] | None]
"""The leaves a validator claims to have computed; None for a report that the data was withheld."""


def honest(validator: Validator, answer: Answer) -> list[Leaf]:
    """Runs the reference model."""
    validator.runs += 1
    return list(answer.reference)


def made_up(validator: Validator, answer: Answer) -> list[Leaf]:
    """Saves the run and invents lanes around zero."""
    lanes = tuple(validator.rng.randint(-3, 3) for _ in range(proof.LANES))
    return [Leaf(leaf.position, leaf.token, leaf.candidates, lanes, lanes) for leaf in answer.reference]


def withheld(validator: Validator, answer: Answer) -> None:
    """Reports that the worker refused the data, which it did not."""


def copying(_: Validator, answer: Answer) -> list[Leaf]:
    """Saves the run and hands in the leaves that the worker is glad to give to whoever asks."""
    return list(answer.leaves)


def inventing_together(_: Validator, answer: Answer) -> list[Leaf]:
    """Saves the run; everybody in the ring invents the same."""
    rng = random.Random(answer.receipt.transcript_root)
    lanes = tuple(rng.randint(-3, 3) for _ in range(proof.LANES))
    return [Leaf(leaf.position, leaf.token, leaf.candidates, lanes, lanes) for leaf in answer.reference]


def in_league(friends: Collection[bytes]) -> Look:
    """Hands in what friendly workers send it, so that whatever they sold agrees; looks at everybody else's answers."""

    def look(validator: Validator, answer: Answer) -> list[Leaf]:
        owner = validator.owner_of(answer)
        return list(answer.leaves) if owner in friends else honest(validator, answer)

    return look


def framing(victims: Collection[bytes]) -> Look:
    """Lies about some workers, so that honest answers look wrong."""

    def look(validator: Validator, answer: Answer) -> list[Leaf]:
        leaves = honest(validator, answer)
        return shifted(tuple(leaves), LIE) if validator.owner_of(answer) in victims else leaves

    return look


@dataclass
class Validator:
    """One validator. `acts`, `reveals`: whether it commits and reveals at all. `runs` counts reference runs.

    `challenges`: whether it looks at the tokens between the drawn positions too, where its reference run covers them, and
    puts its bond on a passed answer that misses the margin at enough of them."""

    world: World
    keys: Keypair
    find: Find
    rng: random.Random
    look: Look = honest
    acts: bool = True
    reveals: bool = True
    challenges: bool = True
    stake: int = STAKE
    runs: int = 0
    audits: int = 0
    _workers: dict[int, bytes] = field(default_factory=dict)
    _panels: dict[int, bytes] = field(default_factory=dict)
    _looked: dict[int, tuple[Answer, list[Leaf], list[int]]] = field(default_factory=dict)
    _reviews: set[int] = field(default_factory=set)
    _owners: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _committed: dict[int, tuple[list[Leaf], bytes]] = field(default_factory=dict)
    _positions: dict[int, list[int]] = field(default_factory=dict)

    def begin(self) -> None:
        """Bond in the next block."""
        self.world.post(staking.bond(StakeRole.VALIDATOR, self.stake), self.keys)

    def owner_of(self, answer: Answer) -> bytes:
        """The worker that sold an answer which this validator looks at."""
        return self._owners[answer.receipt.session, answer.receipt.index]

    def on_event(self, event: Event) -> None:
        """Do what an event asks of it, in the next block."""
        handler = _HANDLERS.get((event.pallet, event.name))
        if handler is not None:
            handler(self, event.fields)

    def _on_drawn(self, fields: Mapping[str, object]) -> None:
        worker = fields["worker"]
        assert isinstance(worker, bytes)
        self._workers[_number(fields["audit"])] = worker
        self._sit(_number(fields["audit"]), worker, fields["panel"])

    def _on_review(self, fields: Mapping[str, object]) -> None:
        audit, of = _number(fields["audit"]), _number(fields["of"])
        self._workers[audit] = self._workers[of]
        self._reviews.add(audit)
        self._sit(audit, self._workers[of], fields["panel"])

    def _sit(self, audit: int, worker: bytes, panel: object) -> None:
        assert isinstance(panel, (list, tuple))
        if self.keys.public in panel:
            self._panels[audit] = worker
            self.audits += 1

    def _on_receipt_opened(self, fields: Mapping[str, object]) -> None:
        audit = _number(fields["audit"])
        if audit not in self._panels or not self.acts:
            return
        place = _number(fields["session"]), _number(fields["index"])
        self._owners[place] = self._panels[audit]
        answer = self.find(*place)
        leaves = None if answer is None else self.look(self, answer)
        if answer is None or leaves is None:
            self.world.post(spot_checks.report_withheld(audit), self.keys, _crossed)
            return
        positions = fields["positions"]
        assert isinstance(positions, (list, tuple))
        self._looked[audit] = answer, leaves, list(positions)
        chosen, salt = [leaves[at] for at in positions], self.rng.randbytes(32)
        self._committed[audit] = chosen, salt
        commitment = proof.reference_commitment(audit, self.keys.public, chosen, salt)
        self.world.post(spot_checks.commit_reference(audit, commitment), self.keys, _crossed)

    def _on_leaves_opened(self, fields: Mapping[str, object]) -> None:
        audit = _number(fields["audit"])
        if self.reveals and audit in self._committed:
            self.world.post(spot_checks.reveal_reference(audit, *self._committed[audit]), self.keys, _crossed)

    def _on_decided(self, fields: Mapping[str, object]) -> None:
        audit, verdict = _number(fields["audit"]), fields["verdict"]
        looked = self._looked.pop(audit, None)
        if (
            looked is None
            or audit in self._reviews
            or not self.challenges
            or not isinstance(verdict, Variant)
        ):
            return
        exceptions, undrawn = _exceptions(*looked), looked[0].receipt.n_out - len(looked[2])
        enough = exception_misses(_number(fields["margin_evidence"]), undrawn)
        if verdict.name == "Passed" and len(exceptions) >= enough:
            call = spot_checks.challenge(audit, exceptions[: spot_checks.MAX_EXCEPTIONS])
            self.world.post(call, self.keys, _crossed_challenge)


def _exceptions(answer: Answer, leaves: Sequence[Leaf], drawn: Collection[int]) -> list[int]:
    """Positions between the drawn ones whose delivered token the reference would not have sampled."""
    tolerated = 1 << 16  # a nat: far more than any class allows
    found = []
    for place, (sold, mine) in enumerate(zip(answer.leaves, leaves, strict=True)):
        short = proof.deficit(sold, mine, SPEC, bytes(32), answer.receipt.temperature)
        if place not in drawn and short is not None and short > tolerated:
            found.append(place)
    return found


def _crossed_challenge(error: str) -> None:
    """Another member of the panel was first, or the worker is gone."""
    if error not in ("NotReviewable", "WorkerRemoved", "NotOnPanel", "FundsUnavailable"):
        raise AssertionError(f"a challenge was refused: {error}")


def _crossed(error: str) -> None:
    """An audit may end in the block in which a call for it was made: its worker was removed, or a quorum has decided."""
    if error not in ("WorkerRemoved", "WrongStage", "UnknownAudit"):
        raise AssertionError(f"a validator's call was refused: {error}")


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


_HANDLERS: dict[tuple[str, str], Callable[[Validator, Mapping[str, object]], None]] = {
    ("SpotChecks", "AuditDrawn"): Validator._on_drawn,
    ("SpotChecks", "ReceiptOpened"): Validator._on_receipt_opened,
    ("SpotChecks", "LeavesOpened"): Validator._on_leaves_opened,
    ("SpotChecks", "ReviewBegun"): Validator._on_review,
    ("SpotChecks", "Decided"): Validator._on_decided,
}
