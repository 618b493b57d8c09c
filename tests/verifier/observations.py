"""Made-up honest answers for tests of calibration."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from llmnet.verifier.calibrate import Observation


def answer(
    answer_id: str, logit: Iterable[int], hidden: Iterable[int] | None = None, deficit: int | None = 0
) -> Observation:
    """One answer; hidden distances are half of the others unless given."""
    values = tuple(logit)
    own = tuple(value // 2 for value in values) if hidden is None else tuple(hidden)
    return Observation(answer_id, 256, 40, values, own, (deficit,) * len(values))


def honest(
    count: int, *, clustering: float = 0.3, seed: int = 1, length: int = 16, kinds: int = 5
) -> list[Observation]:
    """Distances like those of a 16-bit class: of a long tail, and larger as a whole in some answers than in others."""
    rng = np.random.default_rng(seed)
    scales = np.exp(clustering * rng.standard_normal(count))
    rows = rng.chisquare(8, (count, length)) * 300 * scales[:, None]
    return [
        answer(f"{number % kinds}/{number // kinds}", [int(value) for value in row])
        for number, row in enumerate(rows)
    ]
