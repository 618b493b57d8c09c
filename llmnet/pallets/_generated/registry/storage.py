# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Registry`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
)

from .. import types as t

Specs: StorageMap[t.H256, t.SpecRecord | None] = StorageMap(
    Entry("Registry", "Specs", "b0c444a362af3872", "(Blake2_128Concat H256) -> SpecRecord?", t.TYPES)
)
"""The registered specs by id."""

CounterForSpecs: StorageValue[int] = StorageValue(
    Entry("Registry", "CounterForSpecs", "aeab2f781dfa3f3a", "u32", t.TYPES)
)
"""Counter for the related counted storage map"""

Calibrations: StorageMap[t.H256, t.Calibration | None] = StorageMap(
    Entry("Registry", "Calibrations", "29d14ee8ff3da2de", "(Blake2_128Concat H256) -> Calibration?", t.TYPES)
)
"""The calibration of each spec that has one, expired ones included."""

Offers: StorageDoubleMap[t.H256, t.AccountId32, t.Offer | None] = StorageDoubleMap(
    Entry(
        "Registry",
        "Offers",
        "7d5df695f1d65d04",
        "(Blake2_128Concat H256, Blake2_128Concat AccountId32) -> Offer?",
        t.TYPES,
    )
)
"""The offers by spec and worker."""

OffersOf: StorageMap[t.AccountId32, tuple[t.H256, ...]] = StorageMap(
    Entry("Registry", "OffersOf", "55a33a433a180b63", "(Blake2_128Concat AccountId32) -> Vec<H256>", t.TYPES)
)
"""The specs each worker offers."""

Domains: StorageMap[int, t.Domain | None] = StorageMap(
    Entry("Registry", "Domains", "8c2d360ae92eff8f", "(Twox64Concat u32) -> Domain?", t.TYPES)
)
"""The domain tree."""

NextDomain: StorageValue[int] = StorageValue(
    Entry("Registry", "NextDomain", "aeab2f781dfa3f3a", "u32", t.TYPES)
)
"""The id of the next domain; ids below it are all in use."""

Heartbeats: StorageMap[t.AccountId32, int | None] = StorageMap(
    Entry("Registry", "Heartbeats", "2d88f782b46a8608", "(Blake2_128Concat AccountId32) -> u32?", t.TYPES)
)
"""The last block in which each worker with an offer said that it is alive."""

FormerEndpoints: StorageMap[t.AccountId32, bytes | None] = StorageMap(
    Entry(
        "Registry",
        "FormerEndpoints",
        "c0edd198f6bf1f3f",
        "(Blake2_128Concat AccountId32) -> Vec<u8>?",
        t.TYPES,
    )
)
"""Where workers were reached whose offers were withdrawn because they were removed: their appeals are
audited there.
"""
