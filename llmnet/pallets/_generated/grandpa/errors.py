# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Grandpa`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class PauseFailed(PalletError):
    """Attempt to signal GRANDPA pause when the authority set isn't live (either paused or already pending
    pause).
    """

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Grandpa", "PauseFailed", "02a2736458eb9a5e", "", t.TYPES)


class ResumeFailed(PalletError):
    """Attempt to signal GRANDPA resume when the authority set isn't paused (either live or already pending
    resume).
    """

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Grandpa", "ResumeFailed", "290111b80b1950d0", "", t.TYPES)


class ChangePending(PalletError):
    """Attempt to signal GRANDPA change with one already pending."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Grandpa", "ChangePending", "dab7302652f61266", "", t.TYPES)


class TooSoon(PalletError):
    """Cannot signal forced change so soon after last."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Grandpa", "TooSoon", "8f1c0afc335dce10", "", t.TYPES)


class InvalidKeyOwnershipProof(PalletError):
    """A key ownership proof provided as part of an equivocation report is invalid."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Grandpa", "InvalidKeyOwnershipProof", "d2b15ee7c8a49b11", "", t.TYPES)


class InvalidEquivocationProof(PalletError):
    """An equivocation proof provided as part of an equivocation report is invalid."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Grandpa", "InvalidEquivocationProof", "790fcf9807ba95ec", "", t.TYPES)


class DuplicateOffenceReport(PalletError):
    """A given equivocation report is valid but already previously reported."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Grandpa", "DuplicateOffenceReport", "a0212b17a34ef6d4", "", t.TYPES)
