# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Reputation`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageDoubleMap,
    StorageMap,
)

from .. import types as t

Scores: StorageDoubleMap[t.AccountId32, tuple[int, t.Axis], t.Score | None] = StorageDoubleMap(
    Entry(
        "Reputation",
        "Scores",
        "fc1c50f475338fca",
        "(Blake2_128Concat AccountId32, Twox64Concat (u32, Axis)) -> Score?",
        t.TYPES,
    )
)
"""The scores by worker, domain and axis."""

AveragePrices: StorageMap[tuple[int, t.Axis], int | None] = StorageMap(
    Entry("Reputation", "AveragePrices", "04126e2cb9c018a2", "(Twox64Concat (u32, Axis)) -> u128?", t.TYPES)
)
"""The moving average of the prices that counted, by domain and axis: one answer for integrity, a
session for quality.
"""

Replaced: StorageDoubleMap[t.AccountId32, tuple[int, t.Axis], t.Score | None] = StorageDoubleMap(
    Entry(
        "Reputation",
        "Replaced",
        "fc1c50f475338fca",
        "(Blake2_128Concat AccountId32, Twox64Concat (u32, Axis)) -> Score?",
        t.TYPES,
    )
)
"""The scores that slashes have replaced, until one is taken back."""
