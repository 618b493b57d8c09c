# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Sessions`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class UnknownSession(PalletError):
    """There is no such session, or it is no longer kept."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "UnknownSession", "2005dc37934c81c2", "", t.TYPES)


class NoOffer(PalletError):
    """The worker does not offer this spec, or is not active."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NoOffer", "bfccefcc9df0af50", "", t.TYPES)


class DomainNotOffered(PalletError):
    """The worker does not offer this domain."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "DomainNotOffered", "0d1ab852814064ca", "", t.TYPES)


class PriceTooHigh(PalletError):
    """The worker's price is above the caller's limit."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "PriceTooHigh", "f36a661a0d1d7384", "", t.TYPES)


class EscrowTooLow(PalletError):
    """The escrow is below `MinEscrow`."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "EscrowTooLow", "284ae66654edeca0", "", t.TYPES)


class BadDuration(PalletError):
    """The session must last from `MinDuration` to `MaxDuration` blocks."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "BadDuration", "9a6d8a4e6116cd60", "", t.TYPES)


class SelfDealing(PalletError):
    """Requester and worker are the same account or belong to the same owner."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "SelfDealing", "f5c76bb4efe856df", "", t.TYPES)


class TooManySessions(PalletError):
    """The requester has `MaxOpenSessions` sessions open."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "TooManySessions", "f71688d5af3b4825", "", t.TYPES)


class NotOpen(PalletError):
    """The session is closing, closed or expired."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NotOpen", "af5deb0140db46f1", "", t.TYPES)


class SessionEnded(PalletError):
    """The session is closed or expired."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "SessionEnded", "c1e3dca7d41ac5b8", "", t.TYPES)


class AlreadyClosing(PalletError):
    """The session is closing already."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "AlreadyClosing", "5661dcd40eb2e1d3", "", t.TYPES)


class NotRequester(PalletError):
    """Only the session's requester may do this."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NotRequester", "4090815da67fe3c1", "", t.TYPES)


class NotWorker(PalletError):
    """Only the session's worker may do this."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NotWorker", "1329843c398b9326", "", t.TYPES)


class NotParty(PalletError):
    """Only the session's requester or worker may do this."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NotParty", "782bc2cc7419ad9a", "", t.TYPES)


class BadSignature(PalletError):
    """The signature is not the requester's over this voucher on this chain."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "BadSignature", "7c88264c4a4ccbbd", "", t.TYPES)


class NothingToClaim(PalletError):
    """Nothing is left to pay: the voucher is not above what was claimed, or no more is committed or
    escrowed.
    """

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NothingToClaim", "007922035e49d5e6", "", t.TYPES)


class WorkerBarred(PalletError):
    """The worker was slashed and can claim nothing more."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "WorkerBarred", "deb9d14c50c6e197", "", t.TYPES)


class NoSeed(PalletError):
    """The session has no seed yet, so it has no answers."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NoSeed", "b7dcc4b5abaa5f58", "", t.TYPES)


class BadSegment(PalletError):
    """The segment does not begin with the session's next request index, or ends before it begins."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "BadSegment", "f7fb8e4f6b0f675c", "", t.TYPES)


class TooManyPendingEpochs(PalletError):
    """The worker has too many epochs that wait for audits."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "TooManyPendingEpochs", "469b3c846b7ebbc2", "", t.TYPES)


class TooManyTranches(PalletError):
    """The session has too many unclaimed tranches."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "TooManyTranches", "24cc0f6c12dabc14", "", t.TYPES)


class BadStars(PalletError):
    """A rating has at most five stars."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "BadStars", "b1c6d478db2f62a4", "", t.TYPES)


class NotSettled(PalletError):
    """Only a closed session can be rated."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NotSettled", "c9b407497943ea9f", "", t.TYPES)


class NothingPaid(PalletError):
    """Nothing was paid in this session, so there is nothing to rate."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "NothingPaid", "30dfb4e2e842f3f2", "", t.TYPES)


class AlreadyRated(PalletError):
    """The session was rated already."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "AlreadyRated", "1499fc9bf7fb5635", "", t.TYPES)


class Overflow(PalletError):
    """An amount or a counter does not fit its type."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Sessions", "Overflow", "2b24d1f351f7986a", "", t.TYPES)
