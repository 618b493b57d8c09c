"""TOPLOC, written anew from its paper: the largest hidden values of every 32 tokens, as a polynomial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from llmnet.redteam.rivals.base import LEVEL, Check, Honest, Rival, Run, states_of
from llmnet.redteam.rivals.errors import BadCommitment
from llmnet.redteam.rivals.polynomial import PRIME, evaluate, injective_modulus, interpolate

TOKENS = 32
VALUES = 128
_MANTISSA_BITS = 7
_EXPONENT_MASK = 0xFF
_MANTISSA_MASK = (1 << _MANTISSA_BITS) - 1
_WORST = float(1 << _MANTISSA_BITS)  # of a mantissa, where no exponent agrees


@dataclass(frozen=True, slots=True)
class Limits:
    """What an honest chunk does not exceed: exponents that differ, mean and median difference of the mantissas."""

    exponents: float
    mean: float
    median: float

    def worst(self, found: Limits) -> float:
        """The largest of the three as a multiple of its limit."""
        return max(found.exponents / self.exponents, found.mean / self.mean, found.median / self.median)


PUBLISHED = Limits(38, 10, 8)
"""For bfloat16: at least 90 of the 128 exponents agree, mantissas differ by at most 10 on average and 8 in the median."""
_FLOOR = Limits(1, 1 / VALUES, 1 / VALUES)  # a limit of nothing at all would let no scale be told


@dataclass(frozen=True)
class Toploc(Rival):
    """Values are compared as bfloat16, whatever the class: the polynomial's field holds sixteen bits.

    The score is the worst chunk's largest statistic as a multiple of its limit, so 1 is where `limits` are reached.
    """

    limits: Limits = PUBLISHED
    name: str = "TOPLOC"
    source: str = "arXiv:2501.16007"
    needs_states = True

    def commit(self, run: Run) -> bytes:
        return b"".join(_commit(chunk) for chunk in _chunks(states_of(run, self.name)))

    def check(self, commitment: bytes, own: Run) -> Check:
        found = self.differences(commitment, own)
        rejected = any(PUBLISHED.worst(chunk) > 1 for chunk in found)
        return Check(max(self.limits.worst(chunk) for chunk in found), rejected)

    def differences(self, commitment: bytes, own: Run) -> list[Limits]:
        """The three statistics of every chunk. Raises BadCommitment."""
        chunks = _chunks(states_of(own, self.name))
        sizes = [2 * (1 + min(VALUES, chunk.size)) for chunk in chunks]
        if len(commitment) != sum(sizes):
            raise BadCommitment(
                f"a TOPLOC proof of this answer has {sum(sizes)} bytes, got {len(commitment)}"
            )
        ends = np.cumsum(sizes)
        parts = [commitment[end - size : end] for size, end in zip(sizes, ends, strict=True)]
        return [_compare(part, chunk) for part, chunk in zip(parts, chunks, strict=True)]

    def fitted(self, honest: Sequence[Honest]) -> Self:
        """Limits where 99 % of the honest answers' worst chunks lie."""
        super().fitted(honest)
        found = [self.differences(answer.commitment, answer.own) for answer in honest]
        rows = np.array(
            [np.max([(c.exponents, c.mean, c.median) for c in chunks], axis=0) for chunks in found]
        )
        exponents, mean, median = np.quantile(rows, LEVEL, axis=0, method="higher")
        limits = Limits(
            max(_FLOOR.exponents, float(exponents)),
            max(_FLOOR.mean, float(mean)),
            max(_FLOOR.median, float(median)),
        )
        return replace(self, limits=limits)


def _chunks(states: NDArray[np.float32]) -> list[NDArray[np.uint16]]:
    """Bit patterns in bfloat16 of every 32 tokens, flat."""
    rounded = torch.from_numpy(np.ascontiguousarray(states)).to(torch.bfloat16).view(torch.int16).numpy()
    bits: NDArray[np.uint16] = rounded.view(np.uint16)
    return [bits[start : start + TOKENS].reshape(-1) for start in range(0, len(bits), TOKENS)]


def _largest(bits: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Where the largest values stand by magnitude, which the bits below the sign order; ties to the lower place."""
    magnitudes = (bits & 0x7FFF).astype(np.int64)
    return np.argsort(-magnitudes, kind="stable")[:VALUES]


def _commit(bits: NDArray[np.uint16]) -> bytes:
    places = _largest(bits)
    modulus = injective_modulus(places)
    coefficients = interpolate(places % modulus, bits[places])
    return np.array([modulus, *coefficients], dtype=">u2").tobytes()


def _compare(proof: bytes, bits: NDArray[np.uint16]) -> Limits:
    modulus, *coefficients = np.frombuffer(proof, dtype=">u2").astype(np.int64)
    if not 0 < modulus <= PRIME:
        raise BadCommitment(f"a TOPLOC proof with the modulus {modulus}")
    places = _largest(bits)
    theirs = evaluate(np.array(coefficients), places % modulus)
    mine = bits[places].astype(np.int64)
    agree = _exponents(theirs) == _exponents(mine)
    apart = np.abs((theirs & _MANTISSA_MASK) - (mine & _MANTISSA_MASK))[agree]
    if not agree.any():
        return Limits(float(len(places)), _WORST, _WORST)
    return Limits(float((~agree).sum()), float(apart.mean()), float(np.median(apart)))


def _exponents(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    return (bits >> _MANTISSA_BITS) & _EXPONENT_MASK
