"""The host functions that a runtime may import, by their full name."""

from llmnet.devnode.host import child_storage, crypto, hashing, keys, misc, offchain, storage, trie
from llmnet.devnode.host.missing import why_missing
from llmnet.devnode.host.registry import HOST_FUNCTIONS, HostCall, HostFunction, HostRefusedError

__all__ = [
    "HOST_FUNCTIONS",
    "HostCall",
    "HostFunction",
    "HostRefusedError",
    "child_storage",
    "crypto",
    "hashing",
    "keys",
    "misc",
    "offchain",
    "storage",
    "trie",
    "why_missing",
]
