"""Reputation by worker, domain and axis (`runtime_spec/pallets/reputation`)."""

from __future__ import annotations

from enum import IntEnum

from llmnet.chain import Variant, View

from ._convert import variant_name

PALLET = "Reputation"
MILLION = 1_000_000


class Axis(IntEnum):
    """What is rated: verdicts make integrity, ratings make quality."""

    INTEGRITY = 0
    QUALITY = 1


async def score(view: View, worker: bytes, domain: int, axis: Axis) -> float:
    """`(r + 1) / (r + s + 2)`, 0 to 1; one half for who has no record."""
    _, _, parts = await view.view_function(
        PALLET, "score", worker=worker, domain=domain, axis=Variant(variant_name(axis))
    )
    return int(parts) / MILLION
