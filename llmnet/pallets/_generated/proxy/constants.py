# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Constants of the pallet `Proxy`."""

from __future__ import annotations

from llmnet.chain import ConstantEntry, Entry

from .. import types as t

ProxyDepositBase: ConstantEntry[int] = ConstantEntry(
    Entry("Proxy", "ProxyDepositBase", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The base amount of currency needed to reserve for creating a proxy.

This is held for an additional storage item whose value size is `sizeof(Balance)` bytes and whose
key size is `sizeof(AccountId)` bytes.
"""

ProxyDepositFactor: ConstantEntry[int] = ConstantEntry(
    Entry("Proxy", "ProxyDepositFactor", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The amount of currency needed per proxy added.

This is held for adding 32 bytes plus an instance of `ProxyType` more into a pre-existing storage
value. Thus, when configuring `ProxyDepositFactor` one should take into account `32 +
proxy_type.encode().len()` bytes of data.
"""

MaxProxies: ConstantEntry[int] = ConstantEntry(
    Entry("Proxy", "MaxProxies", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The maximum amount of proxies allowed for a single account."""

MaxPending: ConstantEntry[int] = ConstantEntry(
    Entry("Proxy", "MaxPending", "3be9c3b7fdf0f7e9", "u32", t.TYPES)
)
"""The maximum amount of time-delayed announcements that are allowed to be pending."""

AnnouncementDepositBase: ConstantEntry[int] = ConstantEntry(
    Entry("Proxy", "AnnouncementDepositBase", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The base amount of currency needed to reserve for creating an announcement.

This is held when a new storage item holding a `Balance` is created (typically 16 bytes).
"""

AnnouncementDepositFactor: ConstantEntry[int] = ConstantEntry(
    Entry("Proxy", "AnnouncementDepositFactor", "4eb97a68e577b3ef", "u128", t.TYPES)
)
"""The amount of currency needed per announcement made.

This is held for adding an `AccountId`, `Hash` and `BlockNumber` (typically 68 bytes) into a
pre-existing storage value.
"""
