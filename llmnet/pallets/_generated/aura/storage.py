# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Aura`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageValue,
)

from .. import types as t

Authorities: StorageValue[tuple[t.Public, ...]] = StorageValue(
    Entry("Aura", "Authorities", "3d2dd07865f1e445", "Vec<Public>", t.TYPES)
)
"""The current authority set."""

CurrentSlot: StorageValue[t.Slot] = StorageValue(
    Entry("Aura", "CurrentSlot", "fb50c41f64e2a27b", "Slot", t.TYPES)
)
"""The current slot of this block.

This will be set in `on_initialize`.
"""
