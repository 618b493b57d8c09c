"""What an attack is worth to who does it, in units of the reward R of an answer, by the rules of the protocol's section 9.

Most favourable to the cheat: the whole reward is the cost of computing, so that a share saved is that share of R earned;
it begins with a record that brings the audit probability to its floor; nobody else reports it; what it forfeits of earnings
that are not cleared is not counted. The stake is large enough for every fine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmnet.proof.scoring import SLASH
from llmnet.redteam.careers import Pool
from llmnet.redteam.trials import Effort

FINE, SLASHED = 20.0, 100.0
FLOOR, NEWCOMER, HALVES_AT = 0.05, 0.5, 20
PROBATION = 20
CAREFUL = 0.1
"""The audit probability below which a careful cheat dares."""
ESTABLISHED = 380
"""Audits passed in a row at which the probability has come down to its floor."""


@dataclass(frozen=True)
class Value:
    """Per answer sold, compared with an honest worker: cheating always, and only while few answers are audited."""

    constant: float
    careful: float

    @property
    def best(self) -> float:
        """What a cheat would choose."""
        return max(self.constant, self.careful)


def value(cheating: Pool, honest: Pool, share: float, saves: float, effort: Effort) -> Value:
    """`saves` is for a cheated answer, `share` how many are cheated on."""
    deal = _Deal(cheating, honest, share, saves)
    return Value(_earned(deal, effort, careful=False), _earned(deal, effort, careful=True))


@dataclass(frozen=True)
class _Deal:
    cheating: Pool
    honest: Pool
    share: float
    saves: float


def _earned(deal: _Deal, effort: Effort, *, careful: bool) -> float:
    rng = np.random.default_rng(1)
    count, cheating, honest = effort.earners, deal.cheating, deal.honest
    alive = np.ones(count, bool)
    clean = np.full(count, ESTABLISHED)
    probation = np.zeros(count, np.int64)
    sums = np.zeros((count, 2), np.int64)
    gain, sold = np.zeros(count), np.zeros(count)
    for _ in range(effort.answers):
        chance = _probability(clean, probation)
        cheats = alive & (rng.random(count) < deal.share)
        if careful:
            cheats &= chance <= CAREFUL
        audited = alive & (rng.random(count) < chance)
        mine, theirs = cheating.draw((count,), rng), honest.draw((count,), rng)
        evidence = np.where(cheats[:, None], cheating.evidence[mine], honest.evidence[theirs])
        failed = audited & np.where(cheats, cheating.failed[mine], honest.failed[theirs])
        sums = np.where(audited[:, None], np.maximum(0, sums + evidence), sums)
        out = alive & (sums >= SLASH).any(axis=1)
        failed |= out  # an answer that completes a slash fails
        gain += np.where(cheats, deal.saves, 0.0) - FINE * failed - SLASHED * out
        sold += alive
        clean = np.where(failed, 0, clean + audited)
        probation = np.where(failed, PROBATION, np.maximum(0, probation - audited))
        alive &= ~out
        if not alive.any():
            break
    return float(gain.sum() / sold.sum())


def _probability(clean: NDArray[np.int64], probation: NDArray[np.int64]) -> NDArray[np.float64]:
    usual = np.maximum(FLOOR, NEWCOMER * HALVES_AT / (HALVES_AT + clean))
    return np.where(probation > 0, 1.0, usual)
