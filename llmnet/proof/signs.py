"""The +-1 matrices that project logits and hidden states onto eight lanes (protocol section 3)."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .errors import ShapeError
from .leaf import LANES
from .philox import philox4x32, stream_key, tag_word

LaneSet = Literal["LOGI", "HIDN"]
_PER_BLOCK = 16


@lru_cache(maxsize=64)
def sign_matrix(request_seed: bytes, lane_set: LaneSet, n: int) -> NDArray[np.int8]:
    """Signs of one request, int8 `[8, n]` of +-1, read-only and cached.

    `lane_set` is "LOGI" (n = vocabulary) or "HIDN" (n = hidden size). Element v takes byte `v mod 16` of
    block `v div 16`.
    """
    if lane_set not in ("LOGI", "HIDN"):
        raise ShapeError(f"lane_set must be 'LOGI' or 'HIDN', got {lane_set!r}")
    if not 0 < n < 1 << 32:
        raise ShapeError(f"a sketch needs 1..2^32 elements, got {n}")
    blocks = -(-n // _PER_BLOCK)
    counter = np.zeros((blocks, 4), dtype=np.uint64)
    counter[:, 0] = np.arange(blocks)
    counter[:, 3] = tag_word(lane_set)
    words = philox4x32(counter, stream_key(request_seed))
    octets = words.astype("<u4").view(np.uint8).reshape(-1)[:n]
    bits = octets[None, :] >> np.arange(LANES, dtype=np.uint8)[:, None] & np.uint8(1)
    signs = np.ascontiguousarray(1 - 2 * bits.astype(np.int8))
    signs.flags.writeable = False
    return signs
