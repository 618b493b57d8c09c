"""What honest tokens say in longer answers than were recorded: sixteen positions are drawn, a challenge may name the others.

Recorded answers are short, since each costs a run. A longer one is put together from whole recorded ones, so that misses that come
together stay together; how many of its misses are drawn follows from chance alone. Everything is counted out, nothing is drawn.
Distances play no part: a challenge does not look at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import comb

import numpy as np
from numpy.typing import NDArray

from llmnet.proof import Calibration, beside, clip
from llmnet.proof.drawing import MAX_POSITIONS
from llmnet.proof.scoring import (
    MARGIN_FAIL,
    MARGIN_HIT,
    MARGIN_MISS,
    exception_evidence,
    exception_misses,
)
from llmnet.verifier.calibrate.alarm import bound
from llmnet.verifier.calibrate.judge import margin_evidence
from llmnet.verifier.calibrate.observed import Observation

LENGTHS = (16, 24, 31, 121, 240, 512)
"""Tokens. Up to 31 two misses fail an answer, up to 121 three, up to 240 four."""
MOST = 24
"""Misses that are told apart in one answer; more are as bad."""
_DRAWS = 200

Chances = NDArray[np.float64]
"""Of 0, 1, 2, ... misses: [MOST + 1], or [draw, MOST + 1]."""


@dataclass(frozen=True, slots=True)
class Length:
    """Honest answers of so many tokens: how often tokens alone fail one, and false slashes an audit by tokens alone (Lundberg's bound;
    `above`: the 95th percentile over draws of as many recorded answers)."""

    tokens: int
    failed: float
    slashed: float
    above: float


def by_tokens(sides: Sequence[tuple[Sequence[Observation], Calibration]]) -> tuple[Length, ...]:
    """For each of `LENGTHS`. Each side: answers, and the row that judges them; answers of other than sixteen tokens are left out."""
    counts = [
        min(margin_evidence(answer, row.tau_sample, range(MAX_POSITIONS))[1], MOST)
        for answers, row in sides
        for answer in answers
        if len(answer) == MAX_POSITIONS
    ]
    if not counts:
        return ()
    chances = np.bincount(counts, minlength=MOST + 1) / len(counts)
    again = np.random.default_rng(1).multinomial(len(counts), chances, _DRAWS) / len(counts)
    return tuple(_length(tokens, chances, again) for tokens in LENGTHS)


def _length(tokens: int, chances: Chances, again: Chances) -> Length:
    values, failing, spread = _verdicts(tokens)
    each = np.array([misses_of(one, tokens) for one in (chances, *again)]) @ spread
    rates = bound(values, each)
    above = float(np.quantile(rates[1:], 0.95))
    return Length(tokens, float(each[0] @ failing), min(1.0, float(rates[0])), min(1.0, above))


def misses_of(chances: Chances, tokens: int) -> Chances:
    """Chances of so many misses in an answer of `tokens`, from those in an answer of sixteen."""
    whole, rest = divmod(tokens, MAX_POSITIONS)
    found: Chances = np.zeros(MOST + 1)
    found[0] = 1
    blocks = [chances] * whole + ([_thinned(chances, rest)] if rest else [])
    for block in blocks:
        both = np.convolve(found, block)
        found = np.append(both[:MOST], both[MOST:].sum())
    return found


def _thinned(chances: Chances, tokens: int) -> Chances:
    """Of the first `tokens` of sixteen."""
    thin: Chances = np.zeros(MOST + 1)
    for misses, chance in enumerate(chances[: MAX_POSITIONS + 1]):
        for kept in range(misses + 1):
            thin[kept] += chance * hypergeometric(kept, MAX_POSITIONS, misses, tokens)
    return thin


def hypergeometric(found: int, size: int, marked: int, drawn: int) -> float:
    """The chance to find so many of `marked` among `drawn` of `size`."""
    if not max(0, drawn + marked - size) <= found <= min(marked, drawn):
        return 0.0
    return comb(marked, found) * comb(size - marked, drawn - found) / comb(size, drawn)


def _verdicts(tokens: int) -> tuple[NDArray[np.float64], Chances, Chances]:
    """What answers may add to the sum, whether each fails, and the chances of each by misses [MOST + 1, evidence]."""
    others, most = tokens - MAX_POSITIONS, min(MOST, tokens)
    pairs = [
        (drawn, named)
        for drawn, named in product(range(MAX_POSITIONS + 1), range(most + 1))
        if drawn + named <= most and named <= others
    ]
    spread = np.zeros((MOST + 1, len(pairs)))
    for column, (drawn, named) in enumerate(pairs):
        spread[drawn + named, column] = hypergeometric(drawn, tokens, drawn + named, MAX_POSITIONS)
    found = [verdict(drawn, named, others) for drawn, named in pairs]
    values = np.array([evidence for evidence, _ in found], np.float64)
    return values, np.array([failed for _, failed in found], np.float64), spread


def verdict(drawn: int, named: int, others: int) -> tuple[int, bool]:
    """What an audit and a challenge say of so many misses, and whether the answer fails; `others` were not drawn."""
    first = clip(MARGIN_MISS * drawn + MARGIN_HIT * (MAX_POSITIONS - drawn))
    if first >= MARGIN_FAIL:
        return first, True
    named = min(named, MAX_POSITIONS)
    if named < exception_misses(first, others):
        return first, False
    return first + beside(first, exception_evidence(named, others)), True
