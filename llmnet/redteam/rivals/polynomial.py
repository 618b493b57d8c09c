"""Polynomials over the field of 65497 elements: how TOPLOC writes which large values stand where."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmnet.redteam.rivals.errors import RivalError

PRIME = 65497
"""The largest prime whose residues hold every finite bfloat16 bit pattern's place in the paper's encoding."""
_LEAST_MODULUS = 1 << 15


def injective_modulus(places: ArrayLike) -> int:
    """The largest modulus up to PRIME under which all places differ. Raises RivalError if there is none above 2^15."""
    values = np.asarray(places, dtype=np.int64)
    for modulus in range(PRIME, _LEAST_MODULUS, -1):
        if len(np.unique(values % modulus)) == len(values):
            return modulus
    raise RivalError(f"no modulus above {_LEAST_MODULUS} tells these {len(values)} places apart")


def interpolate(x: ArrayLike, y: ArrayLike) -> NDArray[np.int64]:
    """Coefficients [k], lowest first, of the polynomial of degree below k through k points with different x.

    Newton's divided differences, then multiplied out. Raises RivalError if two x are equal in the field.
    """
    xs, differences = np.asarray(x, dtype=np.int64) % PRIME, np.asarray(y, dtype=np.int64) % PRIME
    if len(np.unique(xs)) != len(xs):
        raise RivalError("a polynomial needs different places")
    count = len(xs)
    differences = differences.copy()
    for step in range(1, count):
        rise = differences[step:] - differences[step - 1 : -1]
        differences[step:] = rise % PRIME * inverses(xs[step:] - xs[:-step]) % PRIME
    coefficients = np.zeros(count, dtype=np.int64)
    for place in range(count - 1, -1, -1):  # Horner: c(X) <- c(X) (X - x_place) + d_place
        shifted = np.concatenate(([0], coefficients[:-1]))
        coefficients = (shifted - coefficients * xs[place]) % PRIME
        coefficients[0] = (coefficients[0] + differences[place]) % PRIME
    return coefficients


def evaluate(coefficients: NDArray[np.int64], x: ArrayLike) -> NDArray[np.int64]:
    """Values at all x."""
    xs = np.asarray(x, dtype=np.int64) % PRIME
    values = np.zeros_like(xs)
    for coefficient in coefficients[::-1]:
        values = (values * xs + coefficient) % PRIME
    return values


def inverses(values: ArrayLike) -> NDArray[np.int64]:
    """Fermat: a^(p-2)."""
    base = np.asarray(values, dtype=np.int64) % PRIME
    result, exponent = np.ones_like(base), PRIME - 2
    while exponent:
        if exponent & 1:
            result = result * base % PRIME
        base = base * base % PRIME
        exponent >>= 1
    return result
