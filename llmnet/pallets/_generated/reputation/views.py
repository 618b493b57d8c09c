# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""View functions of the pallet `Reputation`."""

from __future__ import annotations

from llmnet.chain import Entry, View, ViewFunction

from .. import types as t

_SCORE: ViewFunction[tuple[int, int, int]] = ViewFunction(
    Entry(
        "Reputation",
        "score",
        "53404a055f4bde58",
        "(worker: AccountId32, domain: u32, axis: Axis) -> (u64, u64, u32)",
        t.TYPES,
    )
)


async def score(view: View, worker: t.AccountId32, domain: int, axis: t.Axis) -> tuple[int, int, int]:
    """`r` and `s` in Q16.16 and the score in parts per million; zeros and half a million without a record."""
    return await view.ask(_SCORE, {"worker": worker, "domain": domain, "axis": axis})


_SCORES: ViewFunction[tuple[tuple[int, t.Axis, int, int, int], ...]] = ViewFunction(
    Entry(
        "Reputation",
        "scores",
        "03f0182fc4e79dda",
        "(worker: AccountId32) -> Vec<(u32, Axis, u64, u64, u32)>",
        t.TYPES,
    )
)


async def scores(view: View, worker: t.AccountId32) -> tuple[tuple[int, t.Axis, int, int, int], ...]:
    """All records of a worker: domain, axis, `r`, `s`, parts per million; by domain, then axis."""
    return await view.ask(_SCORES, {"worker": worker})
