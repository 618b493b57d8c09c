# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Balances`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class VestingBalance(PalletError):
    """Vesting balance too high to send value."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "VestingBalance", "4c005589eb0a5740", "", t.TYPES)


class LiquidityRestrictions(PalletError):
    """Account liquidity restrictions prevent withdrawal."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "LiquidityRestrictions", "8ee0da6cd9690ae5", "", t.TYPES)


class InsufficientBalance(PalletError):
    """Balance too low to send value."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "InsufficientBalance", "ddad13919a154d80", "", t.TYPES)


class ExistentialDeposit(PalletError):
    """Value too low to create account due to existential deposit."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "ExistentialDeposit", "4056a929ac282c4d", "", t.TYPES)


class Expendability(PalletError):
    """Transfer/payment would kill account."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "Expendability", "769151a4edcf3433", "", t.TYPES)


class ExistingVestingSchedule(PalletError):
    """A vesting schedule already exists for this account."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "ExistingVestingSchedule", "4933c3f46933c1bd", "", t.TYPES)


class DeadAccount(PalletError):
    """Beneficiary account must pre-exist."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "DeadAccount", "6b1e9fcb3530e391", "", t.TYPES)


class TooManyReserves(PalletError):
    """Number of named reserves exceed `MaxReserves`."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "TooManyReserves", "9d044f05a7ffc4dc", "", t.TYPES)


class TooManyHolds(PalletError):
    """Number of holds exceed `VariantCountOf<T::RuntimeHoldReason>`."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "TooManyHolds", "bcd6a322f19233c9", "", t.TYPES)


class TooManyFreezes(PalletError):
    """Number of freezes exceed `MaxFreezes`."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "TooManyFreezes", "54b6e42b9e9b1642", "", t.TYPES)


class IssuanceDeactivated(PalletError):
    """The issuance cannot be modified since it is already deactivated."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "IssuanceDeactivated", "6aa4d64633f0fd5c", "", t.TYPES)


class DeltaZero(PalletError):
    """The delta cannot be zero."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Balances", "DeltaZero", "83838cb0e6fd9d77", "", t.TYPES)
