# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `System`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageMap,
    StorageValue,
)

from .. import types as t

Account: StorageMap[t.AccountId32, t.AccountInfo] = StorageMap(
    Entry("System", "Account", "32df163928a52819", "(Blake2_128Concat AccountId32) -> AccountInfo", t.TYPES)
)
"""The full account information for a particular account ID."""

ExtrinsicCount: StorageValue[int | None] = StorageValue(
    Entry("System", "ExtrinsicCount", "44ae70be82dab638", "u32?", t.TYPES)
)
"""Total extrinsics count for the current block."""

InherentsApplied: StorageValue[bool] = StorageValue(
    Entry("System", "InherentsApplied", "4f11f860aacdff40", "bool", t.TYPES)
)
"""Whether all inherents have been applied."""

BlockWeight: StorageValue[t.PerDispatchClassWeight] = StorageValue(
    Entry("System", "BlockWeight", "56528fef19f1806e", "PerDispatchClass", t.TYPES)
)
"""The current weight for the block."""

BlockSize: StorageValue[int | None] = StorageValue(
    Entry("System", "BlockSize", "44ae70be82dab638", "u32?", t.TYPES)
)
"""Total size (in bytes) of the current block.

Tracks the size of the header and all extrinsics.
"""

BlockHash: StorageMap[int, t.H256] = StorageMap(
    Entry("System", "BlockHash", "e19cb58601f606b3", "(Twox64Concat u32) -> H256", t.TYPES)
)
"""Map of block numbers to block hashes."""

ExtrinsicData: StorageMap[int, bytes] = StorageMap(
    Entry("System", "ExtrinsicData", "d5954d69d9e87fec", "(Twox64Concat u32) -> Vec<u8>", t.TYPES)
)
"""Extrinsics data for the current block (maps an extrinsic's index to its data)."""

Number: StorageValue[int] = StorageValue(Entry("System", "Number", "147434688aaf9046", "u32", t.TYPES))
"""The current block number being processed. Set by `execute_block`."""

ParentHash: StorageValue[t.H256] = StorageValue(
    Entry("System", "ParentHash", "4f684795d85431bb", "H256", t.TYPES)
)
"""Hash of the previous block."""

Digest: StorageValue[t.Digest] = StorageValue(
    Entry("System", "Digest", "63041b2d894f3aca", "Digest", t.TYPES)
)
"""Digest of the current block, also part of the block header."""

Events: StorageValue[tuple[t.EventRecord, ...]] = StorageValue(
    Entry("System", "Events", "0ddb6fc28cd62035", "Vec<EventRecord>", t.TYPES)
)
"""Events deposited for the current block.

NOTE: The item is unbound and should therefore never be read on chain. It could otherwise inflate
the PoV size of a block.

Events have a large in-memory size. Box the events to not go out-of-memory just in case someone
still reads them from within the runtime.
"""

EventCount: StorageValue[int] = StorageValue(
    Entry("System", "EventCount", "147434688aaf9046", "u32", t.TYPES)
)
"""The number of events in the `Events<T>` list."""

EventTopics: StorageMap[t.H256, tuple[tuple[int, int], ...]] = StorageMap(
    Entry("System", "EventTopics", "eb2ca819ac48c400", "(Blake2_128Concat H256) -> Vec<(u32, u32)>", t.TYPES)
)
"""Mapping between a topic (represented by T::Hash) and a vector of indexes of events in the
`<Events<T>>` list.

All topic vectors have deterministic storage locations depending on the topic. This allows
light-clients to leverage the changes trie storage tracking mechanism and in case of changes fetch
the list of events of interest.

The value has the type `(BlockNumberFor<T>, EventIndex)` because if we used only just the
`EventIndex` then in case if the topic has the same contents on the next block no notification will
be triggered thus the event might be lost.
"""

LastRuntimeUpgrade: StorageValue[t.LastRuntimeUpgradeInfo | None] = StorageValue(
    Entry("System", "LastRuntimeUpgrade", "0d887b8eaa6833fd", "LastRuntimeUpgradeInfo?", t.TYPES)
)
"""Stores the `spec_version` and `spec_name` of when the last runtime upgrade happened."""

BlocksTillUpgrade: StorageValue[int | None] = StorageValue(
    Entry("System", "BlocksTillUpgrade", "bdfc696a002314f9", "u8?", t.TYPES)
)
"""Number of blocks till the pending code upgrade is applied."""

UpgradedToU32RefCount: StorageValue[bool] = StorageValue(
    Entry("System", "UpgradedToU32RefCount", "4f11f860aacdff40", "bool", t.TYPES)
)
"""True if we have upgraded so that `type RefCount` is `u32`. False (default) if not."""

UpgradedToTripleRefCount: StorageValue[bool] = StorageValue(
    Entry("System", "UpgradedToTripleRefCount", "4f11f860aacdff40", "bool", t.TYPES)
)
"""True if we have upgraded so that AccountInfo contains three types of `RefCount`. False (default) if
not.
"""

ExecutionPhase: StorageValue[t.Phase | None] = StorageValue(
    Entry("System", "ExecutionPhase", "d66a92f8414974f6", "Phase?", t.TYPES)
)
"""The execution phase of the block."""

AuthorizedUpgrade: StorageValue[t.CodeUpgradeAuthorization | None] = StorageValue(
    Entry("System", "AuthorizedUpgrade", "c8d6987662397467", "CodeUpgradeAuthorization?", t.TYPES)
)
"""`Some` if a code upgrade has been authorized."""

ExtrinsicWeightReclaimed: StorageValue[t.Weight] = StorageValue(
    Entry("System", "ExtrinsicWeightReclaimed", "19defd52a78a9b45", "Weight", t.TYPES)
)
"""The weight reclaimed for the extrinsic.

This information is available until the end of the extrinsic execution. More precisely this
information is removed in `note_applied_extrinsic`.

Logic doing some post dispatch weight reduction must update this storage to avoid duplicate
reduction.
"""
