"""Philox4x32-10, the counter-based generator behind signs and noise.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); its published
known answers are in the vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ShapeError
from .hashing import check_seed

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_MASK, _WORD = np.uint64(0xFFFFFFFF), np.uint64(32)
_ROUNDS = 10


def stream_key(request_seed: bytes) -> tuple[int, int]:
    """Key of all streams of one request: the first two little-endian words of its seed."""
    seed = check_seed(request_seed)
    return int.from_bytes(seed[0:4], "little"), int.from_bytes(seed[4:8], "little")


def tag_word(tag: str) -> int:
    """Four ASCII bytes as the counter's last word."""
    return int.from_bytes(tag.encode("ascii"), "little")


def philox4x32(counter: ArrayLike, key: ArrayLike) -> NDArray[np.uint32]:
    """Ten rounds of Philox4x32 over counters `[..., 4]` and keys `[..., 2]` (broadcast against each other) ->
    `[..., 4]`.

    Values must be in 0..2^32; raises ShapeError for other trailing sizes.
    """
    x, k = np.asarray(counter, dtype=np.uint64), np.asarray(key, dtype=np.uint64)
    if x.ndim == 0 or x.shape[-1] != 4 or k.ndim == 0 or k.shape[-1] != 2:
        raise ShapeError(f"philox needs counters [..., 4] and keys [..., 2], got {x.shape} and {k.shape}")
    # At least one axis beside the words: numpy warns of wrap-around on scalars but not on arrays.
    x, k = np.atleast_2d(x), np.atleast_2d(k)
    c0, c1, c2, c3 = (x[..., i] for i in range(4))
    k0, k1 = k[..., 0], k[..., 1]
    for _ in range(_ROUNDS):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _WORD) ^ c1 ^ k0, p1 & _MASK, (p0 >> _WORD) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    words = np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1).astype(np.uint32)
    shape = np.broadcast_shapes(np.shape(counter)[:-1], np.shape(key)[:-1])
    return words.reshape((*shape, 4))
