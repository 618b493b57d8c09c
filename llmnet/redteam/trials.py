"""Recorded answers before the chain's own judge, each at several draws of positions.

An answer that passes is challenged where a validator's daemon would: it looks at the positions that were not drawn as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from llmnet.measure import Recording
from llmnet.proof import (
    Calibration,
    Judgement,
    Leaf,
    Reference,
    ServiceSpec,
    Sprt,
    Verdict,
    beside,
    domain_hash,
    draw_positions,
    judge,
    judge_exceptions,
    sprt,
)
from llmnet.verifier.exceptions import is_enough, misses_of

PANEL = (b"\1" * 32, b"\2" * 32, b"\3" * 32)
"""Three validators with equal references: what a panel on one kind of machine gives."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is drawn anew: audits of an answer, workers whose audits are followed, workers and answers whose money is."""

    draws: int = 8
    workers: int = 4_000
    earners: int = 200
    answers: int = 2_000


@dataclass(frozen=True, slots=True)
class Trial:
    """One audit of one answer and a challenge, if there is one: whether it fails, what goes to the two sums, and after how
    many positions the sequential test had decided (None: not at all)."""

    failed: bool
    position: int
    margin: int
    decided: int | None


def try_answer(
    recording: Recording, spec: ServiceSpec, row: Calibration, draw: int
) -> tuple[Trial, Judgement]:
    """One audit with the positions of one draw; the judgement is that of the drawn positions."""
    seed = domain_hash("draw", f"redteam/{recording.id}/{draw}".encode())
    positions = draw_positions(seed, len(recording.leaves))
    leaves = [recording.leaves[place] for place in positions]
    mine = tuple(recording.reference[place] for place in positions)
    found = judge(leaves, _panel(mine), row, spec, recording.request_seed, recording.temperature)
    challenged = (
        None
        if found.verdict is Verdict.FAIL
        else _challenge(recording, spec, row, positions, found.margin_evidence)
    )
    failed, position, margin = found.verdict is Verdict.FAIL, found.position_evidence, found.margin_evidence
    if challenged is not None and challenged.verdict is Verdict.FAIL:
        failed = True
        position += beside(position, challenged.position_evidence)
        margin += beside(margin, challenged.margin_evidence)
    return Trial(failed, position, margin, _decided(found, row)), found


def _panel(leaves: tuple[Leaf, ...]) -> list[Reference]:
    return [Reference(account, leaves) for account in PANEL]


def _challenge(
    recording: Recording, spec: ServiceSpec, row: Calibration, drawn: Collection[int], first: int
) -> Judgement | None:
    """What a validator that has looked at all positions brings about; None if it sees too little."""
    seed, temperature, others = (
        recording.request_seed,
        recording.temperature,
        len(recording.leaves) - len(drawn),
    )
    seen = [leaf for leaf in recording.reference if leaf.position not in drawn]
    named = sorted(misses_of(seen, spec, row, seed, temperature))
    if not is_enough(named, first, others):
        return None
    mine = tuple(recording.reference[place] for place in named)
    leaves = [recording.leaves[place] for place in named]
    return judge_exceptions(leaves, _panel(mine), row, spec, seed, temperature, first, others)


def trials(
    recordings: Sequence[Recording], spec: ServiceSpec, row: Calibration, draws: int
) -> list[list[Trial]]:
    """For each answer one trial a draw. Where all positions fit into one draw, one is enough."""
    return [
        [try_answer(recording, spec, row, draw)[0] for draw in range(draws if _has_choice(recording) else 1)]
        for recording in recordings
    ]


def _has_choice(recording: Recording) -> bool:
    return len(recording.leaves) > len(draw_positions(bytes(32), len(recording.leaves)))


def _decided(found: Judgement, row: Calibration) -> int | None:
    seen: list[tuple[int, int]] = []
    for score in found.positions:
        seen.append((score.d2_logit, score.d2_hidden))
        if sprt(seen, row) is not Sprt.UNDECIDED:
            return len(seen)
    return None
