"""Workers that go on with an attack until they are slashed: whole answers resampled, as they would be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llmnet.proof.scoring import SLASH

AUDITS = 100
CURVE = 12
_NAT = 256


class Judged(Protocol):
    """An audit of an answer, whoever judged it."""

    @property
    def failed(self) -> bool:
        """Fined?"""
        ...

    @property
    def position(self) -> int:
        """Evidence of the distances."""
        ...

    @property
    def margin(self) -> int:
        """Evidence of the tokens."""
        ...


@dataclass(frozen=True)
class Pool:
    """All trials of one kind of answer, flat: an answer is drawn first, one of its audits then."""

    evidence: NDArray[np.int64]  # [n, 2]
    failed: NDArray[np.bool_]  # [n]
    weight: NDArray[np.float64]  # [n], adds up to 1

    @classmethod
    def of(cls, answers: Sequence[Sequence[Judged]]) -> Pool:
        """Every answer counts the same, however many trials it has."""
        flat = [(trial, 1 / (len(answers) * len(found))) for found in answers for trial in found]
        return cls(
            np.array([(trial.position, trial.margin) for trial, _ in flat], np.int64),
            np.array([trial.failed for trial, _ in flat]),
            np.array([weight for _, weight in flat]),
        )

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
        """Indices of trials."""
        return rng.choice(len(self.weight), size=shape, p=self.weight)


@dataclass(frozen=True)
class Careers:
    """`slashed_at[w]`: after how many audits worker w was slashed (0: never within `AUDITS`); `curve`: after each of the first
    audits the 10, 50 and 90 % points, over workers, of the larger sum in nat, as if nobody were slashed."""

    slashed_at: NDArray[np.int64]
    curve: tuple[tuple[float, float, float], ...]

    def within(self, audits: int) -> float:
        """Share of workers slashed by then."""
        return float(((self.slashed_at > 0) & (self.slashed_at <= audits)).mean())

    @property
    def mean(self) -> float | None:
        """Mean audits to the slash; None if more than one in a hundred is not slashed within `AUDITS`."""
        return float(self._until().mean()) if self.within(AUDITS) >= 0.99 else None

    @property
    def p90(self) -> int | None:
        """By then nine in ten are slashed."""
        if self.within(AUDITS) < 0.9:
            return None
        return int(np.quantile(self._until(), 0.9, method="inverted_cdf"))

    def _until(self) -> NDArray[np.int64]:
        return np.where(self.slashed_at > 0, self.slashed_at, AUDITS)


def careers(
    cheating: Pool, honest: Pool, share: float, *, workers: int, audits: int = AUDITS, seed: int = 1
) -> Careers:
    """Audits of workers that cheat on a `share` of their answers, at random."""
    rng = np.random.default_rng(seed)
    shape = workers, audits
    cheats = rng.random(shape) < share
    evidence = np.where(
        cheats[..., None],
        cheating.evidence[cheating.draw(shape, rng)],
        honest.evidence[honest.draw(shape, rng)],
    )
    sums = np.zeros((workers, 2), np.int64)
    slashed = np.zeros(workers, np.int64)
    curve = []
    for audit in range(audits):
        sums = np.maximum(0, sums + evidence[:, audit])
        reached = (sums >= SLASH).any(axis=1)
        slashed[reached & (slashed == 0)] = audit + 1
        if audit < CURVE:
            low, middle, high = np.quantile(sums.max(axis=1) / _NAT, (0.1, 0.5, 0.9))
            curve.append((round(low, 2), round(middle, 2), round(high, 2)))
    return Careers(slashed, tuple(curve))
