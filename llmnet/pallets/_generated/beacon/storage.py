# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Beacon`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageMap,
    StorageValue,
)

from .. import types as t

Shares: StorageValue[dict[t.AccountId32, t.Share]] = StorageValue(
    Entry("Beacon", "Shares", "635b548db566a084", "BTreeMap", t.TYPES)
)
"""What the validators gave to the running round."""

Values: StorageMap[int, t.H256 | None] = StorageMap(
    Entry("Beacon", "Values", "90d3e9b0e0fff3a6", "(Twox64Concat u32) -> H256?", t.TYPES)
)
"""The values of the last `KeptRounds` finished rounds."""
