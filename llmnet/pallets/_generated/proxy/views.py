# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""View functions of the pallet `Proxy`."""

from __future__ import annotations

from llmnet.chain import Call, Entry, View, ViewFunction

from .. import types as t

_CHECK_PERMISSIONS: ViewFunction[bool] = ViewFunction(
    Entry(
        "Proxy",
        "check_permissions",
        "a1ea438b7327e5cf",
        "(call: RuntimeCall, proxy_type: ProxyType) -> bool",
        t.TYPES,
    )
)


async def check_permissions(view: View, call: Call, proxy_type: t.ProxyType) -> bool:
    """Check if a `RuntimeCall` is allowed for a given `ProxyType`."""
    return await view.ask(_CHECK_PERMISSIONS, {"call": call, "proxy_type": proxy_type})


_IS_SUPERSET: ViewFunction[bool] = ViewFunction(
    Entry(
        "Proxy",
        "is_superset",
        "6a5cf860e6f907bc",
        "(to_check: ProxyType, against: ProxyType) -> bool",
        t.TYPES,
    )
)


async def is_superset(view: View, to_check: t.ProxyType, against: t.ProxyType) -> bool:
    """Check if one `ProxyType` is a subset of another `ProxyType`."""
    return await view.ask(_IS_SUPERSET, {"to_check": to_check, "against": against})
