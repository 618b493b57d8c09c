# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Beacon`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class WrongRound(PalletError):
    """That round is not the running one."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "WrongRound", "d29aa3782b276600", "", t.TYPES)


class NotCommitPhase(PalletError):
    """Commitments are taken in the first `CommitBlocks` blocks of a round only."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "NotCommitPhase", "4bcfc42beb5fbb43", "", t.TYPES)


class NotRevealPhase(PalletError):
    """Secrets are taken after the commitments only."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "NotRevealPhase", "e28b29f99f7e87ba", "", t.TYPES)


class NotValidator(PalletError):
    """The caller is not an active validator."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "NotValidator", "ccc1bd9052f2af37", "", t.TYPES)


class AlreadyCommitted(PalletError):
    """The caller has committed in this round."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "AlreadyCommitted", "fc8b17e6a74dcfc8", "", t.TYPES)


class TooManyShares(PalletError):
    """The round holds as many shares as it may."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "TooManyShares", "a53e3c45da59d40c", "", t.TYPES)


class NotCommitted(PalletError):
    """The caller has not committed in this round."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "NotCommitted", "0fe0253463849ec6", "", t.TYPES)


class AlreadyRevealed(PalletError):
    """The caller has revealed in this round."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "AlreadyRevealed", "9b79f726dbb07e55", "", t.TYPES)


class WrongSecret(PalletError):
    """The secret is not the one committed to."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Beacon", "WrongSecret", "ba1ff6fdeeeb9a42", "", t.TYPES)
