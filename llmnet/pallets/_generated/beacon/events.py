# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Beacon`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class Committed(PalletEvent):
    """A validator committed to a secret."""

    ENTRY: ClassVar[Entry] = Entry(
        "Beacon", "Committed", "a30492819749c019", "round: u32, who: AccountId32", t.TYPES
    )
    round: int
    """The round."""
    who: t.AccountId32
    """The validator."""


@dataclass(frozen=True, slots=True)
class Revealed(PalletEvent):
    """A validator revealed its secret."""

    ENTRY: ClassVar[Entry] = Entry(
        "Beacon", "Revealed", "b6573fc16b9e953e", "round: u32, who: AccountId32", t.TYPES
    )
    round: int
    """The round."""
    who: t.AccountId32
    """The validator."""


@dataclass(frozen=True, slots=True)
class NotRevealed(PalletEvent):
    """A validator committed and did not reveal."""

    ENTRY: ClassVar[Entry] = Entry(
        "Beacon", "NotRevealed", "05c1dbd145f913ed", "round: u32, who: AccountId32, fined: u128", t.TYPES
    )
    round: int
    """The round."""
    who: t.AccountId32
    """The validator."""
    fined: int
    """What it was fined."""


@dataclass(frozen=True, slots=True)
class RoundEnded(PalletEvent):
    """A round ended and has a value."""

    ENTRY: ClassVar[Entry] = Entry(
        "Beacon",
        "RoundEnded",
        "480d3ff41020d956",
        "round: u32, value: H256, revealed: u32, fallback: bool",
        t.TYPES,
    )
    round: int
    """The round."""
    value: t.H256
    """Its value."""
    revealed: int
    """How many secrets are in it."""
    fallback: bool
    """Whether there were none, so that the block hash alone decided."""
