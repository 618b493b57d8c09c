# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Registry`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class SpecRegistered(PalletEvent):
    """A spec was registered."""

    ENTRY: ClassVar[Entry] = Entry(
        "Registry", "SpecRegistered", "6b037eaac59e98ba", "spec_id: H256, depositor: AccountId32", t.TYPES
    )
    spec_id: t.H256
    """Its id."""
    depositor: t.AccountId32
    """Who registered it."""


@dataclass(frozen=True, slots=True)
class SpecRemoved(PalletEvent):
    """A spec was removed and its deposit released."""

    ENTRY: ClassVar[Entry] = Entry("Registry", "SpecRemoved", "a6a1a05229f12818", "spec_id: H256", t.TYPES)
    spec_id: t.H256
    """Its id."""


@dataclass(frozen=True, slots=True)
class CalibrationSet(PalletEvent):
    """A spec's thresholds were set."""

    ENTRY: ClassVar[Entry] = Entry(
        "Registry", "CalibrationSet", "76e0478bee96bd4e", "spec_id: H256, calibration: Calibration", t.TYPES
    )
    spec_id: t.H256
    """The spec's id."""
    calibration: t.Calibration
    """The thresholds."""


@dataclass(frozen=True, slots=True)
class DomainAdded(PalletEvent):
    """A domain was added."""

    ENTRY: ClassVar[Entry] = Entry(
        "Registry",
        "DomainAdded",
        "fbba9dc2b5271eb6",
        "domain: u32, name: Vec<u8>, parent: Option<u32>",
        t.TYPES,
    )
    domain: int
    """Its id."""
    name: bytes
    """Its name."""
    parent: int | None
    """The domain above."""


@dataclass(frozen=True, slots=True)
class OfferPut(PalletEvent):
    """A worker offers a spec, or changed its offer."""

    ENTRY: ClassVar[Entry] = Entry(
        "Registry",
        "OfferPut",
        "4722010026987355",
        "spec_id: H256, worker: AccountId32, version: u32",
        t.TYPES,
    )
    spec_id: t.H256
    """The spec's id."""
    worker: t.AccountId32
    """The worker."""
    version: int
    """Counts the changes of this offer."""


@dataclass(frozen=True, slots=True)
class OfferWithdrawn(PalletEvent):
    """An offer is gone."""

    ENTRY: ClassVar[Entry] = Entry(
        "Registry", "OfferWithdrawn", "53e562f1a272f81c", "spec_id: H256, worker: AccountId32", t.TYPES
    )
    spec_id: t.H256
    """The spec's id."""
    worker: t.AccountId32
    """The worker."""
