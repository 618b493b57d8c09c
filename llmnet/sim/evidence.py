"""What real runs looked like, position by position, so that a simulated answer can look the same.

A file of recorded evidence holds, for honest workers and for each kind of cheating, the squared lane distances from the
reference and whether the token was one that the reference would have sampled. Answers are replayed whole: deviations
cluster inside an answer, and drawing single positions would hide that.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any

from llmnet.proof import LANES, Calibration
from llmnet.sim.errors import BadEvidence

HONEST = "honest"
_LANE_MAX = 1 << 14  # what a base lane and a deviation may add up to stays an i16


@dataclass(frozen=True, slots=True)
class Position:
    """Squared distances of a leaf's lanes from the reference's, and whether its token misses the margin."""

    logit: int
    hidden: int
    miss: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """`answers[kind]`: recorded answers of a kind. `saves[kind]`: the share of the computing that it saves."""

    calibration: Calibration
    answers: Mapping[str, tuple[tuple[Position, ...], ...]]
    saves: Mapping[str, float]

    def draw(self, kind: str, length: int, rng: random.Random) -> list[Position]:
        """`length` positions of a recorded answer, and of others of the kind after it if it is shorter: the same one over again
        would make one miss two."""
        positions: list[Position] = []
        while len(positions) < length:
            positions += rng.choice(self.answers[kind])
        return positions[:length]


def load(path: Path) -> Recorded:
    """Raises BadEvidence if the file is not one of recorded evidence, OSError if it cannot be read."""
    try:
        data = json.loads(path.read_text())
        return _recorded(data)
    except (ValueError, KeyError, TypeError) as error:
        raise BadEvidence(f"{path} holds no recorded evidence: {error!r}") from error


def _recorded(data: Mapping[str, Any]) -> Recorded:
    kinds = data["kinds"]
    answers = {
        kind: tuple(tuple(_position(*position) for position in answer) for answer in entry["answers"])
        for kind, entry in kinds.items()
    }
    empty = [kind for kind, found in answers.items() if not found or not all(found)]
    if HONEST not in answers or empty:
        raise BadEvidence(
            f"evidence needs honest answers, and none may be empty: {empty or 'no honest ones'}"
        )
    return Recorded(
        Calibration(**data["calibration"]), answers, {kind: float(kinds[kind]["saves"]) for kind in kinds}
    )


def _position(logit: int, hidden: int, miss: int) -> Position:
    return Position(int(logit), int(hidden), bool(miss))


def lanes_at(distance: int) -> tuple[int, ...]:
    """Lane differences whose squares add up to `distance`, as nearly as eight squares of i16 can.

    Greedy: what is left after taking the largest square of n is at most 2 sqrt(n), so eight are enough for any distance that
    one lane can hold; a larger one saturates."""
    left, lanes = distance, []
    for _ in range(LANES):
        step = min(isqrt(left), _LANE_MAX)
        lanes.append(step)
        left -= step * step
    return tuple(lanes)
