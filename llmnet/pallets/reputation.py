"""Reputation by worker, domain and axis (`runtime_spec/pallets/reputation`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from llmnet.chain import Variant, View

from ._convert import enum_from_chain, variant_name

PALLET = "Reputation"
MILLION = 1_000_000
ONE = 1 << 16  # the chain counts good and bad work in Q16.16


class Axis(IntEnum):
    """What is rated: verdicts make integrity, ratings make quality."""

    INTEGRITY = 0
    QUALITY = 1


@dataclass(frozen=True, slots=True)
class Score:
    """A worker's record: decayed sums of good and bad work, each answer at most 1, and the score, 0 to 1."""

    good: float
    bad: float
    score: float


async def score(view: View, worker: bytes, domain: int, axis: Axis) -> float:
    """`(r + 1) / (r + s + 2)`, 0 to 1; one half for who has no record."""
    _, _, parts = await view.view_function(
        PALLET, "score", worker=worker, domain=domain, axis=Variant(variant_name(axis))
    )
    return int(parts) / MILLION


async def scores(view: View, worker: bytes) -> dict[tuple[int, Axis], Score]:
    """All records of a worker by domain and axis; what is missing has no record yet."""
    listed = await view.view_function(PALLET, "scores", worker=worker)
    return {
        (domain, enum_from_chain(Axis, axis)): Score(good / ONE, bad / ONE, parts / MILLION)
        for domain, axis, good, bad, parts in listed
    }
