# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Utility`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

batched_calls_limit: ConstantEntry[int] = ConstantEntry(
    Entry("Utility", "batched_calls_limit", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The limit on the number of batched calls."""
