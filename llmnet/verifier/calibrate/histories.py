"""Honest workers over many audits: how often would one be slashed, if its answers were like those observed?

Answers are drawn whole, with replacement: deviations cluster inside an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmnet.proof.scoring import SLASH
from llmnet.verifier.calibrate.judge import Audited
from llmnet.verifier.calibrate.statistics import Rate


@dataclass(frozen=True, slots=True)
class Histories:
    """`slashed[i]` of the workers within `lengths[i]` audits; `worst`: the same, when the answers observed are themselves a
    draw (the 95th percentile of draws of as many answers)."""

    lengths: tuple[int, ...]
    slashed: tuple[Rate, ...]
    worst: tuple[float, ...]


def in_sequence(audits: Sequence[Audited]) -> tuple[bool, int, int]:
    """One worker that gave all these answers, in order: (whether slashed, its highest sums of positions and margins)."""
    position = margin = highest_position = highest_margin = 0
    for found in audits:
        position, margin = max(0, position + found.position), max(0, margin + found.margin)
        highest_position, highest_margin = max(highest_position, position), max(highest_margin, margin)
    return max(highest_position, highest_margin) >= SLASH, highest_position, highest_margin


def resample(
    audits: Sequence[Sequence[Audited]],
    *,
    lengths: Sequence[int] = (20, 100, 1000),
    workers: int = 10_000,
    pools: int = 100,
    seed: int = 1,
) -> Histories:
    """Histories of workers whose answers are drawn from these."""
    rng = np.random.default_rng(seed)
    table = _Table(audits)
    each = -(-workers // pools)
    first = table.slashed_at(rng, np.arange(len(audits))[None], np.zeros(workers, np.int64), max(lengths))
    drawn = rng.integers(0, len(audits), (pools, len(audits)))
    pooled = table.slashed_at(rng, drawn, np.repeat(np.arange(pools), each), max(lengths)).reshape(
        pools, each
    )
    worst = [np.quantile((pooled < length).mean(axis=1), 0.95) for length in lengths]
    return Histories(
        tuple(lengths),
        tuple(Rate(int((first < length).sum()), workers) for length in lengths),
        tuple(float(found) for found in worst),
    )


class _Table:
    """Evidence of all audits, as arrays: answer i has `count[i]` of them from `start[i]`."""

    def __init__(self, audits: Sequence[Sequence[Audited]]) -> None:
        flat = [found for one in audits for found in one]
        self.count = np.array([len(one) for one in audits])
        self.start = np.concatenate([[0], np.cumsum(self.count)[:-1]])
        self.evidence = np.array([(found.position, found.margin) for found in flat], np.int64)

    def slashed_at(
        self, rng: np.random.Generator, pools: NDArray[np.int64], pool: NDArray[np.int64], length: int
    ) -> NDArray[np.int64]:
        """For each worker, after how many audits it is slashed; `length` if never.

        `pools` [pool, answer] are the answers that may be drawn, `pool` [worker] which of them a worker draws from.
        """
        workers = len(pool)
        if (self.evidence <= 0).all():
            return np.full(workers, length)
        sums = np.zeros((workers, 2), np.int64)
        at = np.full(workers, length)
        for step in range(length):
            answers = pools[pool, rng.integers(0, pools.shape[1], workers)]
            audits = self.start[answers] + rng.integers(0, self.count[answers])
            sums = np.maximum(0, sums + self.evidence[audits])
            over = (sums >= SLASH).any(axis=1) & (at == length)
            at[over] = step
        return at
