# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Events of the pallet `Proxy`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmnet.chain import Entry, Err, Ok, PalletEvent

from .. import types as t


@dataclass(frozen=True, slots=True)
class ProxyExecuted(PalletEvent):
    """A proxy was executed correctly, with the given."""

    ENTRY: ClassVar[Entry] = Entry(
        "Proxy", "ProxyExecuted", "644ec989e72c9049", "result: Result<(), DispatchError>", t.TYPES
    )
    result: Ok[tuple[()]] | Err[t.DispatchError]


@dataclass(frozen=True, slots=True)
class PureCreated(PalletEvent):
    """A pure account has been created by new proxy with given disambiguation index and proxy type."""

    ENTRY: ClassVar[Entry] = Entry(
        "Proxy",
        "PureCreated",
        "81a156e3e93924ec",
        "pure: AccountId32, who: AccountId32, proxy_type: ProxyType, disambiguation_index: u16, at: u32, extrinsic_index: u32",
        t.TYPES,
    )
    pure: t.AccountId32
    who: t.AccountId32
    proxy_type: t.ProxyType
    disambiguation_index: int
    at: int
    extrinsic_index: int


@dataclass(frozen=True, slots=True)
class PureKilled(PalletEvent):
    """A pure proxy was killed by its spawner."""

    ENTRY: ClassVar[Entry] = Entry(
        "Proxy",
        "PureKilled",
        "4da4ec3b1991a4ec",
        "pure: AccountId32, spawner: AccountId32, proxy_type: ProxyType, disambiguation_index: u16",
        t.TYPES,
    )
    pure: t.AccountId32
    spawner: t.AccountId32
    proxy_type: t.ProxyType
    disambiguation_index: int


@dataclass(frozen=True, slots=True)
class Announced(PalletEvent):
    """An announcement was placed to make a call in the future."""

    ENTRY: ClassVar[Entry] = Entry(
        "Proxy",
        "Announced",
        "4eb5fc72e354bf7f",
        "real: AccountId32, proxy: AccountId32, call_hash: H256",
        t.TYPES,
    )
    real: t.AccountId32
    proxy: t.AccountId32
    call_hash: t.H256


@dataclass(frozen=True, slots=True)
class ProxyAdded(PalletEvent):
    """A proxy was added."""

    ENTRY: ClassVar[Entry] = Entry(
        "Proxy",
        "ProxyAdded",
        "57c864a9166246c6",
        "delegator: AccountId32, delegatee: AccountId32, proxy_type: ProxyType, delay: u32",
        t.TYPES,
    )
    delegator: t.AccountId32
    delegatee: t.AccountId32
    proxy_type: t.ProxyType
    delay: int


@dataclass(frozen=True, slots=True)
class ProxyRemoved(PalletEvent):
    """A proxy was removed."""

    ENTRY: ClassVar[Entry] = Entry(
        "Proxy",
        "ProxyRemoved",
        "375aa001628d8f8b",
        "delegator: AccountId32, delegatee: AccountId32, proxy_type: ProxyType, delay: u32",
        t.TYPES,
    )
    delegator: t.AccountId32
    delegatee: t.AccountId32
    proxy_type: t.ProxyType
    delay: int


@dataclass(frozen=True, slots=True)
class DepositPoked(PalletEvent):
    """A deposit stored for proxies or announcements was poked / updated."""

    ENTRY: ClassVar[Entry] = Entry(
        "Proxy",
        "DepositPoked",
        "3debb1d237f1f21c",
        "who: AccountId32, kind: DepositKind, old_deposit: u128, new_deposit: u128",
        t.TYPES,
    )
    who: t.AccountId32
    kind: t.DepositKind
    old_deposit: int
    new_deposit: int
