# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Timestamp`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

MinimumPeriod: ConstantEntry[int] = ConstantEntry(
    Entry("Timestamp", "MinimumPeriod", "2d8322711f04e6a6", "u64", t.TYPES)
)
"""The minimum period between blocks.

Be aware that this is different to the *expected* period that the block production apparatus
provides. Your chosen consensus system will generally work with this to determine a sensible block
time. For example, in the Aura pallet it will be double this period on default settings.
"""
