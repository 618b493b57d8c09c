"""Accounts that act for others (the frame pallet `Proxy`)."""

from ._generated.proxy import constants, errors, events, storage
from ._generated.proxy.calls import (
    add_proxy,
    announce,
    create_pure,
    kill_pure,
    poke_deposit,
    proxy,
    proxy_announced,
    reject_announcement,
    remove_announcement,
    remove_proxies,
    remove_proxy,
)
from ._generated.proxy.views import check_permissions, is_superset

__all__ = [
    "add_proxy",
    "announce",
    "check_permissions",
    "constants",
    "create_pure",
    "errors",
    "events",
    "is_superset",
    "kill_pure",
    "poke_deposit",
    "proxy",
    "proxy_announced",
    "reject_announcement",
    "remove_announcement",
    "remove_proxies",
    "remove_proxy",
    "storage",
]
