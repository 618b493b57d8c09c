"""Vectors of position scoring, the sequential test and the CUSUMs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llmnet.proof.scoring import Cusum, beside, clip, distance, position_evidence, sprt
from llmnet.proof.service import Calibration

from .form import Case, VectorFile, case
from .source import Source

U64 = (1 << 64) - 1
Answer = dict[str, Any]


def position_scoring() -> VectorFile:
    """Distances and bins of single positions."""
    source = Source("position_scoring")
    row = Calibration(10, 40, 20, 60, 1311, 2000, 9)
    flat = (0,) * 8
    # One lane away by d has the squared distance d^2; sums of two squares reach the limits themselves.
    cases = [
        _position(row, _lanes(logit), _lanes(hidden), flat, flat)
        for logit in ((0,), (3,), (3, 1), (6,), (6, 2), (6, 3), (8,), (8, 4), (9,))
        for hidden in ((0,), (4, 2), (7, 3, 1, 1), (10, 4, 2), (11,))
    ]
    low, high = (-32768,) * 8, (32767,) * 8
    huge = Calibration(U64, U64, U64, U64, 0, 0, 0)
    cases += [_position(huge, low, high, high, low), _position(row, low, high, high, low)]
    cases.append(_position(Calibration(0, 0, 0, 0, 0, 0, 0), flat, flat, flat, flat))
    # With q95 above q99 the first bin that fits counts.
    cases.append(_position(replace(row, logit_q95=50), _lanes((6,)), flat, flat, flat))
    for _ in range(16):
        a, b = source.lanes(), source.lanes()
        near = (
            tuple(x + source.random.randint(-12, 12) for x in a),
            tuple(x + source.random.randint(-12, 12) for x in b),
        )
        cases.append(_position(source.calibration(), a, b, *near))
    return VectorFile(
        "position_scoring",
        "squared lane distances of a worker to a reference, and the evidence of the worse bin",
        cases,
    )


def _lanes(steps: tuple[int, ...]) -> tuple[int, ...]:
    return steps + (0,) * (8 - len(steps))


def _position(
    row: Calibration,
    logit: tuple[int, ...],
    hidden: tuple[int, ...],
    reference_logit: tuple[int, ...],
    reference_hidden: tuple[int, ...],
) -> Case:
    d2 = distance(logit, reference_logit), distance(hidden, reference_hidden)
    given = {
        "logit_sketch": logit,
        "hidden_sketch": hidden,
        "reference_logit_sketch": reference_logit,
        "reference_hidden_sketch": reference_hidden,
        "calibration": row,
    }
    return case(given, {"d2_logit": d2[0], "d2_hidden": d2[1], "evidence": position_evidence(*d2, row)})


def answer_scoring() -> VectorFile:
    """Sequences of positions of one answer."""
    source = Source("answer_scoring")
    row = Calibration(50, 100, 50, 100, 1311, 2000, 9)
    near, edge, over = (0, 0), (125, 125), (126, 0)
    rows = [
        [],
        [near] * 16,
        [near] * 20,
        [near] * 21,
        [edge] * 16,
        [over] * 5,
        [over] * 6,
        [over] * 16,
        [(0, 126)] * 6,
        [over] * 5 + [near],
        [near] * 20 + [over] * 16,
        [near] * 21 + [over] * 16,
        [over, near] * 8,
        [near, over, over] * 6,
        [near] * 10 + [over] * 6,
        [(1 << 40, 0)] * 6,
    ]
    for _ in range(24):
        bad = source.random.random()
        rows.append(
            [(source.random.randint(0, 300), 0) if source.random.random() < bad else near for _ in range(16)]
        )
    cases = []
    for distances in rows:
        pairs = [{"d2_logit": logit, "d2_hidden": hidden} for logit, hidden in distances]
        total = sum(position_evidence(*pair, row) for pair in distances)
        cases.append(
            case(
                {"distances": pairs, "calibration": row},
                {"sprt": sprt(distances, row), "position_evidence": clip(total)},
            )
        )
    return VectorFile(
        "answer_scoring",
        "SPRT over an answer's positions, ascending, and their summed and clipped evidence",
        cases,
    )


def cusum() -> VectorFile:
    """Answers of one worker, one after the other."""
    source = Source("cusum")
    honest: Answer = {"position": -256, "margin": -208}
    worst: Answer = {"position": 3072, "margin": 3072}
    missed: Answer = {"missed_deadline": True}
    histories: list[list[Answer]] = [
        [worst, worst],
        [honest] * 5,
        [worst, honest, worst, worst],
        [missed] * 4,
        [worst, missed, missed],
        [{"position": 2560, "margin": 0}, {"position": 2560, "margin": 0}],
        [{"position": 2560, "margin": 0}, {"position": 2559, "margin": 0}, {"position": 1, "margin": 0}],
        [{"position": -5, "margin": 3072}, {"position": -5, "margin": 2048}],
        [{"position": 0, "margin": 0}],
    ]
    rand = source.random
    for _ in range(20):
        length = rand.randint(1, 12)
        answers = [
            {"position": rand.randint(-256, 3072), "margin": rand.randint(-208, 1536)} for _ in range(length)
        ]
        histories.append([missed if rand.random() < 0.1 else answer for answer in answers])
    contradiction, misses = {"position": 3072, "margin": 0}, {"position": 0, "margin": 3072}
    for first in ((3072, 1536), (3071, -208), (0, 0), (-256, -208), (1, 1), (1536, 1341)):
        passed = {"position": first[0], "margin": first[1]}
        histories.extend([{**passed, "challenge": found}, passed] for found in (contradiction, misses))
    return VectorFile(
        "cusum",
        "a worker's two sums after each answer (position and margin evidence; a challenge that convicts it) or missed deadline",
        [_history(h) for h in histories],
    )


def _history(answers: list[Answer]) -> Case:
    state, steps = Cusum(), []
    for answer in answers:
        state = _after(state, answer)
        steps.append({"position": state.position, "margin": state.margin, "slashable": state.slashable})
    return case({"answers": answers}, {"steps": steps})


def _after(state: Cusum, answer: Answer) -> Cusum:
    if "missed_deadline" in answer:
        return state.missed_deadline()
    position, margin = answer["position"], answer["margin"]
    state = state.add(position, margin)
    if (found := answer.get("challenge")) is None:
        return state
    return state.add(beside(position, found["position"]), beside(margin, found["margin"]))


def files() -> list[VectorFile]:
    """All files of this module."""
    return [position_scoring(), answer_scoring(), cusum()]
