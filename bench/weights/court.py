"""A chain on which an audit is under way: its parties, its batch, and the audit at the stage that a case asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.weights import answers
from bench.weights.cases_market import ESCROW, OFFERS, SESSION, domains, earning, offering, session, spec
from bench.weights.cases_roles import bonded, listed
from bench.weights.lab import Lab
from bench.weights.scene import UNIT, Scene
from llmnet import proof
from llmnet.chain import Keypair, Variant
from llmnet.proof import Leaf, PlacedSegment, Receipt, Segment

AUDIT = 77
REVIEW = 78  # a review of it
SALT = b"\7" * 32
SEED = b"\x08" * 32  # of the audit
BOND = 100 * UNIT
ANSWER_PRICE = UNIT
SEGMENTS = 256
RECEIPTS = 640  # of a batch
CALM = {"position": 0, "margin": 0}
GUILTY = {"position": 5_000, "margin": 5_000}  # one failure more and the worker is slashed
_FULL = 255  # entries of an agenda with room for one more


def worker_state(evidence: dict[str, int], *, removed: bool = False) -> dict[str, Any]:
    """What audits have found of the worker so far."""
    counts = {"probation": 0, "clean": 5, "passed": 50, "failed": 2, "abstained": 0}
    return {"evidence": evidence, **counts, "removed": removed}


@dataclass
class Court(Scene):
    """The parties and their money. The worker has all the offers, scores and earnings that it can have."""

    lab: Lab
    evidence: dict[str, int] = field(default_factory=lambda: GUILTY)
    removed: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.lab.stage)
        self.worker, self.requester = self.lab.cast("worker"), self.lab.cast("requester")
        self.owner = self.lab.cast("owner")
        self.validators = self.lab.cast.validators
        listed(self, self.validators)
        for validator in self.validators[:8]:
            bonded(self, validator, "Validator", owner=proof.blake2b_256(validator.public))
        bonded(self, self.worker, "Worker", owner=self.owner.public)
        bonded(self, self.requester, "Worker")
        for who in (self.worker.public, self.owner.public):
            self.put("Staking", "Strikes", (who,), {"count": 1, "until": 2})
        self.put("SpotChecks", "StrikesServed", (self.worker.public,), 1)
        self.put(
            "SpotChecks", "Workers", (self.worker.public,), worker_state(self.evidence, removed=self.removed)
        )
        self.put("SpotChecks", "DriftSeen", (self.owner.public,), (1, 1))
        self.put("SpotChecks", "NextAudit", (), 1_000)
        self.put("SpotChecks", "PlantTally", (), {"audits": 10_000, "plants": 0})
        self.put("SpotChecks", "PlanterSet", (), [self.requester.public] * 16)
        self._market()
        self._agendas()

    def _market(self) -> None:
        domains(self, 256)
        offering(self, self.worker, OFFERS)
        session(self, self.worker.public, self.requester.public)
        earning(self, self.worker.public)
        for domain in range(256):
            key = (domain, Variant("Integrity"))
            self.put("Reputation", "Scores", (self.worker.public, key), {"r": 1 << 20, "s": 1 << 20})
            self.put("Reputation", "AveragePrices", (key,), UNIT)

    def _agendas(self) -> None:
        """Wherever this block puts a task, there is room for one."""
        later = ("ReceiptPeriod", "ReferencePeriod", "LeavesPeriod", "RevealPeriod", "VerdictRetention")
        tasks = [Variant("PruneBatch", (bytes(32), number)) for number in range(_FULL - 1)]
        for period in later:
            block = self.number + self.stage.constant("SpotChecks", period)
            self.put("SpotChecks", "Agenda", (block,), tasks)

    def replaced_scores(self) -> None:
        """A slash that can be taken back: the scores that it has replaced, what it took."""
        for domain in range(256):
            key = (domain, Variant("Integrity"))
            self.put("Reputation", "Replaced", (self.worker.public, key), {"r": 1 << 20, "s": 1 << 20})
        slash = {"to_treasury": 10 * UNIT, "forfeited": 10 * UNIT}
        self.put("SpotChecks", "Slashes", (self.worker.public,), slash)
        self.put("Sessions", "Barred", (self.worker.public,), ())
        bond = {"role": Variant("Worker"), "stake": 1_000 * UNIT, "owner": self.owner.public, "since": 1}
        self.put("Staking", "Bonds", (self.worker.public,), {**bond, "unbonding_at": 50_000, "removed": True})

    def batch(self, root: bytes = b"\1" * 32, state: str = "Drawn", **changed: Any) -> None:
        """The batch of the last epoch, with one audit open."""
        record = {
            "root": root,
            "segments": SEGMENTS,
            "receipts": RECEIPTS,
            "amount": ESCROW,
            "round": self.round - 2,
            "state": Variant(state),
            "drawn": 1,
            "pending": 1,
            **changed,
        }
        self.put("SpotChecks", "Batches", (self.worker.public, self.epoch - 1), record)

    def audit(
        self,
        stage: str,
        panel: Sequence[Keypair],
        *,
        number: int = AUDIT,
        receipt: Receipt | None = None,
        committed: Sequence[Any] = (),
        revealed: int = 0,
        outcome: dict[str, Any] | None = None,
        **changed: Any,
    ) -> None:
        """The audit. `committed`: what the first members committed to, of whom `revealed` have revealed."""
        answer = None
        if receipt is not None:
            answer = {
                "receipt": {name: getattr(receipt, name) for name in Receipt.__slots__}
                | {"finish": Variant("Length")},
                "requester": self.requester.public,
                "spec": spec(0).id,
                "domain": 3,
                "price": ANSWER_PRICE,
                "request_seed": answers.SEED,
            }
        members = [
            {
                "validator": keys.public,
                "commitment": committed[place] if place < len(committed) else None,
                "revealed": place < revealed,
            }
            for place, keys in enumerate(panel)
        ]
        record = {
            "worker": self.worker.public,
            "epoch": self.epoch - 1,
            "ordinal": 0,
            "segment": 0,
            "session": SESSION,
            "index": 0,
            "mean_price": ANSWER_PRICE,
            "seed": SEED,
            "stage": Variant(stage),
            "deadline": self.number + 5,
            "panel": members,
            "answer": answer,
            "outcome": outcome,
            **changed,
        }
        self.put("SpotChecks", "Audits", (number,), record)
        self.put("SpotChecks", "AuditOf", ((SESSION, 0),), AUDIT)
        self.put("SpotChecks", "OfWorker", (self.worker.public, number), ())
        for keys in panel:
            self.put("SpotChecks", "OfValidator", (keys.public, number), ())

    def outcome(self, verdict: str, reason: str, number: int = AUDIT) -> dict[str, Any]:
        """A verdict of a moment ago."""
        return {
            "audit": number,
            "verdict": Variant(verdict),
            "reason": Variant(reason),
            "evidence": {"position": 3_072, "margin": 3_072},
            "total": GUILTY,
            "block": self.number - 1,
        }

    def record(self, accepted: Sequence[Keypair]) -> None:
        """What is remembered of the audit for its reviews."""
        found = {
            "accepted": [keys.public for keys in accepted],
            "to_treasury": UNIT,
            "prior": worker_state(CALM),
            "rejected": [(self.validators[8].public, UNIT)],
            "bounty": UNIT,
        }
        self.put("SpotChecks", "Records", (AUDIT,), found)

    def review(self, kind: str, by: Keypair, exceptions: Sequence[int] = ()) -> None:
        """A review of the audit, under way."""
        found = {
            "kind": Variant(kind),
            "of": AUDIT,
            "by": by.public,
            "bond": BOND,
            "exceptions": list(exceptions),
        }
        self.put("SpotChecks", "Reviews", (REVIEW,), found)
        self.put("SpotChecks", "ReviewOf", (AUDIT, by.public), REVIEW)

    def references(self, number: int, panel: Sequence[Keypair], revealed: Sequence[Sequence[Leaf]]) -> None:
        """The references that the first members have revealed."""
        for keys, leaves in zip(panel, revealed, strict=False):
            self.put("SpotChecks", "References", (number, keys.public), [plain_leaf(one) for one in leaves])


def commitments(number: int, panel: Sequence[Keypair], references: Sequence[Sequence[Leaf]]) -> list[Variant]:
    """What each member has committed to."""
    return [
        Variant("Reference", proof.reference_commitment(number, keys.public, leaves, SALT))
        for keys, leaves in zip(panel, references, strict=True)
    ]


def plain_leaf(one: Leaf) -> dict[str, Any]:
    """A leaf as storage has it."""
    return {
        "position": one.position,
        "token": one.token,
        "candidates": [{"id": c.id, "logprob": c.logprob} for c in one.candidates],
        "logit_sketch": list(one.logit_sketch),
        "hidden_sketch": list(one.hidden_sketch),
    }


def sealed_answer(
    found: Receipt, segments: int = SEGMENTS
) -> tuple[bytes, PlacedSegment, list[bytes], list[bytes]]:
    """The deepest trees that may hold a receipt: batch root, segment, its proof and the receipt's."""
    count = RECEIPTS - segments + 1
    receipts_root, receipt_path = answers.opened(count, [0], [found.encode()])
    segment = Segment(SESSION, 0, count - 1, receipts_root, ESCROW)
    placed = PlacedSegment(0, segment)
    root, segment_path = answers.opened(segments, [0], [placed.encode()])
    return root, placed, segment_path, receipt_path
