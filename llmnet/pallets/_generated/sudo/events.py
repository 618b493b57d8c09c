# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Sudo`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, Err, Ok, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class Sudid(PalletEvent):
    """A sudo call just took place."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sudo", "Sudid", "113aa80916d27726", "sudo_result: Result<(), DispatchError>", t.TYPES
    )
    sudo_result: Ok[tuple[()]] | Err[t.DispatchError]
    """The result of the call made by the sudo user."""


@dataclass(frozen=True, slots=True)
class KeyChanged(PalletEvent):
    """The sudo key has been updated."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sudo", "KeyChanged", "f115c23a1d9267c0", "old: Option<AccountId32>, new: AccountId32", t.TYPES
    )
    old: t.AccountId32 | None
    """The old sudo key (if one was previously set)."""
    new: t.AccountId32
    """The new sudo key (if one was set)."""


@dataclass(frozen=True, slots=True)
class KeyRemoved(PalletEvent):
    """The key was permanently removed."""

    ENTRY: ClassVar[Entry] = Entry("Sudo", "KeyRemoved", "a53fbccf9d5fc4e9", "", t.TYPES)


@dataclass(frozen=True, slots=True)
class SudoAsDone(PalletEvent):
    """A sudo_as call just took place."""

    ENTRY: ClassVar[Entry] = Entry(
        "Sudo", "SudoAsDone", "d03278e09fa921b4", "sudo_result: Result<(), DispatchError>", t.TYPES
    )
    sudo_result: Ok[tuple[()]] | Err[t.DispatchError]
    """The result of the call made by the sudo user."""
