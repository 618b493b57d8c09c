# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `SpotChecks`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

EpochLength: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "EpochLength", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks per epoch."""

ReceiptPeriod: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "ReceiptPeriod", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks a worker has to open a receipt."""

ReferencePeriod: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "ReferencePeriod", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks the panel has to commit references."""

LeavesPeriod: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "LeavesPeriod", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks a worker has to open leaves."""

RevealPeriod: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "RevealPeriod", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks the panel has to reveal references."""

VerdictRetention: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "VerdictRetention", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks for which verdicts and closed batches are kept."""

ReviewPeriod: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "ReviewPeriod", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Blocks after a verdict in which it can be reviewed."""

DriftPeriod: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "DriftPeriod", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The period over which the drift alarm counts."""

OutagePeriod: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "OutagePeriod", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The period over which missed deadlines are counted."""

OutageGrace: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "OutageGrace", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""By how many blocks an outage puts deadlines off."""

Jackpot: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "Jackpot", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""What a validator gets from the pot for failing a planted answer."""

LazyFine: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "LazyFine", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""What a validator loses that lets a planted answer pass."""

MinimumFine: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "MinimumFine", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The least fine."""

PanelReward: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "PanelReward", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""What a validator gets from the pot for an accepted reference."""

MaxTasksPerBlock: ConstantEntry[int] = ConstantEntry(
    Entry("SpotChecks", "MaxTasksPerBlock", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most tasks of one block of the agenda."""
