"""The host functions that a runtime may import, by their full name."""

from llmnet.devnode.host import child_storage, crypto, hashing, misc, storage
from llmnet.devnode.host.registry import HOST_FUNCTIONS, HostCall, HostFunction, HostRefusedError

__all__ = [
    "HOST_FUNCTIONS",
    "HostCall",
    "HostFunction",
    "HostRefusedError",
    "child_storage",
    "crypto",
    "hashing",
    "misc",
    "storage",
]
