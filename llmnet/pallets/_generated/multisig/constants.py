# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Multisig`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

DepositBase: ConstantEntry[int] = ConstantEntry(
    Entry("Multisig", "DepositBase", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The base amount of currency needed to reserve for creating a multisig execution or to store a
dispatch call for later.

This is held for an additional storage item whose value size is `4 + sizeof((BlockNumber, Balance,
AccountId))` bytes and whose key size is `32 + sizeof(AccountId)` bytes.
"""

DepositFactor: ConstantEntry[int] = ConstantEntry(
    Entry("Multisig", "DepositFactor", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The amount of currency needed per unit threshold when creating a multisig execution.

This is held for adding 32 bytes more into a pre-existing storage value.
"""

MaxSignatories: ConstantEntry[int] = ConstantEntry(
    Entry("Multisig", "MaxSignatories", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The maximum amount of signatories allowed in the multisig."""
