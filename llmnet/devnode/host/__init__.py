"""The host functions that a runtime may import, by their full name."""

from llmnet.devnode.host import child_storage, crypto, hashing, misc, storage
from llmnet.devnode.host.registry import HOST_FUNCTIONS, HostCall, HostFunction, HostRefusal

__all__ = ["HOST_FUNCTIONS", "HostCall", "HostFunction", "HostRefusal", "child_storage", "crypto", "hashing", "misc", "storage"]
