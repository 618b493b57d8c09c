# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Registry`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

SpecDeposit: ConstantEntry[int] = ConstantEntry(
    Entry("Registry", "SpecDeposit", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""What is held for a registered spec."""

SpecRetention: ConstantEntry[int] = ConstantEntry(
    Entry("Registry", "SpecRetention", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""How long a spec stays after its last offer: longer than a session and its audits can last."""

MaxSpecs: ConstantEntry[int] = ConstantEntry(
    Entry("Registry", "MaxSpecs", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most specs there can be."""

MaxOffersPerSpec: ConstantEntry[int] = ConstantEntry(
    Entry("Registry", "MaxOffersPerSpec", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most offers that may name one spec."""

MaxOffersPerWorker: ConstantEntry[int] = ConstantEntry(
    Entry("Registry", "MaxOffersPerWorker", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most offers of one worker."""

MaxDomains: ConstantEntry[int] = ConstantEntry(
    Entry("Registry", "MaxDomains", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most domains there can be."""
