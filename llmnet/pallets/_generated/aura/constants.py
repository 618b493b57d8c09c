# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Aura`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

SlotDuration: ConstantEntry[int] = ConstantEntry(
    Entry("Aura", "SlotDuration", "2d8322711f04e6a6", "u64", t.TYPES)
)
"""The slot duration Aura should run with, expressed in milliseconds.

The effective value of this type can be changed with a runtime upgrade.

For backwards compatibility either use `MinimumPeriodTimesTwo` or a const.
"""
