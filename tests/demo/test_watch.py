from __future__ import annotations

from typing import Any

from llmnet.chain import Event, Variant
from llmnet.demo.report import WorkerResult
from llmnet.demo.watch import Watcher

GOOD, BAD, STRANGER = b"\1" * 32, b"\2" * 32, b"\3" * 32


def _event(name: str, pallet: str = "SpotChecks", **fields: Any) -> Event:
    return Event(7, bytes(32), None, pallet, name, dict(fields))


def _decided(worker: bytes, verdict: str = "Passed", reason: str = "Clean", total: int = 0) -> Event:
    numbers: dict[str, Any] = {
        "position_evidence": 5,
        "margin_evidence": -3,
        "position_total": total,
        "margin_total": 1,
    }
    return _event(
        "Decided", audit=4, worker=worker, verdict=Variant(verdict), reason=Variant(reason), **numbers
    )


def _watcher() -> Watcher:
    return Watcher({GOOD: WorkerResult("Good", "honest"), BAD: WorkerResult("Bad", "int8")})


def test_verdicts_become_points() -> None:
    watcher = _watcher()
    assert watcher.take(_event("AuditDrawn", audit=4, worker=GOOD)) == "audit 4 drawn: an answer of Good"
    assert watcher.open_audits == {4: GOOD}
    assert watcher.take(_decided(GOOD, "Failed", "Token", 3072)) == "audit 4: Good failed (Token)"
    assert watcher.open_audits == {}
    [point] = watcher.workers[GOOD].points
    assert (point.block, point.verdict, point.reason) == (7, "Failed", "Token")
    assert (point.position, point.margin, point.position_total, point.margin_total) == (5, -3, 3072, 1)


def test_money_is_summed_by_worker() -> None:
    watcher = _watcher()
    for amount in (3, 4):
        watcher.take(_event("WorkerFined", worker=BAD, amount=amount))
        watcher.take(_event("Cleared", "Sessions", worker=GOOD, amount=amount))
    line = watcher.take(_event("WorkerSlashed", worker=BAD, amount=9))
    assert line == "Bad SLASHED and removed"
    assert (watcher.workers[BAD].fined, watcher.workers[BAD].slashed, watcher.workers[GOOD].earned) == (
        7,
        9,
        7,
    )
    assert watcher.take(_event("Cleared", "Sessions", worker=GOOD, amount=0)) is None


def test_others_are_named_but_not_counted() -> None:
    watcher = _watcher()
    for event in (
        _decided(STRANGER),
        _event("WorkerFined", worker=STRANGER, amount=1),
        _event("WorkerSlashed", worker=STRANGER, amount=1),
    ):
        assert "0x03030303" in (watcher.take(event) or "")
    assert watcher.take(_event("Cleared", "Sessions", worker=STRANGER, amount=1)) is None
    assert all(not worker.points and not worker.fined for worker in watcher.workers.values())


def test_every_other_event_is_passed_over() -> None:
    watcher = _watcher()
    assert watcher.take(_event("Deposit", "Balances", who=GOOD, amount=1)) is None
    assert "committed 3" in (watcher.take(_event("BatchCommitted", worker=GOOD, receipts=3)) or "")
    assert "NoPanel" in (watcher.take(_event("AuditSkipped", worker=GOOD, reason=Variant("NoPanel"))) or "")
    assert "out of band" in (watcher.take(_event("ReferenceRejected", audit=1, validator=GOOD)) or "")


def test_it_is_over_when_everybody_has_had_their_due() -> None:
    watcher = _watcher()
    watcher.take(_event("WorkerSlashed", worker=BAD, amount=9))
    watcher.take(_decided(GOOD))
    assert not watcher.finished(1)  # audited, but not paid
    watcher.take(_event("Cleared", "Sessions", worker=GOOD, amount=1))
    assert watcher.finished(1)
    assert not watcher.finished(2)  # one audit is missing
    assert not _watcher().finished(0)
