"""What every method says of every recorded answer, and the file in which that is kept."""

from __future__ import annotations

import json
import lzma
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from llmnet.measure import Recording, RecordingFile
from llmnet.proof import ServiceSpec
from llmnet.redteam.rivals.base import Check, Honest, Rival, Run
from llmnet.redteam.rivals.errors import BadCommitment, BadScores, NothingToCompare
from llmnet.redteam.rivals.logprobs import TopLogprobs
from llmnet.redteam.rivals.ours import Evidence, MarginAlone, SketchDistance
from llmnet.redteam.rivals.replay import TokenReplay
from llmnet.redteam.rivals.states_file import StatesFile
from llmnet.redteam.rivals.statistics import split
from llmnet.redteam.rivals.toploc import Toploc

WINDOW = 16
"""Positions of an answer that are compared: what one audit looks at."""
FITTED_ON = 1 / 3
HONEST = "honest"
_DIGITS = 5


def rivals() -> list[Rival]:
    """All that are compared, ours first."""
    return [
        Evidence(),
        SketchDistance(),
        MarginAlone(),
        TokenReplay(),
        Toploc(),
        *(TopLogprobs(k) for k in (1, 5, 20)),
    ]


@dataclass(frozen=True, slots=True)
class Answer:
    """Both sides' views of one recorded answer."""

    id: str
    worker: Run
    own: Run


@dataclass(frozen=True, slots=True)
class Scored:
    """Checks of the answers of one variant by one method, and what they cost: bytes posted a position, seconds an answer."""

    checks: tuple[Check, ...]
    bytes_a_position: float
    seconds: float


def answers(folder: Path, variant: str, spec: ServiceSpec) -> list[Answer]:
    """Recorded answers of a variant whose states were computed, cut to the first WINDOW positions; shorter ones are left out."""
    recordings = {recording.id: recording for recording in RecordingFile(folder / f"{variant}.jsonl")}
    found = []
    for states in StatesFile(folder / f"{variant}.states.jsonl"):
        worker, own = views(recordings[states.id], spec)
        found.append(
            Answer(states.id, replace(worker, states=states.worker), replace(own, states=states.own))
        )
    return found


def stateless(folder: Path, variant: str, spec: ServiceSpec, limit: int) -> list[Answer]:
    """The first recorded answers of a variant, for methods that need no hidden states."""
    long_enough = (
        found for found in RecordingFile(folder / f"{variant}.jsonl") if len(found.leaves) >= WINDOW
    )
    return [Answer(found.id, *views(found, spec)) for found in islice(long_enough, limit)]


def views(recording: Recording, spec: ServiceSpec) -> tuple[Run, Run]:
    """The worker's view of a recorded answer and the verifier's, without states."""
    seed, temperature = recording.request_seed, recording.temperature
    worker, own = recording.leaves[:WINDOW], recording.reference[:WINDOW]
    return Run(worker, spec, seed, temperature), Run(own, spec, seed, temperature)


def fitted(methods: Iterable[Rival], honest: Sequence[Answer]) -> list[Rival]:
    """The methods with limits from the honest answers that are for fitting."""
    fit, _ = split([answer.id for answer in honest], FITTED_ON)
    chosen = [honest[place] for place in fit]
    return [
        method.fitted([Honest(answer.id, method.commit(answer.worker), answer.own) for answer in chosen])
        for method in methods
    ]


def scored(method: Rival, found: Sequence[Answer]) -> Scored:
    """Check all answers of a variant. What is no commitment at all is infinitely suspicious."""
    if not found:
        raise NothingToCompare("there are no answers with their states")
    commitments = [method.commit(answer.worker) for answer in found]
    start = perf_counter()
    checks = [
        _check(method, commitment, answer.own) for commitment, answer in zip(commitments, found, strict=True)
    ]
    seconds = (perf_counter() - start) / len(found)
    positions = sum(len(answer.own.leaves) for answer in found)
    return Scored(tuple(checks), sum(map(len, commitments)) / positions, seconds)


def _check(method: Rival, commitment: bytes, own: Run) -> Check:
    try:
        return method.check(commitment, own)
    except BadCommitment:
        return Check(math.inf, True)


def class_scores(found: Mapping[str, Sequence[Answer]]) -> dict[str, Any]:
    """Scores of one class as JSON: methods fitted to honest answers, how many were held out, all scores by variant.

    Methods that look at hidden states are left out where answers come without. Raises NothingToCompare if there are no
    honest answers on both sides of the split.
    """
    honest = found.get(HONEST, [])
    fit, held = split([answer.id for answer in honest], FITTED_ON)
    if not fit or not held:
        raise NothingToCompare(f"{len(honest)} honest answers are too few to fit and to judge")
    judged = {name: list(items) for name, items in found.items()} | {
        HONEST: [honest[place] for place in held]
    }
    blind = any(answer.own.states is None for items in judged.values() for answer in items)
    methods = {}
    for method in fitted([one for one in rivals() if not (blind and one.needs_states)], honest):
        rows = {name: scored(method, items) for name, items in judged.items()}
        methods[method.name] = {
            "source": method.source,
            "bytes_a_position": round(rows[HONEST].bytes_a_position, 3),
            "check_ms": round(rows[HONEST].seconds * 1000, 3),
            "scores": {name: [_rounded(check.score) for check in row.checks] for name, row in rows.items()},
            "published": {
                name: sum(bool(check.rejected) for check in row.checks)
                for name, row in rows.items()
                if row.checks[0].rejected is not None
            },
        }
    return {"fitted_on": len(fit), "held_out": len(held), "methods": methods}


def _rounded(score: float) -> float | None:
    """None stands for infinity, which JSON does not have."""
    return None if math.isinf(score) else float(f"{score:.{_DIGITS}g}")


def write_scores(path: Path, classes: Mapping[str, Any]) -> None:
    """Compressed JSON; the same scores give the same bytes."""
    text = json.dumps(classes, separators=(",", ":"), sort_keys=True)
    path.write_bytes(lzma.compress(text.encode(), preset=9))


def read_scores(path: Path) -> dict[str, Any]:
    """Raises BadScores for a file that is none of ours."""
    try:
        value = json.loads(lzma.decompress(path.read_bytes()))
        return {str(name): entry for name, entry in value.items() if entry["methods"] and entry["held_out"]}
    except (lzma.LZMAError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadScores(f"{path} holds no scores: {error!r}; make it again") from error
