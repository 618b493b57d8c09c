# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Staking`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

MinimumWorkerStake: ConstantEntry[int] = ConstantEntry(
    Entry("Staking", "MinimumWorkerStake", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The least stake of a worker."""

MinimumValidatorStake: ConstantEntry[int] = ConstantEntry(
    Entry("Staking", "MinimumValidatorStake", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The least stake of a validator."""

UnbondingPeriod: ConstantEntry[int] = ConstantEntry(
    Entry("Staking", "UnbondingPeriod", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks from unbonding to withdrawal."""

MaxValidators: ConstantEntry[int] = ConstantEntry(
    Entry("Staking", "MaxValidators", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most validators."""

Quarantine: ConstantEntry[int] = ConstantEntry(
    Entry("Staking", "Quarantine", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks after a first slash in which the account may not bond; doubled with each further one."""

MaxStrikes: ConstantEntry[int] = ConstantEntry(
    Entry("Staking", "MaxStrikes", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""With so many slashes an account is out for good."""
