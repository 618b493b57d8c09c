# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Errors of the pallet `Proxy`."""

from __future__ import annotations

from typing import ClassVar

from llmnet.chain import Entry, PalletError

from .. import types as t


class TooMany(PalletError):
    """There are too many proxies registered or too many announcements pending."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Proxy", "TooMany", "df4d8451ec7bb012", "", t.TYPES)


class NotFound(PalletError):
    """Proxy registration not found."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Proxy", "NotFound", "17e6730aa81d46ba", "", t.TYPES)


class NotProxy(PalletError):
    """Sender is not a proxy of the account to be proxied."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Proxy", "NotProxy", "723ba35c3022ed88", "", t.TYPES)


class Unproxyable(PalletError):
    """A call which is incompatible with the proxy type's filter was attempted."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Proxy", "Unproxyable", "0eb9761e1fdd5c44", "", t.TYPES)


class Duplicate(PalletError):
    """Account is already a proxy."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Proxy", "Duplicate", "851c6ef0ea67a8f2", "", t.TYPES)


class NoPermission(PalletError):
    """Call may not be made by proxy because it may escalate its privileges."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Proxy", "NoPermission", "c1e471baf905a08c", "", t.TYPES)


class Unannounced(PalletError):
    """Announcement, if made at all, was made too recently."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Proxy", "Unannounced", "d99d4ad0b990c307", "", t.TYPES)


class NoSelfProxy(PalletError):
    """Cannot add self as proxy."""

    __slots__ = ()
    ENTRY: ClassVar[Entry] = Entry("Proxy", "NoSelfProxy", "e387139bef7dc811", "", t.TYPES)
