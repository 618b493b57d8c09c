"""Philox4x32-10 in torch integers: the generator behind signs and noise, for the eager references.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Words are int64
tensors that hold 32-bit values, because torch has no unsigned arithmetic.
"""

import torch
from torch import Tensor

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
WORD = 0xFFFFFFFF

GUMBEL_TAG = int.from_bytes(b"GUMB", "little")
SIGN_TAGS = {"LOGI": int.from_bytes(b"LOGI", "little"), "HIDN": int.from_bytes(b"HIDN", "little")}


def philox(counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Ten rounds over int64 words that broadcast against each other; returns four of them."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        high0, low0 = _product(c0, MULTIPLIERS[0])
        high1, low1 = _product(c2, MULTIPLIERS[1])
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + WEYL[0]) & WORD, (k1 + WEYL[1]) & WORD
    whole = torch.zeros_like(c0 + c1 + c2 + c3)
    return tuple(word + whole for word in (c0, c1, c2, c3))


def _product(word: Tensor, multiplier: int) -> tuple[Tensor, Tensor]:
    """High and low word of a 32 by 32 bit product, by halves: the whole would overflow int64."""
    low, high = word * (multiplier & 0xFFFF), word * (multiplier >> 16)
    total = low + ((high & 0xFFFF) << 16)
    return (high >> 16) + (total >> 32), total & WORD
