# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `System`."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.chain import Call, Entry

from .. import types as t

_REMARK = Entry("System", "remark", "b46e58a6c184c9fc", "remark: Vec<u8>", t.TYPES)


def remark(remark: bytes) -> Call:
    """Make some on-chain remark.

    Can be executed by every `origin`.
    """
    return Call("System", "remark", {"remark": remark}, _REMARK)


_SET_HEAP_PAGES = Entry("System", "set_heap_pages", "c56a1d5e22cd8ade", "pages: u64", t.TYPES)


def set_heap_pages(pages: int) -> Call:
    """Set the number of pages in the WebAssembly environment's heap."""
    return Call("System", "set_heap_pages", {"pages": pages}, _SET_HEAP_PAGES)


_SET_CODE = Entry("System", "set_code", "e60270493ae07d6e", "code: Vec<u8>", t.TYPES)


def set_code(code: bytes) -> Call:
    """Set the new runtime code."""
    return Call("System", "set_code", {"code": code}, _SET_CODE)


_SET_CODE_WITHOUT_CHECKS = Entry(
    "System", "set_code_without_checks", "6160d88d2b2dacea", "code: Vec<u8>", t.TYPES
)


def set_code_without_checks(code: bytes) -> Call:
    """Set the new runtime code without doing any checks of the given `code`.

    Note that runtime upgrades will not run if this is called with a not-increasing spec version!
    """
    return Call("System", "set_code_without_checks", {"code": code}, _SET_CODE_WITHOUT_CHECKS)


_SET_STORAGE = Entry("System", "set_storage", "e03eaaeaad1cf6b5", "items: Vec<(Vec<u8>, Vec<u8>)>", t.TYPES)


def set_storage(items: Sequence[tuple[bytes, bytes]]) -> Call:
    """Set some items of storage."""
    return Call("System", "set_storage", {"items": items}, _SET_STORAGE)


_KILL_STORAGE = Entry("System", "kill_storage", "d34c32d04b3ca0e9", "keys: Vec<Vec<u8>>", t.TYPES)


def kill_storage(keys: Sequence[bytes]) -> Call:
    """Kill some items from storage."""
    return Call("System", "kill_storage", {"keys": keys}, _KILL_STORAGE)


_KILL_PREFIX = Entry("System", "kill_prefix", "e6ecf7741e3f5d27", "prefix: Vec<u8>, subkeys: u32", t.TYPES)


def kill_prefix(prefix: bytes, subkeys: int) -> Call:
    """Kill all storage items with a key that starts with the given prefix.

    **NOTE:** We rely on the Root origin to provide us the number of subkeys under the prefix we are
    removing to accurately calculate the weight of this function.
    """
    return Call("System", "kill_prefix", {"prefix": prefix, "subkeys": subkeys}, _KILL_PREFIX)


_REMARK_WITH_EVENT = Entry("System", "remark_with_event", "67e4f8f62f60b629", "remark: Vec<u8>", t.TYPES)


def remark_with_event(remark: bytes) -> Call:
    """Make some on-chain remark and emit event."""
    return Call("System", "remark_with_event", {"remark": remark}, _REMARK_WITH_EVENT)


_AUTHORIZE_UPGRADE = Entry("System", "authorize_upgrade", "0f68747109c2a6b3", "code_hash: H256", t.TYPES)


def authorize_upgrade(code_hash: t.H256) -> Call:
    """Authorize an upgrade to a given `code_hash` for the runtime. The runtime can be supplied later.

    This call requires Root origin.
    """
    return Call("System", "authorize_upgrade", {"code_hash": code_hash}, _AUTHORIZE_UPGRADE)


_AUTHORIZE_UPGRADE_WITHOUT_CHECKS = Entry(
    "System", "authorize_upgrade_without_checks", "1a3574cb33a1d30d", "code_hash: H256", t.TYPES
)


def authorize_upgrade_without_checks(code_hash: t.H256) -> Call:
    """Authorize an upgrade to a given `code_hash` for the runtime. The runtime can be supplied later.

    WARNING: This authorizes an upgrade that will take place without any safety checks, for example that
    the spec name remains the same and that the version number increases. Not recommended for normal
    use. Use `authorize_upgrade` instead.

    This call requires Root origin.
    """
    return Call(
        "System",
        "authorize_upgrade_without_checks",
        {"code_hash": code_hash},
        _AUTHORIZE_UPGRADE_WITHOUT_CHECKS,
    )


_APPLY_AUTHORIZED_UPGRADE = Entry(
    "System", "apply_authorized_upgrade", "16111631d1a6ece7", "code: Vec<u8>", t.TYPES
)


def apply_authorized_upgrade(code: bytes) -> Call:
    """Provide the preimage (runtime binary) `code` for an upgrade that has been authorized.

    If the authorization required a version check, this call will ensure the spec name remains unchanged
    and that the spec version has increased.

    Depending on the runtime's `OnSetCode` configuration, this function may directly apply the new
    `code` in the same block or attempt to schedule the upgrade.

    All origins are allowed.
    """
    return Call("System", "apply_authorized_upgrade", {"code": code}, _APPLY_AUTHORIZED_UPGRADE)
