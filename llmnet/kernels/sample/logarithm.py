"""The integer logarithm of the sampler in torch, and its tables (docs/protocol.md, section 5).

``x = 2^n * c_i * (1 + t)`` with ``c_i = 1 + i/64`` nearest to the mantissa; ``t - t^2/2 + t^3/3`` in Q48.
"""

from decimal import Decimal, localcontext
from functools import lru_cache

import torch
from torch import Tensor

POINTS = 65


@lru_cache
def log_tables() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """``LN[i] = round(ln(1 + i/64) * 2^48)`` and ``RC[i] = floor(2^31 / (1 + i/64))`` for i = 0..64."""
    with localcontext() as context:
        context.prec = 60
        logs = tuple(int(((1 + Decimal(i) / 64).ln() * (1 << 48)).to_integral_value()) for i in range(POINTS))
    return logs, tuple((1 << 37) // (64 + i) for i in range(POINTS))


LN2 = log_tables()[0][64]


@lru_cache
def device_tables(device: torch.device) -> Tensor:
    """Both tables on ``device``: int64 ``[2, 65]``."""
    return torch.tensor(log_tables(), dtype=torch.int64, device=device)


def ln_q48(x: Tensor) -> Tensor:
    """Natural logarithm in Q48 of int64 ``1 <= x < 2^62``, any shape."""
    logs, reciprocals = device_tables(x.device)
    n = _floor_log2(x)
    m = x << (62 - n)  # one bit lower than in the protocol, because the highest one is the sign
    i = ((m >> 55 & 0x7F) + 1) >> 1
    d = (m - ((64 + i) << 56)) * 2
    t = ((d >> 25) * reciprocals[i]) >> 21
    s = t >> 16
    square = s * s
    cube = (square >> 16) * s
    third = torch.div(cube, 3, rounding_mode="trunc")
    result: Tensor = n * LN2 + logs[i] + t - (square >> 17) + (third >> 32)
    return result


def _floor_log2(x: Tensor) -> Tensor:
    found = torch.zeros_like(x)
    for shift in (32, 16, 8, 4, 2, 1):
        step = (x >> (found + shift) > 0) * shift
        found = found + step
    return found


def gumbel_q16(u: Tensor) -> Tensor:
    """``-ln(-ln((u + 1/2) / 2^32))`` in Q16.16 for int64 ``0 <= u < 2^32``, any shape."""
    v = (33 * LN2 - ln_q48(2 * u + 1)).clamp(min=1)
    return (48 * LN2 - ln_q48(v) + (1 << 31)) >> 32
