# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Grandpa`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class NewAuthorities(PalletEvent):
    """New authority set has been applied."""

    ENTRY: ClassVar[Entry] = Entry(
        "Grandpa", "NewAuthorities", "2a417f56492c35a8", "authority_set: Vec<(Public, u64)>", t.TYPES
    )
    authority_set: tuple[tuple[t.Public, int], ...]


@dataclass(frozen=True, slots=True)
class Paused(PalletEvent):
    """Current authority set has been paused."""

    ENTRY: ClassVar[Entry] = Entry("Grandpa", "Paused", "f7f8457b3285adf6", "", t.TYPES)


@dataclass(frozen=True, slots=True)
class Resumed(PalletEvent):
    """Current authority set has been resumed."""

    ENTRY: ClassVar[Entry] = Entry("Grandpa", "Resumed", "e10aba619978db2d", "", t.TYPES)
