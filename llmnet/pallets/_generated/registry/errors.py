# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Registry`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class BadSpec(PalletError):
    """A field of the spec is out of its range."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "BadSpec", "1aa50636424064e5", "", t.TYPES)


class SpecExists(PalletError):
    """The spec is registered already."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "SpecExists", "4e5753fdfeba0db4", "", t.TYPES)


class UnknownSpec(PalletError):
    """There is no such spec."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "UnknownSpec", "482b010982228ed7", "", t.TYPES)


class TooManySpecs(PalletError):
    """`MaxSpecs` specs are registered already."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "TooManySpecs", "621ce80e14fdf146", "", t.TYPES)


class NotDepositor(PalletError):
    """Only the depositor may remove a spec."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "NotDepositor", "b2210d80432cc4d1", "", t.TYPES)


class SpecOffered(PalletError):
    """The spec is still offered by somebody."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "SpecOffered", "ed2bfcbdaed19ff3", "", t.TYPES)


class SpecInUse(PalletError):
    """Sessions may still be answered or audited by this spec: wait until `SpecRetention` blocks after its
    last offer.
    """

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "SpecInUse", "ff52c8e422fbd401", "", t.TYPES)


class BadCalibration(PalletError):
    """Thresholds must grow from q95 to q99, be above zero and within reach, and not have expired."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "BadCalibration", "c670b0971131acfa", "", t.TYPES)


class BadDomainName(PalletError):
    """A domain's name must be UTF-8 and not empty."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "BadDomainName", "9df1120b51b043d1", "", t.TYPES)


class DomainExists(PalletError):
    """The domain has a sister of the same name."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "DomainExists", "23bc9bb8f45f0548", "", t.TYPES)


class UnknownDomain(PalletError):
    """There is no such domain."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "UnknownDomain", "b4fe62e9135dd87b", "", t.TYPES)


class TooManyDomains(PalletError):
    """`MaxDomains` domains exist already."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "TooManyDomains", "22fa449193daa212", "", t.TYPES)


class NotActiveWorker(PalletError):
    """The caller is not an active bonded worker."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "NotActiveWorker", "35b94522055fc668", "", t.TYPES)


class BadEndpoint(PalletError):
    """The endpoint must be an `http://` or `https://` address."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "BadEndpoint", "257dbf76f72a5f4b", "", t.TYPES)


class BadDomains(PalletError):
    """The offer must name at least one domain and none twice."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "BadDomains", "d6290a255d08f3a7", "", t.TYPES)


class NoCapacity(PalletError):
    """The offer's capacity must be at least one."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "NoCapacity", "517bc92fd7773273", "", t.TYPES)


class SpecFull(PalletError):
    """`MaxOffersPerSpec` offers name this spec already."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "SpecFull", "c19b10bfbaa1c615", "", t.TYPES)


class TooManyOffers(PalletError):
    """The worker has `MaxOffersPerWorker` offers already."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "TooManyOffers", "52d130479ac9ddce", "", t.TYPES)


class NoOffer(PalletError):
    """There is no such offer."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "NoOffer", "c0f4a18afc3ba058", "", t.TYPES)


class WorkerActive(PalletError):
    """The worker is active: only it may withdraw its offer."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "WorkerActive", "7189297033d3d547", "", t.TYPES)


class VersionOverflow(PalletError):
    """The offer was changed too often to count."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Registry", "VersionOverflow", "4771d68ff50bb74d", "", t.TYPES)
