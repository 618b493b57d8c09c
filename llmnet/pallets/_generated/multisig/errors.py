# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Multisig`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class MinimumThreshold(PalletError):
    """Threshold must be 2 or greater."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "MinimumThreshold", "3f84752f7b8184c4", "", t.TYPES)


class AlreadyApproved(PalletError):
    """Call is already approved by this signatory."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "AlreadyApproved", "24dce76243c6223f", "", t.TYPES)


class NoApprovalsNeeded(PalletError):
    """Call doesn't need any (more) approvals."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "NoApprovalsNeeded", "606c4f67343caa20", "", t.TYPES)


class TooFewSignatories(PalletError):
    """There are too few signatories in the list."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "TooFewSignatories", "4219bf8f608d38f5", "", t.TYPES)


class TooManySignatories(PalletError):
    """There are too many signatories in the list."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "TooManySignatories", "ccb1f934d822a22e", "", t.TYPES)


class SignatoriesOutOfOrder(PalletError):
    """The signatories were provided out of order; they should be ordered."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "SignatoriesOutOfOrder", "29fa9fed1b0d5316", "", t.TYPES)


class SenderInSignatories(PalletError):
    """The sender was contained in the other signatories; it shouldn't be."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "SenderInSignatories", "1f547926235add41", "", t.TYPES)


class NotFound(PalletError):
    """Multisig operation not found in storage."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "NotFound", "34b412d4ab3f0710", "", t.TYPES)


class NotOwner(PalletError):
    """Only the account that originally created the multisig is able to cancel it or update its deposits."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "NotOwner", "dedb8adde4cbdfc8", "", t.TYPES)


class NoTimepoint(PalletError):
    """No timepoint was given, yet the multisig operation is already underway."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "NoTimepoint", "1544d5acf695e825", "", t.TYPES)


class WrongTimepoint(PalletError):
    """A different timepoint was given to the multisig operation that is underway."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "WrongTimepoint", "215f46d9cfe6f87d", "", t.TYPES)


class UnexpectedTimepoint(PalletError):
    """A timepoint was given, yet no multisig operation is underway."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "UnexpectedTimepoint", "714e8af68a972b69", "", t.TYPES)


class MaxWeightTooLow(PalletError):
    """The maximum weight information provided was too low."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "MaxWeightTooLow", "4a4d97091f3cf118", "", t.TYPES)


class AlreadyStored(PalletError):
    """The data to be stored is already stored."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Multisig", "AlreadyStored", "7e44bc076d5fd865", "", t.TYPES)
