# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Storage of the pallet `Proxy`."""

from __future__ import annotations

from llmnet.chain import (
    Entry,
    StorageMap,
)

from .. import types as t

Proxies: StorageMap[t.AccountId32, tuple[tuple[t.ProxyDefinition, ...], int]] = StorageMap(
    Entry(
        "Proxy",
        "Proxies",
        "37f8db1b4da7d60c",
        "(Twox64Concat AccountId32) -> (Vec<ProxyDefinition>, u128)",
        t.TYPES,
    )
)
"""The set of account proxies. Maps the account which has delegated to the accounts which are being
delegated to, together with the amount held on deposit.
"""

Announcements: StorageMap[t.AccountId32, tuple[tuple[t.Announcement, ...], int]] = StorageMap(
    Entry(
        "Proxy",
        "Announcements",
        "29a87c3d75ed8dd7",
        "(Twox64Concat AccountId32) -> (Vec<Announcement>, u128)",
        t.TYPES,
    )
)
"""The announcements made by the proxy (key)."""
