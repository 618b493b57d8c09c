# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `TransactionPayment`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class TransactionFeePaid(PalletEvent):
    """A transaction fee `actual_fee`, of which `tip` was added to the minimum inclusion fee, has been paid
    by `who`.
    """

    ENTRY: ClassVar[Entry] = Entry(
        "TransactionPayment",
        "TransactionFeePaid",
        "daebad62440241d1",
        "who: AccountId32, actual_fee: u128, tip: u128",
        t.TYPES,
    )
    who: t.AccountId32
    actual_fee: int
    tip: int
