# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Multisig`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, Err, Ok, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class NewMultisig(PalletEvent):
    """A new multisig operation has begun."""

    ENTRY: ClassVar[Entry] = Entry(
        "Multisig",
        "NewMultisig",
        "ceb3b45868e84f70",
        "approving: AccountId32, multisig: AccountId32, call_hash: [u8; 32]",
        t.TYPES,
    )
    approving: t.AccountId32
    multisig: t.AccountId32
    call_hash: bytes


@dataclass(frozen=True, slots=True)
class MultisigApproval(PalletEvent):
    """A multisig operation has been approved by someone."""

    ENTRY: ClassVar[Entry] = Entry(
        "Multisig",
        "MultisigApproval",
        "d613d0e908cbbc7f",
        "approving: AccountId32, timepoint: Timepoint, multisig: AccountId32, call_hash: [u8; 32]",
        t.TYPES,
    )
    approving: t.AccountId32
    timepoint: t.Timepoint
    multisig: t.AccountId32
    call_hash: bytes


@dataclass(frozen=True, slots=True)
class MultisigExecuted(PalletEvent):
    """A multisig operation has been executed."""

    ENTRY: ClassVar[Entry] = Entry(
        "Multisig",
        "MultisigExecuted",
        "de65b31105333a30",
        "approving: AccountId32, timepoint: Timepoint, multisig: AccountId32, call_hash: [u8; 32], result: Result<(), DispatchError>",
        t.TYPES,
    )
    approving: t.AccountId32
    timepoint: t.Timepoint
    multisig: t.AccountId32
    call_hash: bytes
    result: Ok[tuple[()]] | Err[t.DispatchError]


@dataclass(frozen=True, slots=True)
class MultisigCancelled(PalletEvent):
    """A multisig operation has been cancelled."""

    ENTRY: ClassVar[Entry] = Entry(
        "Multisig",
        "MultisigCancelled",
        "34b59372a216174f",
        "cancelling: AccountId32, timepoint: Timepoint, multisig: AccountId32, call_hash: [u8; 32]",
        t.TYPES,
    )
    cancelling: t.AccountId32
    timepoint: t.Timepoint
    multisig: t.AccountId32
    call_hash: bytes


@dataclass(frozen=True, slots=True)
class DepositPoked(PalletEvent):
    """The deposit for a multisig operation has been updated/poked."""

    ENTRY: ClassVar[Entry] = Entry(
        "Multisig",
        "DepositPoked",
        "2992a687f80c98ce",
        "who: AccountId32, call_hash: [u8; 32], old_deposit: u128, new_deposit: u128",
        t.TYPES,
    )
    who: t.AccountId32
    call_hash: bytes
    old_deposit: int
    new_deposit: int
