"""Tables of rotary position angles that come out the same, bit for bit, on every machine.

The tables are part of the graph whose hash is registered, and sines of different processors or libraries differ in the last
place now and then. So only arithmetic that is defined to the bit is used: `decimal` for the angles of position 1, and
elementwise float64 products and sums (IEEE 754) for all others, by the addition theorems.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import numpy.typing as npt

from llmnet.engine.model_config import RopeScaling

_DIGITS = 50
_PI = Decimal("3.14159265358979323846264338327950288419716939937511")


def rope_tables(
    width: int, theta: float, length: int, scaling: RopeScaling | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Cosines and sines `[length, width]` of `position * theta^(-2i / width)`, i < width / 2, twice side by side.
    With `scaling`, frequencies are stretched by Llama 3's rule.

    Doubling a table loses about one unit in the last place of float64, far below what float32 keeps.
    """
    angles = [_cos_sin(_inverse_frequency(index, width, theta, scaling)) for index in range(width // 2)]
    step_cos, step_sin = (np.array(column, dtype=np.float64) for column in zip(*angles, strict=True))
    cos, sin = np.ones((1, width // 2)), np.zeros((1, width // 2))
    while len(cos) < length:  # rows n.. are rows 0.. turned by n; `step` is the turn by n
        cos, sin = (
            np.concatenate([cos, cos * step_cos - sin * step_sin]),
            np.concatenate([sin, sin * step_cos + cos * step_sin]),
        )
        step_cos, step_sin = step_cos * step_cos - step_sin * step_sin, 2.0 * step_cos * step_sin
    tables = [np.concatenate([table[:length]] * 2, axis=1).astype(np.float32) for table in (cos, sin)]
    return tables[0], tables[1]


def _inverse_frequency(index: int, width: int, theta: float, scaling: RopeScaling | None) -> Decimal:
    with localcontext() as context:
        context.prec = _DIGITS
        frequency = (Decimal(theta).ln() * Decimal(-2 * index) / Decimal(width)).exp()
        return frequency if scaling is None else frequency * _slowed(frequency, scaling)


def _slowed(frequency: Decimal, scaling: RopeScaling) -> Decimal:
    """Llama 3's rule: long waves are slowed down by `factor`, short ones stay, those between are blended."""
    low, high = Decimal(scaling.low_frequency), Decimal(scaling.high_frequency)
    turns = Decimal(scaling.original_context) * frequency / (2 * _PI)
    kept = min(max((turns - low) / (high - low), Decimal(0)), Decimal(1))
    least = 1 / Decimal(scaling.factor)
    return kept * (1 - least) + least


def _cos_sin(angle: Decimal) -> tuple[float, float]:
    """Taylor series; the angle is in (0, 1]."""
    with localcontext() as context:
        context.prec = _DIGITS
        sums, term, power = [Decimal(0)] * 4, Decimal(1), 0
        while term > Decimal(10) ** -_DIGITS:
            sums[power % 4] += term
            power += 1
            term = term * angle / power
        return float(sums[0] - sums[2]), float(sums[1] - sums[3])
