# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Sessions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class SessionOpened(PalletEvent):
    """A session was opened."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions",
        "SessionOpened",
        "fd10ef32c8877be8",
        "session: u64, requester: AccountId32, worker: AccountId32, spec_id: H256, escrow: u128",
        t.TYPES,
    )
    session: int
    """Its id."""
    requester: t.AccountId32
    """Who pays."""
    worker: t.AccountId32
    """Who answers."""
    spec_id: t.H256
    """By which spec."""
    escrow: int
    """What was put in."""


@dataclass(frozen=True, slots=True)
class Seeded(PalletEvent):
    """A session got its seed."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "Seeded", "891a697b3fd6fbeb", "session: u64, seed: H256", t.TYPES
    )
    session: int
    """Its id."""
    seed: t.H256
    """The seed."""


@dataclass(frozen=True, slots=True)
class ToppedUp(PalletEvent):
    """More escrow was put in."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "ToppedUp", "c3c63934f6800865", "session: u64, amount: u128", t.TYPES
    )
    session: int
    """The session."""
    amount: int
    """What was added."""


@dataclass(frozen=True, slots=True)
class Claimed(PalletEvent):
    """A worker was paid from a session's escrow."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions",
        "Claimed",
        "b52667a23aafb6ad",
        "session: u64, worker: AccountId32, amount: u128, fee: u128",
        t.TYPES,
    )
    session: int
    """The session."""
    worker: t.AccountId32
    """The worker."""
    amount: int
    """What left the escrow, the fee included."""
    fee: int
    """What of it went to the audit pot."""


@dataclass(frozen=True, slots=True)
class Closing(PalletEvent):
    """The requester closes a session; the worker may claim before `until`."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "Closing", "01ef4e2ab95b8823", "session: u64, until: u32", t.TYPES
    )
    session: int
    """The session."""
    until: int
    """The block at whose end the rest is refunded."""


@dataclass(frozen=True, slots=True)
class Closed(PalletEvent):
    """A session was closed."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "Closed", "e255a0cff2b4bb2c", "session: u64, paid: u128, refunded: u128", t.TYPES
    )
    session: int
    """The session."""
    paid: int
    """What was claimed altogether, fees included."""
    refunded: int
    """What went back to the requester."""


@dataclass(frozen=True, slots=True)
class Expired(PalletEvent):
    """A session reached its last block and was closed by itself."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "Expired", "7e10993fb1cdb3f3", "session: u64, paid: u128, refunded: u128", t.TYPES
    )
    session: int
    """The session."""
    paid: int
    """What was claimed altogether, fees included."""
    refunded: int
    """What went back to the requester."""


@dataclass(frozen=True, slots=True)
class Cleared(PalletEvent):
    """The audits of an epoch are decided; its earnings are free."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "Cleared", "8fe624870cc6774f", "worker: AccountId32, epoch: u32, amount: u128", t.TYPES
    )
    worker: t.AccountId32
    """The worker."""
    epoch: int
    """The epoch."""
    amount: int
    """What was released."""


@dataclass(frozen=True, slots=True)
class Forfeited(PalletEvent):
    """A slashed worker lost its uncleared earnings to the treasury."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "Forfeited", "8485597421d3099f", "worker: AccountId32, amount: u128", t.TYPES
    )
    worker: t.AccountId32
    """The worker."""
    amount: int
    """What it lost."""


@dataclass(frozen=True, slots=True)
class PaidFromPot(PalletEvent):
    """A validator was paid from the audit pot."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "PaidFromPot", "edf86bcfbba3ff6d", "validator: AccountId32, amount: u128", t.TYPES
    )
    validator: t.AccountId32
    """The validator."""
    amount: int
    """What it got."""


@dataclass(frozen=True, slots=True)
class Rated(PalletEvent):
    """A session's payer rated it."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "Rated", "b2cf914eb9b3e04a", "session: u64, stars: u8", t.TYPES
    )
    session: int
    """The session."""
    stars: int
    """`0..=5`."""


@dataclass(frozen=True, slots=True)
class Returned(PalletEvent):
    """A worker got back what it should not have lost."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sessions", "Returned", "663760833b92433d", "worker: AccountId32, amount: u128", t.TYPES
    )
    worker: t.AccountId32
    """The worker."""
    amount: int
    """What it got back."""
