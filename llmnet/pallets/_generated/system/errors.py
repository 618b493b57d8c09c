# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `System`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class InvalidSpecName(PalletError):
    """The name of specification does not match between the current runtime and the new runtime."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "InvalidSpecName", "136cf6ec88e27a8b", "", t.TYPES)


class SpecVersionNeedsToIncrease(PalletError):
    """The specification version is not allowed to decrease between the current runtime and the new
    runtime.
    """

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "SpecVersionNeedsToIncrease", "3edebc1bee8a9fba", "", t.TYPES)


class FailedToExtractRuntimeVersion(PalletError):
    """Failed to extract the runtime version from the new runtime.

    Either calling `Core_version` or decoding `RuntimeVersion` failed.
    """

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "FailedToExtractRuntimeVersion", "1c52ba1f8dab5d92", "", t.TYPES)


class NonDefaultComposite(PalletError):
    """Suicide called when the account has non-default composite data."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "NonDefaultComposite", "ffa83282fe759151", "", t.TYPES)


class NonZeroRefCount(PalletError):
    """There is a non-zero reference count preventing the account from being purged."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "NonZeroRefCount", "6f84e9c530fa5315", "", t.TYPES)


class CallFiltered(PalletError):
    """The origin filter prevent the call to be dispatched."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "CallFiltered", "39f7cab67e924581", "", t.TYPES)


class MultiBlockMigrationsOngoing(PalletError):
    """A multi-block migration is ongoing and prevents the current code from being replaced."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "MultiBlockMigrationsOngoing", "10eadaa621c66eac", "", t.TYPES)


class NothingAuthorized(PalletError):
    """No upgrade authorized."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "NothingAuthorized", "879688d067b44062", "", t.TYPES)


class Unauthorized(PalletError):
    """The submitted code is not authorized."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("System", "Unauthorized", "2c0f6d3f2ce55daf", "", t.TYPES)
