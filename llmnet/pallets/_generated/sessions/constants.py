# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Sessions`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

Fee: ConstantEntry[t.Permill] = ConstantEntry(
    Entry("Sessions", "Fee", "96d68fe0cc3b2b2e", "Permill", t.TYPES)
)
"""The share of a claim that goes to the pot."""

MinEscrow: ConstantEntry[int] = ConstantEntry(
    Entry("Sessions", "MinEscrow", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The least escrow of a session."""

MinDuration: ConstantEntry[int] = ConstantEntry(
    Entry("Sessions", "MinDuration", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The least number of blocks a session may last."""

MaxDuration: ConstantEntry[int] = ConstantEntry(
    Entry("Sessions", "MaxDuration", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most blocks a session may last."""

ClaimWindow: ConstantEntry[int] = ConstantEntry(
    Entry("Sessions", "ClaimWindow", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""How many blocks a worker has to claim after the requester closed."""

Retention: ConstantEntry[int] = ConstantEntry(
    Entry("Sessions", "Retention", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""How many blocks a closed session is kept."""

MaxOpenSessions: ConstantEntry[int] = ConstantEntry(
    Entry("Sessions", "MaxOpenSessions", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The most sessions that one requester may have open."""
