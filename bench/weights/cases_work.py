"""Spot checks: what a block does by itself."""

from __future__ import annotations

from bench.weights import answers
from bench.weights.cases_audits import FAR, judged
from bench.weights.cases_market import SESSION, TASKS
from bench.weights.court import AUDIT, BOND, CALM, GUILTY, Court
from bench.weights.lab import Lab, Piece, Sent, dearest, work
from bench.weights.measure import Measured
from bench.weights.scene import UNIT
from llmnet import proof
from llmnet.chain import Variant
from llmnet.pallets import spot_checks


def _quiet(lab: Lab) -> Court:
    """A block in which nothing is due."""
    return Court(lab, CALM)


def _guilty(lab: Lab) -> Court:
    return Court(lab, GUILTY)


def _frozen(lab: Lab, _: int) -> Court:
    court = Court(lab, CALM)
    watch = {"period": 1, "audited": 9, "drifting": 3, "audited_before": 9, "frozen_until": 2}
    court.put("SpotChecks", "DriftWatch", (), watch)
    return court


def _thaw_by_root(lab: Lab, _: int) -> Sent:
    return _frozen(lab, 0), spot_checks.thaw(), lab.cast.root


def _thaw(lab: Lab, _: int) -> Measured:
    return dearest([lab.call(_thaw_by_root(lab, 0)), lab.idle(_frozen(lab, 0), _quiet(lab))])


def _agenda_block(lab: Lab, _: int) -> Court:
    court = Court(lab, CALM)
    court.put("SpotChecks", "AgendaCursor", (), court.number + 1 - TASKS)
    return court


def _due(court: Court, tasks: list[Variant]) -> Court:
    court.put("SpotChecks", "AgendaCursor", (), court.number)
    court.put("SpotChecks", "Agenda", (court.number,), tasks)
    return court


def _deadline(lab: Lab, _: int) -> Court:
    """Of revealing: two of five are silent and fined, the others' references fail the worker, who is slashed."""
    court = Court(lab, GUILTY)
    court.batch()
    judged(court, AUDIT, court.validators[:5], offset=FAR, revealed=3)
    # The deadline has passed.
    entry = court.stage.runtime.storage("SpotChecks", "Audits")
    key = court.stage.runtime.storage_key(entry, (AUDIT,))
    audit = court.stage.runtime.storage_value(entry, court.read(key))
    court.put("SpotChecks", "Audits", (AUDIT,), {**audit, "deadline": court.number - 1})
    return _due(court, [Variant("Deadline", AUDIT)])


def _prune_audit(lab: Lab, _: int) -> Court:
    court = Court(lab, CALM)
    receipt = answers.receipt(SESSION, 0, b"\1" * 32)
    for number in range(AUDIT, AUDIT + TASKS):
        court.audit(
            "Decided",
            court.validators[:5],
            number=number,
            receipt=receipt,
            outcome=court.outcome("Passed", "Clean", number),
            index=number,
        )
        court.put("SpotChecks", "AuditOf", ((SESSION, number),), number)
        review = {"kind": Variant("Appeal"), "of": 500 + number, "by": court.worker.public, "bond": 0}
        court.put("SpotChecks", "Reviews", (number,), {**review, "exceptions": list(range(16))})
        court.put("SpotChecks", "ReviewOf", (500 + number, court.worker.public), number)
        accepted = [keys.public for keys in court.validators[:5]]
        prior = {"probation": 0, "clean": 0, "passed": 0, "failed": 0, "abstained": 0, "removed": False}
        record = {"accepted": accepted, "to_treasury": UNIT, "prior": {"evidence": CALM, **prior}}
        record |= {"rejected": [(keys.public, UNIT) for keys in court.validators[:2]], "bounty": UNIT}
        court.put("SpotChecks", "Records", (number,), record)
    return _due(court, [Variant("PruneAudit", number) for number in range(AUDIT, AUDIT + TASKS)])


def _prune_batch(lab: Lab, _: int) -> Court:
    court, tasks = Court(lab, CALM), []
    for number in range(TASKS):
        worker = proof.blake2b_256(bytes([number]))
        batch = {"root": b"\1" * 32, "segments": 1, "receipts": 1, "amount": UNIT, "round": 1}
        state = {"state": Variant("Settled"), "drawn": 1, "pending": 0}
        court.put("SpotChecks", "Batches", (worker, 1), {**batch, **state})
        tasks.append(Variant("PruneBatch", (worker, 1)))
    return _due(court, tasks)


def _prune_plant(lab: Lab, _: int) -> Court:
    court, tasks = Court(lab, CALM), []
    for number in range(TASKS):
        commitment, planter = (proof.blake2b_256(bytes([number, part])) for part in range(2))
        court.put("SpotChecks", "Plants", (commitment,), {"planter": planter, "round": 1})
        court.put("SpotChecks", "PlantsOf", (planter,), 31)
        tasks.append(Variant("PrunePlant", commitment))
    return _due(court, tasks)


def _next_draw(lab: Lab, _: int) -> Court:
    court = Court(lab, CALM)
    court.put("SpotChecks", "DrawRound", (), court.round - 1 - TASKS)
    return court


def drawable(lab: Lab, audits: int) -> Court:
    """A batch of as many segments as there may be, of which `audits` answers will be drawn, and 64 validators."""
    court = Court(lab, CALM)
    state = {"evidence": CALM, "probation": 100, "clean": 0, "passed": 0, "failed": 1, "abstained": 0}
    court.put("SpotChecks", "Workers", (court.worker.public,), {**state, "removed": False})
    court.batch(state="Sealed", receipts=audits, drawn=0, pending=0)
    spans = [{"start": n, "session": SESSION + n, "first": 0, "mean_price": UNIT} for n in range(256)]
    court.put("SpotChecks", "BatchSpans", (court.worker.public, court.epoch - 1), spans)
    court.put("SpotChecks", "DrawRound", (), court.round - 2)
    court.put("SpotChecks", "Undrawn", (court.round - 2, (court.worker.public, court.epoch - 1)), ())
    court.put("Beacon", "Values", (court.round - 1,), b"\5" * 32)
    return court


def _reviewed(lab: Lab, _: int) -> Court:
    """An appeal whose panel is drawn."""
    court = Court(lab, CALM)
    receipt = answers.receipt(SESSION, 0, b"\1" * 32)
    court.audit(
        "Decided", court.validators[:5], receipt=receipt, outcome=court.outcome("Failed", "Positions")
    )
    review = {"kind": Variant("Appeal"), "of": AUDIT, "by": court.worker.public, "bond": BOND}
    court.put("SpotChecks", "Reviews", (AUDIT + 1,), {**review, "exceptions": list(range(16))})
    court.put("SpotChecks", "DrawRound", (), court.round - 2)
    court.put("SpotChecks", "UndrawnReviews", (court.round - 2, AUDIT + 1), ())
    court.put("Beacon", "Values", (court.round - 1,), b"\5" * 32)
    return court


PIECES: tuple[Piece, ...] = (
    # Every block is charged for it, whether or not there is something to thaw.
    Piece("spot_checks", "thaw", "`thaw`, or finding out whether it is time.", _thaw, call=_thaw_by_root),
    work(
        "spot_checks",
        "agenda_block",
        "Taking up one block of the agenda.",
        _quiet,
        _agenda_block,
        count=TASKS,
    ),
    work("spot_checks", "deadline", "A passing deadline, verdict and slash included.", _guilty, _deadline),
    work("spot_checks", "prune_audit", "Forgetting an audit.", _quiet, _prune_audit, count=TASKS),
    work("spot_checks", "prune_batch", "Forgetting a batch.", _quiet, _prune_batch, count=TASKS),
    work("spot_checks", "prune_plant", "Forgetting a plant.", _quiet, _prune_plant, count=TASKS),
    work("spot_checks", "next_draw", "Looking for the next batch to draw.", _quiet, _next_draw, count=TASKS),
    work(
        "spot_checks",
        "draw_batch",
        "Drawing a batch with `n` audits, or a review.",
        _quiet,
        drawable,
        _reviewed,
        n=(1, 16, 32),
    ),
)
