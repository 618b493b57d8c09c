# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Staking`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageMap,
    StorageValue,
)

from .. import types as t

Bonds: StorageMap[t.AccountId32, t.Bond | None] = StorageMap(
    Entry("Staking", "Bonds", "2ae822aec19a4000", "(Blake2_128Concat AccountId32) -> Bond?", t.TYPES)
)
"""All bonds, and the records of removed accounts."""

Validators: StorageValue[tuple[t.AccountId32, ...]] = StorageValue(
    Entry("Staking", "Validators", "8090417123531ccd", "Vec<AccountId32>", t.TYPES)
)
"""The bonded validators that are neither unbonding nor removed, in account order."""

Proposals: StorageMap[t.AccountId32, t.AccountId32 | None] = StorageMap(
    Entry(
        "Staking", "Proposals", "784a55f3b090539a", "(Blake2_128Concat AccountId32) -> AccountId32?", t.TYPES
    )
)
"""Owners that bonded accounts have proposed and that have not accepted yet, by bonded account."""

Strikes: StorageMap[t.AccountId32, t.Strike | None] = StorageMap(
    Entry("Staking", "Strikes", "49a80d25d6fdaafd", "(Blake2_128Concat AccountId32) -> Strike?", t.TYPES)
)
"""How often accounts were slashed and until when they are in quarantine; for bonded accounts and their
owners.
"""
