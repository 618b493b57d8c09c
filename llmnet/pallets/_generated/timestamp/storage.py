# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Timestamp`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageValue,
)

from .. import types as t

Now: StorageValue[int] = StorageValue(Entry("Timestamp", "Now", "db07a88ef23b4240", "u64", t.TYPES))
"""The current time for the current block."""

DidUpdate: StorageValue[bool] = StorageValue(
    Entry("Timestamp", "DidUpdate", "17fd29d493247e58", "bool", t.TYPES)
)
"""Whether the timestamp has been updated in this block.

This value is updated to `true` upon successful submission of a timestamp by a node. It is then
checked at the end of each block execution in the `on_finalize` hook.
"""
