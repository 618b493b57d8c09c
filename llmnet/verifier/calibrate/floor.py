"""The least thresholds of a numerics class."""

from __future__ import annotations

from llmnet.proof import LANES, Calibration, NumericsClass

FOREVER = 2**32 - 1
# Below one quantisation step in every lane nothing can be told from rounding; thresholds are exclusive.
FLOOR = LANES * 1 + 1
# How far the sampled token may be from the reference's choice, in nat.
TAU = {
    NumericsClass.FP32: 0.02,
    NumericsClass.FP16: 0.10,
    NumericsClass.BF16_FP32_RESIDUAL: 0.10,
    NumericsClass.BF16: 0.25,
}


def floor_calibration(
    numerics: NumericsClass, *, positions: int = 1, expires_at: int = FOREVER
) -> Calibration:
    """The least thresholds of a numerics class: what is used where nothing was measured.

    `positions` is what the row says was measured; the registry refuses 0.
    """
    return Calibration(FLOOR, FLOOR, FLOOR, FLOOR, tau_of(numerics), positions, expires_at)


def tau_of(numerics: NumericsClass) -> int:
    """The protocol's tolerance in sampling for a class, in Q16.16 nat."""
    return round(TAU[numerics] * 65536)
