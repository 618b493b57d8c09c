# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `System`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class ExtrinsicSuccess(PalletEvent):
    """An extrinsic completed successfully."""

    ENTRY: ClassVar[Entry] = Entry(
        "System", "ExtrinsicSuccess", "508e1a9f055886e8", "dispatch_info: DispatchEventInfo", t.TYPES
    )
    dispatch_info: t.DispatchEventInfo


@dataclass(frozen=True, slots=True)
class ExtrinsicFailed(PalletEvent):
    """An extrinsic failed."""

    ENTRY: ClassVar[Entry] = Entry(
        "System",
        "ExtrinsicFailed",
        "7e81d4c399d48a11",
        "dispatch_error: DispatchError, dispatch_info: DispatchEventInfo",
        t.TYPES,
    )
    dispatch_error: t.DispatchError
    dispatch_info: t.DispatchEventInfo


@dataclass(frozen=True, slots=True)
class CodeUpdated(PalletEvent):
    """`:code` was updated to the code with the given hash."""

    ENTRY: ClassVar[Entry] = Entry("System", "CodeUpdated", "8e758578ec0cf099", "hash: H256", t.TYPES)
    hash: t.H256


@dataclass(frozen=True, slots=True)
class NewAccount(PalletEvent):
    """A new account was created."""

    ENTRY: ClassVar[Entry] = Entry(
        "System", "NewAccount", "4ab92f822c0ec2dc", "account: AccountId32", t.TYPES
    )
    account: t.AccountId32


@dataclass(frozen=True, slots=True)
class KilledAccount(PalletEvent):
    """An account was reaped."""

    ENTRY: ClassVar[Entry] = Entry(
        "System", "KilledAccount", "d8f97dc6e4f9285d", "account: AccountId32", t.TYPES
    )
    account: t.AccountId32


@dataclass(frozen=True, slots=True)
class Remarked(PalletEvent):
    """On on-chain remark happened."""

    ENTRY: ClassVar[Entry] = Entry(
        "System", "Remarked", "ea3efba5379a830a", "sender: AccountId32, hash: H256", t.TYPES
    )
    sender: t.AccountId32
    hash: t.H256


@dataclass(frozen=True, slots=True)
class UpgradeAuthorized(PalletEvent):
    """An upgrade was authorized."""

    ENTRY: ClassVar[Entry] = Entry(
        "System", "UpgradeAuthorized", "a5ad689eef1d2a16", "code_hash: H256, check_version: bool", t.TYPES
    )
    code_hash: t.H256
    check_version: bool


@dataclass(frozen=True, slots=True)
class RejectedInvalidAuthorizedUpgrade(PalletEvent):
    """An invalid authorized upgrade was rejected while trying to apply it."""

    ENTRY: ClassVar[Entry] = Entry(
        "System",
        "RejectedInvalidAuthorizedUpgrade",
        "223accb4cdf43eca",
        "code_hash: H256, error: DispatchError",
        t.TYPES,
    )
    code_hash: t.H256
    error: t.DispatchError
