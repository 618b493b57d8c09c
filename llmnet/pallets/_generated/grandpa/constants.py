# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Grandpa`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

MaxAuthorities: ConstantEntry[int] = ConstantEntry(
    Entry("Grandpa", "MaxAuthorities", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Max Authorities in use"""

MaxNominators: ConstantEntry[int] = ConstantEntry(
    Entry("Grandpa", "MaxNominators", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The maximum number of nominators for each validator."""

MaxSetIdSessionEntries: ConstantEntry[int] = ConstantEntry(
    Entry("Grandpa", "MaxSetIdSessionEntries", "2d8322711f04e6a6", "u64", t.TYPES)
)
"""The maximum number of entries to keep in the set id to session index mapping.

Since the `SetIdSession` map is only used for validating equivocations this value should relate to
the bonding duration of whatever staking system is being used (if any). If equivocation handling is
not enabled then this value can be zero.
"""
