"""Calls as root (the frame pallet `Sudo`)."""

from ._generated.sudo import errors, events, storage
from ._generated.sudo.calls import (
    remove_key,
    set_key,
    sudo,
    sudo_as,
    sudo_unchecked_weight,
)

__all__ = [
    "errors",
    "events",
    "remove_key",
    "set_key",
    "storage",
    "sudo",
    "sudo_as",
    "sudo_unchecked_weight",
]
