"""Outcomes of the demo as they may come."""

from __future__ import annotations

from dataclasses import replace

from llmnet.demo.report import Outcome, Point, WorkerResult

PASSED = Point(20, "Passed", "Clean", -64, -13, 0, 0)
FAILED = Point(30, "Failed", "Positions", 3072, 0, 6144, 0)


def honest() -> WorkerResult:
    return WorkerResult("Worker1", "honest", answers=2, earned=5, integrity=0.7, points=[PASSED, PASSED])


def cheat() -> WorkerResult:
    return WorkerResult("Worker2", "int8", answers=2, fined=3, slashed=9, integrity=0.1, points=[FAILED])


def outcome(*workers: WorkerResult, **changes: object) -> Outcome:
    """A good outcome, with changes."""
    good = Outcome(list(workers) or [honest(), cheat()], 1000, 1000, held_ok=True, seed=1, seconds=12.34)
    return replace(good, **changes)  # type: ignore[arg-type]
