# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Staking`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class AlreadyBonded(PalletError):
    """The account is bonded already; add to the stake with `bond_extra`."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "AlreadyBonded", "9780f4492353d9f2", "", t.TYPES)


class Removed(PalletError):
    """The account was slashed. It may bond again when it has withdrawn what is left of its stake and its
    quarantine is over, unless it was slashed too often.
    """

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "Removed", "642defb882b5a66a", "", t.TYPES)


class BelowMinimum(PalletError):
    """The stake is below the minimum of the role."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "BelowMinimum", "c201104d1a31d789", "", t.TYPES)


class TooManyValidators(PalletError):
    """There are as many validators as there may be."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "TooManyValidators", "73d3b1bebda5a281", "", t.TYPES)


class NotBonded(PalletError):
    """The account is not bonded."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "NotBonded", "305b3e7a93809430", "", t.TYPES)


class ZeroAmount(PalletError):
    """The amount is zero."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "ZeroAmount", "2da9a386217beb24", "", t.TYPES)


class AlreadyUnbonding(PalletError):
    """The account is unbonding."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "AlreadyUnbonding", "3354737c10bd4cab", "", t.TYPES)


class NotUnbonding(PalletError):
    """The account is not unbonding; call `unbond` first."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "NotUnbonding", "40cd9903bd334dd6", "", t.TYPES)


class TooEarly(PalletError):
    """The unbonding period is not over."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "TooEarly", "49957ee9bc13df63", "", t.TYPES)


class AlreadyLinked(PalletError):
    """The account is linked to an owner already, until it withdraws."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "AlreadyLinked", "fd11297af91bbdc9", "", t.TYPES)


class NotProposed(PalletError):
    """That account has not proposed the caller as its owner."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "NotProposed", "b383bc5a16d154d3", "", t.TYPES)


class InQuarantine(PalletError):
    """The account, or one that it owns, was slashed: wait until its quarantine is over."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Staking", "InQuarantine", "3685765e2a66f076", "", t.TYPES)
