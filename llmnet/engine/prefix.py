"""Names for pages of the cache by what is in them, so that a prompt can begin where another one's prompt ended.

The key of a page is a hash over its tokens and the key of the page before it. The first page's predecessor is a
root made of whatever else decides what the numbers are (an adapter) or who may share them (a salt): requests with
different roots never meet, and cannot find out from the time an answer takes what others have asked.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

_KEY_BYTES = 32  # tokens come from strangers: a collision would answer with somebody else's prompt


def root_key(adapter: str = "", salt: bytes = b"") -> bytes:
    """Where the chain of a request begins."""
    name = adapter.encode()
    lengths = struct.pack("<QQ", len(name), len(salt))
    return hashlib.blake2b(lengths + name + salt, digest_size=_KEY_BYTES, person=b"llmnet prefix").digest()


def next_key(before: bytes, tokens: Sequence[int]) -> bytes:
    """Key of a full page that follows the page `before`."""
    content = struct.pack(f"<{len(tokens)}I", *tokens)
    return hashlib.blake2b(before + content, digest_size=_KEY_BYTES, person=b"llmnet page").digest()
