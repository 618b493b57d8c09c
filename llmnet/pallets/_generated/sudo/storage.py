# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Sudo`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageValue,
)

from .. import types as t

Key: StorageValue[t.AccountId32 | None] = StorageValue(
    Entry("Sudo", "Key", "63d24cc8fe413cb7", "AccountId32?", t.TYPES)
)
"""The `AccountId` of the sudo key."""
