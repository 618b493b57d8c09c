# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `System`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

BlockWeights: ConstantEntry[t.BlockWeights] = ConstantEntry(
    Entry("System", "BlockWeights", "660eaea5b6d39c6a", "BlockWeights", t.TYPES)
)
"""Block & extrinsics weights: base values and limits."""

BlockLength: ConstantEntry[t.BlockLength] = ConstantEntry(
    Entry("System", "BlockLength", "52ae4982414058fb", "BlockLength", t.TYPES)
)
"""The maximum length of a block (in bytes)."""

BlockHashCount: ConstantEntry[int] = ConstantEntry(
    Entry("System", "BlockHashCount", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""Maximum number of block number to block hash mappings to keep (oldest pruned first)."""

DbWeight: ConstantEntry[t.RuntimeDbWeight] = ConstantEntry(
    Entry("System", "DbWeight", "195f389bab1e36fe", "RuntimeDbWeight", t.TYPES)
)
"""The weight of runtime database operations the runtime can invoke."""

Version: ConstantEntry[t.RuntimeVersion] = ConstantEntry(
    Entry("System", "Version", "49999676a121c1e2", "RuntimeVersion", t.TYPES)
)
"""Get the chain's in-code version."""

SS58Prefix: ConstantEntry[int] = ConstantEntry(
    Entry("System", "SS58Prefix", "854f89d259c93014", "u16", t.TYPES)
)
"""The designated SS58 prefix of this chain.

This replaces the "ss58Format" property declared in the chain spec. Reason is that the runtime
should know about the prefix in order to make use of it as an identifier of the chain.
"""
