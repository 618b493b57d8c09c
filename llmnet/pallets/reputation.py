"""Reputation by worker, domain and axis (`runtime_spec/pallets/reputation`)."""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.chain import View

from ._generated.reputation import events, storage, views
from ._generated.types import Axis

MILLION = 1_000_000
ONE = 1 << 16  # the chain counts good and bad work in Q16.16


@dataclass(frozen=True, slots=True)
class Score:
    """A worker's record: decayed sums of good and bad work, each answer at most 1, and the score, 0 to 1."""

    good: float
    bad: float
    score: float


async def score(view: View, worker: bytes, domain: int, axis: Axis) -> float:
    """`(r + 1) / (r + s + 2)`, 0 to 1; one half for who has no record."""
    _, _, parts = await views.score(view, worker, domain, axis)
    return parts / MILLION


async def scores(view: View, worker: bytes) -> dict[tuple[int, Axis], Score]:
    """All records of a worker by domain and axis; what is missing has no record yet."""
    listed = await views.scores(view, worker)
    return {
        (domain, axis): Score(good / ONE, bad / ONE, parts / MILLION)
        for domain, axis, good, bad, parts in listed
    }


__all__ = [
    "Axis",
    "Score",
    "events",
    "score",
    "scores",
    "storage",
]
