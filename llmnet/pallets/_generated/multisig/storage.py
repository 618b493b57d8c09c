# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Multisig`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageDoubleMap,
)

from .. import types as t

Multisigs: StorageDoubleMap[t.AccountId32, bytes, t.Multisig | None] = StorageDoubleMap(
    Entry(
        "Multisig",
        "Multisigs",
        "63f56357e00e6e65",
        "(Twox64Concat AccountId32, Blake2_128Concat [u8; 32]) -> Multisig?",
        t.TYPES,
    )
)
"""The set of open multisig operations."""
