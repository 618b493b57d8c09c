# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Beacon`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

SilenceFine: ConstantEntry[int] = ConstantEntry(
    Entry("Beacon", "SilenceFine", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""What committing without revealing costs."""

CommitBlocks: ConstantEntry[int] = ConstantEntry(
    Entry("Beacon", "CommitBlocks", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks of a round in which commitments are taken."""

RevealBlocks: ConstantEntry[int] = ConstantEntry(
    Entry("Beacon", "RevealBlocks", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks of a round in which secrets are revealed."""

KeptRounds: ConstantEntry[int] = ConstantEntry(
    Entry("Beacon", "KeptRounds", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""How many values are kept, at least 256."""

MaxShares: ConstantEntry[int] = ConstantEntry(
    Entry("Beacon", "MaxShares", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most shares of one round: as many as there may be validators."""
