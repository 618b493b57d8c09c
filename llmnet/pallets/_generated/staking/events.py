# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Staking`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class Bonded(PalletEvent):
    """An account bonded."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "Bonded", "94bb1fd6ad0a9ab8", "who: AccountId32, role: Role, stake: u128", t.TYPES
    )
    who: t.AccountId32
    """The account."""
    role: t.Role
    """Its role."""
    stake: int
    """Its stake."""


@dataclass(frozen=True, slots=True)
class BondedExtra(PalletEvent):
    """An account added to its stake."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "BondedExtra", "5bffcc1b51eb5c84", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    """The account."""
    amount: int
    """What it added."""


@dataclass(frozen=True, slots=True)
class Unbonding(PalletEvent):
    """An account stopped being active; its stake stays on hold for a while."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "Unbonding", "9178907e34e02e59", "who: AccountId32, until: u32", t.TYPES
    )
    who: t.AccountId32
    """The account."""
    until: int
    """The first block in which the stake can be withdrawn."""


@dataclass(frozen=True, slots=True)
class Withdrawn(PalletEvent):
    """An account got its stake back."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "Withdrawn", "834d2eab53903f3e", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    """The account."""
    amount: int
    """What it got."""


@dataclass(frozen=True, slots=True)
class Fined(PalletEvent):
    """A part of a stake was taken."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "Fined", "ed3e5b6f45cc515d", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    """The account."""
    amount: int
    """What was taken."""


@dataclass(frozen=True, slots=True)
class Slashed(PalletEvent):
    """A part of a stake was taken and its account removed."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "Slashed", "3aaea937a7ab2991", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    """The account."""
    amount: int
    """What was taken."""


@dataclass(frozen=True, slots=True)
class OwnerProposed(PalletEvent):
    """An account named an owner that has to agree."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "OwnerProposed", "12793f1708712e5a", "hot: AccountId32, owner: AccountId32", t.TYPES
    )
    hot: t.AccountId32
    """The bonded account."""
    owner: t.AccountId32
    """The proposed owner."""


@dataclass(frozen=True, slots=True)
class OwnerLinked(PalletEvent):
    """An account is linked to its owner."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "OwnerLinked", "5ea62d4ffd813620", "hot: AccountId32, owner: AccountId32", t.TYPES
    )
    hot: t.AccountId32
    """The bonded account."""
    owner: t.AccountId32
    """The owner."""


@dataclass(frozen=True, slots=True)
class Struck(PalletEvent):
    """An account was slashed, or one that it owns."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "Struck", "53f5f5d84b1ef920", "who: AccountId32, strikes: u32, until: u32", t.TYPES
    )
    who: t.AccountId32
    """The account."""
    strikes: int
    """How often by now."""
    until: int
    """The first block in which it may bond or own again."""


@dataclass(frozen=True, slots=True)
class Restored(PalletEvent):
    """Stake that should not have been taken came back."""

    ENTRY: ClassVar[Entry] = Entry(
        "Staking", "Restored", "db4f27e1c029f7bf", "who: AccountId32, amount: u128", t.TYPES
    )
    who: t.AccountId32
    """The account."""
    amount: int
    """What came back."""


@dataclass(frozen=True, slots=True)
class Reinstated(PalletEvent):
    """A slash was taken back: the account has its role again."""

    ENTRY: ClassVar[Entry] = Entry("Staking", "Reinstated", "55488e44cc297160", "who: AccountId32", t.TYPES)
    who: t.AccountId32
    """The account."""
