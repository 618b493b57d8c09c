# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `TransactionPayment`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageValue,
)

from .. import types as t

NextFeeMultiplier: StorageValue[t.FixedU128] = StorageValue(
    Entry("TransactionPayment", "NextFeeMultiplier", "7933d81e587b30e2", "FixedU128", t.TYPES)
)

StorageVersion: StorageValue[t.Releases] = StorageValue(
    Entry("TransactionPayment", "StorageVersion", "075e5ff8fff2256e", "Releases", t.TYPES)
)

TxPaymentCredit: StorageValue[t.NoDrop | None] = StorageValue(
    Entry("TransactionPayment", "TxPaymentCredit", "6757772f2d27e1bc", "NoDrop?", t.TYPES)
)
"""The `OnChargeTransaction` stores the withdrawn tx fee here.

Use `withdraw_txfee` and `remaining_txfee` to access from outside the crate.
"""
