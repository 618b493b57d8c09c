# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Reputation`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class Updated(PalletEvent):
    """A score changed."""

    ENTRY: ClassVar[Entry] = Entry(
        "Reputation",
        "Updated",
        "a863d70d226d76cc",
        "worker: AccountId32, domain: u32, axis: Axis, score_ppm: u32",
        t.TYPES,
    )
    worker: t.AccountId32
    """The worker."""
    domain: int
    """The domain."""
    axis: t.Axis
    """The axis."""
    score_ppm: int
    """The score now, in parts per million."""
