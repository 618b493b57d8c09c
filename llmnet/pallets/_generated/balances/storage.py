# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Balances`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageMap,
    StorageValue,
)

from .. import types as t

TotalIssuance: StorageValue[int] = StorageValue(
    Entry("Balances", "TotalIssuance", "242a4e48c0958b6d", "u128", t.TYPES)
)
"""The total units issued in the system."""

InactiveIssuance: StorageValue[int] = StorageValue(
    Entry("Balances", "InactiveIssuance", "242a4e48c0958b6d", "u128", t.TYPES)
)
"""The total units of outstanding deactivated balance in the system.

This is not guaranteed to be less than or equal to `TotalIssuance`. Total issuance may be reduced
independently of this value, including while a reversible imbalance is outstanding. Active issuance
is therefore derived using saturating subtraction.
"""

Account: StorageMap[t.AccountId32, t.AccountData] = StorageMap(
    Entry("Balances", "Account", "307c323e3d94b035", "(Blake2_128Concat AccountId32) -> AccountData", t.TYPES)
)
"""The Balances pallet example of storing the balance of an account.

Example:

You can also store the balance of an account in the `System` pallet.

Example:

But this comes with tradeoffs, storing account balances in the system pallet stores `frame_system`
data alongside the account data contrary to storing account balances in the `Balances` pallet, which
uses a `StorageMap` to store balances data only. NOTE: This is only used in the case that this
pallet is used to store balances.
"""

Locks: StorageMap[t.AccountId32, tuple[t.BalanceLock, ...]] = StorageMap(
    Entry(
        "Balances", "Locks", "fee5449fdb417131", "(Blake2_128Concat AccountId32) -> Vec<BalanceLock>", t.TYPES
    )
)
"""Any liquidity locks on some account balances. NOTE: Should only be accessed when setting, changing
and freeing a lock.

Use of locks is deprecated in favour of freezes. See
`https://github.com/paritytech/substrate/pull/12951/`
"""

Reserves: StorageMap[t.AccountId32, tuple[t.ReserveData, ...]] = StorageMap(
    Entry(
        "Balances",
        "Reserves",
        "7e98c7bff461bfa1",
        "(Blake2_128Concat AccountId32) -> Vec<ReserveData>",
        t.TYPES,
    )
)
"""Named reserves on some account balances.

Use of reserves is deprecated in favour of holds. See
`https://github.com/paritytech/substrate/pull/12951/`
"""

Holds: StorageMap[t.AccountId32, tuple[t.IdAmountRuntimeHoldReasonU128, ...]] = StorageMap(
    Entry("Balances", "Holds", "9b2f95b3d9e8f627", "(Blake2_128Concat AccountId32) -> Vec<IdAmount>", t.TYPES)
)
"""Holds on account balances."""

Freezes: StorageMap[t.AccountId32, tuple[t.IdAmountRuntimeFreezeReasonU128, ...]] = StorageMap(
    Entry(
        "Balances", "Freezes", "f3aedb6fba6e2e0b", "(Blake2_128Concat AccountId32) -> Vec<IdAmount>", t.TYPES
    )
)
"""Freeze locks on account balances."""
