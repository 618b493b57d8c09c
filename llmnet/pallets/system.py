"""Accounts, remarks and code (the frame pallet `System`)."""

from ._generated.system import constants, errors, events, storage
from ._generated.system.calls import (
    apply_authorized_upgrade,
    authorize_upgrade,
    authorize_upgrade_without_checks,
    kill_prefix,
    kill_storage,
    remark,
    remark_with_event,
    set_code,
    set_code_without_checks,
    set_heap_pages,
    set_storage,
)

__all__ = [
    "apply_authorized_upgrade",
    "authorize_upgrade",
    "authorize_upgrade_without_checks",
    "constants",
    "errors",
    "events",
    "kill_prefix",
    "kill_storage",
    "remark",
    "remark_with_event",
    "set_code",
    "set_code_without_checks",
    "set_heap_pages",
    "set_storage",
    "storage",
]
