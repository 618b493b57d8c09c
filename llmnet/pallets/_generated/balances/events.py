# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Balances`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class Endowed(PalletEvent):
    """An account was created with some free balance."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Endowed", "dbb01533c958cb23", "account: AccountId32, free_balance: u128", t.TYPES
    )
    account: t.AccountId32
    free_balance: int


@dataclass(frozen=True, slots=True)
class DustLost(PalletEvent):
    """An account was removed whose balance was non-zero but below ExistentialDeposit, resulting in an
    outright loss.
    """

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "DustLost", "77103a05ea0d5d7e", "account: AccountId32, amount: u128", t.TYPES
    )
    account: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Transfer(PalletEvent):
    """Transfer succeeded."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances",
        "Transfer",
        "8ffc59a584f23055",
        "from: AccountId32, to: AccountId32, amount: u128",
        t.TYPES,
    )
    from_: t.AccountId32
    to: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class BalanceSet(PalletEvent):
    """A balance was set by root."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "BalanceSet", "1c5641cf53d9e935", "who: AccountId32, free: u128", t.TYPES
    )
    who: t.AccountId32
    free: int


@dataclass(frozen=True, slots=True)
class Reserved(PalletEvent):
    """Some balance was reserved (moved from free to reserved)."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Reserved", "3cf00c8b2a34e339", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Unreserved(PalletEvent):
    """Some balance was unreserved (moved from reserved to free)."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Unreserved", "40161bb0c14aba91", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class ReserveRepatriated(PalletEvent):
    """Some balance was moved from the reserve of the first account to the second account. Final argument
    indicates the destination balance type.
    """

    ENTRY: ClassVar[Entry] = Entry(
        "Balances",
        "ReserveRepatriated",
        "59fa73b37a45a592",
        "from: AccountId32, to: AccountId32, amount: u128, destination_status: BalanceStatus",
        t.TYPES,
    )
    from_: t.AccountId32
    to: t.AccountId32
    amount: int
    destination_status: t.BalanceStatus


@dataclass(frozen=True, slots=True)
class Deposit(PalletEvent):
    """Some amount was deposited (e.g. for transaction fees)."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Deposit", "e67fe9576606f09b", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Withdraw(PalletEvent):
    """Some amount was withdrawn from the account (e.g. for transaction fees)."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Withdraw", "6c2f37a0a17d07c4", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Slashed(PalletEvent):
    """Some amount was removed from the account (e.g. for misbehavior)."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Slashed", "b7e17a0d5665a4b8", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Minted(PalletEvent):
    """Some amount was minted into an account."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Minted", "d9bf3bacc2bf264e", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class MintedCredit(PalletEvent):
    """Some credit was balanced and added to the TotalIssuance."""

    ENTRY: ClassVar[Entry] = Entry("Balances", "MintedCredit", "dc7bb96deb941465", "amount: u128", t.TYPES)
    amount: int


@dataclass(frozen=True, slots=True)
class Burned(PalletEvent):
    """Some amount was burned from an account."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Burned", "92903aaf2ad3d609", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class BurnedDebt(PalletEvent):
    """Some debt has been dropped from the Total Issuance."""

    ENTRY: ClassVar[Entry] = Entry("Balances", "BurnedDebt", "7e0006b4305f9938", "amount: u128", t.TYPES)
    amount: int


@dataclass(frozen=True, slots=True)
class Suspended(PalletEvent):
    """Some amount was suspended from an account (it can be restored later)."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Suspended", "439a9fea6aae84fe", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Restored(PalletEvent):
    """Some amount was restored into an account."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Restored", "06127cf6b70414e3", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Upgraded(PalletEvent):
    """An account was upgraded."""

    ENTRY: ClassVar[Entry] = Entry("Balances", "Upgraded", "da9238a122f6f13f", "who: AccountId32", t.TYPES)
    who: t.AccountId32


@dataclass(frozen=True, slots=True)
class Issued(PalletEvent):
    """Total issuance was increased by `amount`, creating a credit to be balanced."""

    ENTRY: ClassVar[Entry] = Entry("Balances", "Issued", "c71a91ae357a95c3", "amount: u128", t.TYPES)
    amount: int


@dataclass(frozen=True, slots=True)
class Rescinded(PalletEvent):
    """Total issuance was decreased by `amount`, creating a debt to be balanced."""

    ENTRY: ClassVar[Entry] = Entry("Balances", "Rescinded", "defea09247771469", "amount: u128", t.TYPES)
    amount: int


@dataclass(frozen=True, slots=True)
class Locked(PalletEvent):
    """Some balance was locked."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Locked", "febd2fd3469ff02a", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Unlocked(PalletEvent):
    """Some balance was unlocked."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Unlocked", "b1b3797c15b75efb", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Frozen(PalletEvent):
    """Some balance was frozen."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Frozen", "4182772e94e8e6ec", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Thawed(PalletEvent):
    """Some balance was thawed."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "Thawed", "37757ece84b9e4b8", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class TotalIssuanceForced(PalletEvent):
    """The `TotalIssuance` was forcefully changed."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances", "TotalIssuanceForced", "2346456a3e8b8407", "old: u128, new: u128", t.TYPES
    )
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Held(PalletEvent):
    """Some balance was placed on hold."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances",
        "Held",
        "3a9bc3f5c12c662e",
        "reason: RuntimeHoldReason, who: AccountId32, amount: u128",
        t.TYPES,
    )
    reason: t.RuntimeHoldReason
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class BurnedHeld(PalletEvent):
    """Held balance was burned from an account."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances",
        "BurnedHeld",
        "5077e996e58b7e3a",
        "reason: RuntimeHoldReason, who: AccountId32, amount: u128",
        t.TYPES,
    )
    reason: t.RuntimeHoldReason
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class TransferOnHold(PalletEvent):
    """A transfer of `amount` on hold from `source` to `dest` was initiated."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances",
        "TransferOnHold",
        "746889db93f16ce8",
        "reason: RuntimeHoldReason, source: AccountId32, dest: AccountId32, amount: u128",
        t.TYPES,
    )
    reason: t.RuntimeHoldReason
    source: t.AccountId32
    dest: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class TransferAndHold(PalletEvent):
    """The `transferred` balance is placed on hold at the `dest` account."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances",
        "TransferAndHold",
        "58a1e420634f3cc4",
        "reason: RuntimeHoldReason, source: AccountId32, dest: AccountId32, transferred: u128",
        t.TYPES,
    )
    reason: t.RuntimeHoldReason
    source: t.AccountId32
    dest: t.AccountId32
    transferred: int


@dataclass(frozen=True, slots=True)
class Released(PalletEvent):
    """Some balance was released from hold."""

    ENTRY: ClassVar[Entry] = Entry(
        "Balances",
        "Released",
        "26a58033b3bf7d59",
        "reason: RuntimeHoldReason, who: AccountId32, amount: u128",
        t.TYPES,
    )
    reason: t.RuntimeHoldReason
    who: t.AccountId32
    amount: int


@dataclass(frozen=True, slots=True)
class Unexpected(PalletEvent):
    """An unexpected/defensive event was triggered."""

    ENTRY: ClassVar[Entry] = Entry("Balances", "Unexpected", "ae0b736bea458352", "_: UnexpectedKind", t.TYPES)
    value: t.UnexpectedKind
