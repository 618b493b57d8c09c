"""Gumbel noise in integers: one logarithm, equal bit for bit wherever it runs (protocol section 5).

`ln_q48` splits x = 2^n * c_i * (1 + t) with c_i = 1 + i/64 nearest to the mantissa and adds t - t^2/2 +
t^3/3, in Q48 nat.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import FieldError
from .philox import philox4x32, stream_key, tag_word

GUMBEL_TAG = tag_word("GUMB")
_U64 = (1 << 64) - 1


def _table() -> tuple[int, ...]:
    with localcontext() as context:
        context.prec = 60
        return tuple(int(((1 + Decimal(i) / 64).ln() * (1 << 48)).to_integral_value()) for i in range(65))


LN = _table()
RC = tuple((1 << 37) // (64 + i) for i in range(65))
LN2 = LN[64]
_LN_ARRAY, _RC_ARRAY = np.array(LN, dtype=np.int64), np.array(RC, dtype=np.int64)


def ln_q48(x: int) -> int:
    """Natural logarithm of 1 <= x < 2^64 in Q48; raises FieldError outside."""
    if not 1 <= x <= _U64:
        raise FieldError(f"ln_q48 needs 1..2^64, got {x}")
    n = x.bit_length() - 1
    m = x << (63 - n)
    i = ((m >> 56 & 0x7F) + 1) >> 1
    d = m - ((64 + i) << 57)
    t = ((d >> 25) * RC[i]) >> 21
    s = t >> 16
    square = s * s
    cube = (square >> 16) * s
    third = cube // 3 if cube >= 0 else -(-cube // 3)
    return n * LN2 + LN[i] + t - (square >> 17) + (third >> 32)


def gumbel_q16(u: int) -> int:
    """`-ln(-ln((u + 1/2) / 2^32))` in Q16.16 for a 32-bit u; error below 1e-4."""
    if not 0 <= u < 1 << 32:
        raise FieldError(f"gumbel_q16 needs a 32-bit u, got {u}")
    v = max(1, 33 * LN2 - ln_q48(2 * u + 1))
    return (48 * LN2 - ln_q48(v) + (1 << 31)) >> 32


def ln_q48_array(x: ArrayLike) -> NDArray[np.int64]:
    """`ln_q48` of every element of a uint64 array of any shape (all >= 1)."""
    given = np.asarray(x, dtype=np.uint64)
    if not given.all():
        raise FieldError("ln_q48 needs 1..2^64, got 0")
    value = np.atleast_1d(given)
    n = _floor_log2(value)
    m = value << (np.uint64(63) - n)
    i = (((m >> np.uint64(56)) & np.uint64(0x7F)) + np.uint64(1)) >> np.uint64(1)
    d = (m - ((i + np.uint64(64)) << np.uint64(57))).view(np.int64)
    index = i.astype(np.intp)
    t = ((d >> 25) * _RC_ARRAY[index]) >> 21
    s = t >> 16
    square = s * s
    cube = (square >> 16) * s
    third = np.sign(cube) * (np.abs(cube) // 3)
    result: NDArray[np.int64] = (
        n.astype(np.int64) * LN2 + _LN_ARRAY[index] + t - (square >> 17) + (third >> 32)
    )
    return result.reshape(given.shape)


def _floor_log2(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Index of the highest set bit of each (non-zero) element."""
    smeared = value.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        smeared |= smeared >> np.uint64(shift)
    return np.bitwise_count(smeared).astype(np.uint64) - np.uint64(1)


def gumbel_q16_array(u: ArrayLike) -> NDArray[np.int32]:
    """`gumbel_q16` of every element of a uint32 array of any shape."""
    wide = np.asarray(u, dtype=np.uint32).astype(np.uint64)
    shape = wide.shape
    wide = np.atleast_1d(wide)
    v = np.maximum(1, 33 * LN2 - ln_q48_array(wide * np.uint64(2) + np.uint64(1)))
    g = 48 * LN2 - ln_q48_array(v.astype(np.uint64))
    noise: NDArray[np.int32] = ((g + (1 << 31)) >> 32).astype(np.int32)
    return noise.reshape(shape)


def gumbel_noise(request_seed: bytes, position: int, ids: ArrayLike) -> NDArray[np.int32]:
    """Noise of each candidate id `[k]` at one output position, Q16.16 -> int32 `[k]`."""
    key, row = np.array([stream_key(request_seed)]), np.asarray(ids)[None, :]
    return gumbel_noise_batch(key, np.array([position]), row).reshape(-1)


def gumbel_noise_batch(keys: ArrayLike, positions: ArrayLike, ids: ArrayLike) -> NDArray[np.int32]:
    """Noise for keys `[B, 2]`, positions `[B]`, candidate ids `[B, k]` -> int32 `[B, k]`."""
    candidates = np.asarray(ids, dtype=np.uint64)
    counter = np.zeros((*candidates.shape, 4), dtype=np.uint64)
    counter[..., 0] = np.asarray(positions, dtype=np.uint64)[:, None]
    counter[..., 1] = candidates
    counter[..., 3] = GUMBEL_TAG
    words = philox4x32(counter, np.asarray(keys, dtype=np.uint64)[:, None, :])
    return gumbel_q16_array(words[..., 0])
