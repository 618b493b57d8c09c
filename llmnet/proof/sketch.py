"""Eight-lane random projections of logits and hidden states, rounded to i16 (protocol section 3)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import NonFiniteError, ShapeError
from .leaf import LANES

_LIMIT = 32767
FloatT = TypeVar("FloatT", np.float32, np.float64)


def finite(values: NDArray[FloatT], what: str) -> NDArray[FloatT]:
    """The values themselves, or NonFiniteError with the first place that is not a number."""
    good = np.isfinite(values)
    if not good.all():
        place = tuple(int(axis) for axis in np.argwhere(~np.atleast_1d(good))[0])
        raise NonFiniteError(
            f"{what} hold {np.atleast_1d(values)[place]} at {place}: nothing can be committed for this step"
        )
    return values


def _project(values: NDArray[np.float32], signs: NDArray[np.int8]) -> NDArray[np.float64]:
    if values.ndim != 1 or signs.shape != (LANES, len(values)):
        raise ShapeError(
            f"signs must be [{LANES}, {values.size}] for {values.shape} values, got {signs.shape}"
        )
    with np.errstate(over="ignore", invalid="ignore"):  # told below as NonFiniteError
        lanes = (signs.astype(np.float32) @ values).astype(np.float64) / np.sqrt(len(values))
    return finite(lanes, "sketch lanes")


def sketch_logits(logits: ArrayLike, signs: NDArray[np.int8]) -> NDArray[np.float64]:
    """Lanes `n^-1/2 * sum_v s(j,v) * (z_v - mean z)` of logits `[V]` with signs `[8, V]` -> `[8]`."""
    z = finite(np.asarray(logits, dtype=np.float32), "logits")
    return _project(z - np.float32(z.mean(dtype=np.float64)), signs)


def sketch_hidden(hidden: ArrayLike, signs: NDArray[np.int8]) -> NDArray[np.float64]:
    """Lanes `n^-1/2 * sum_v s(j,v) * h_v` of the final normed hidden state `[D]` with signs `[8, D]` ->
    `[8]`.
    """
    return _project(finite(np.asarray(hidden, dtype=np.float32), "hidden state"), signs)


def quantise_lanes(lanes: ArrayLike, shift: int) -> NDArray[np.int16]:
    """`clamp(round_half_even(x * 2^shift), -32767, 32767)` for lanes of any shape; raises NonFiniteError."""
    x = finite(np.asarray(lanes, dtype=np.float64), "sketch lanes")
    # Clamping first changes nothing that rounding keeps, and cannot overflow on the way to an integer.
    limit = np.ldexp(float(_LIMIT), -shift)
    steps: NDArray[np.float64] = np.ldexp(np.clip(x, -limit, limit), shift)
    return np.rint(steps).astype(np.int16)
