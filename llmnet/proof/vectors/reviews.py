"""Vectors of second looks: chosen positions, panels of reviews, planted faults."""

from __future__ import annotations

from dataclasses import replace

from llmnet.proof.consensus import Reference
from llmnet.proof.drawing import REVIEW_PANEL, draw_panel, review_seed
from llmnet.proof.hashing import plant_commitment
from llmnet.proof.scoring import exception_misses

from .form import Case, VectorFile, case, unique
from .source import Source
from .verdicts import World, another_token, cheap_decode, shifted, world

# Positions, temperature, what the audit has said of the tokens, and how many it has not drawn.
_KNOWN = (
    (16, 256, -208, 384),
    (12, 0, -208, 84),
    (3, 128, -208, 8),
    (3, 128, 1_341, 8),
    (4, 256, 1_341, 224),
    (4, 256, 0, 45),
    (3, 256, -208, 15),
    (3, 256, -208, 16),
    (2, 0, 1_902, 31),
    (2, 0, 1_938, 32),
)
U32, U64 = (1 << 32) - 1, (1 << 64) - 1


def _worlds(source: Source, positions: int, temperature: int, enough: int) -> list[World]:
    """Honest and fraudulent leaves, each with references that agree, disagree or are too few."""
    base = world(source, positions, temperature)
    cheap = cheap_decode(base)
    worlds = [base, cheap]
    worlds += [_cheap_at(base, cheap, misses) for misses in (enough - 1, enough)]
    far = base
    for at in range(positions):
        far = far.with_leaf(at, shifted(3_000))
    worlds += [
        far,
        base.with_leaf(0, another_token),
        base.with_leaf(0, lambda leaf: replace(leaf, candidates=())),
        base.with_reference(0, 0, shifted(500)).with_reference(1, 0, shifted(-500)),
        replace(cheap, references=cheap.references[:2]),
        replace(cheap, references=cheap.references[:1]),
        replace(cheap, references=()),
    ]
    return worlds


def _cheap_at(base: World, cheap: World, count: int) -> World:
    """Cheaply decoded at the first `count` positions only."""

    def mixed(one: Reference, other: Reference) -> Reference:
        return Reference(one.account, other.leaves[:count] + one.leaves[count:])

    references = tuple(mixed(*pair) for pair in zip(base.references, cheap.references, strict=True))
    return replace(base, leaves=cheap.leaves[:count] + base.leaves[count:], references=references)


def exceptions() -> VectorFile:
    """Verdicts on chosen positions."""
    source = Source("reviews")
    cases = [
        one.judged_exceptions(first, others)
        for positions, temperature, first, others in _KNOWN
        for one in _worlds(source, positions, temperature, exception_misses(first, others))
    ]
    about = "the verdict on leaves at positions that an accuser has chosen"
    return VectorFile("judge_exceptions", about, unique(cases))


def panels() -> VectorFile:
    """Panels of reviews."""
    source = Source("review_panel")
    cases: list[Case] = []
    for count in (0, 1, 2, 3, 4, 5, 6, 8, *(source.random.randint(5, 12) for _ in range(16))):
        beacon, audit = source.hash(), source.uint(32)
        eligible = sorted((source.hash(), source.uint(64)) for _ in range(count))
        seed = review_seed(beacon, audit)
        stakes = [{"account": account, "stake": stake} for account, stake in eligible]
        out = {"seed": seed, "panel": draw_panel(seed, eligible, REVIEW_PANEL)}
        cases.append(case({"beacon_value": beacon, "audit": audit, "eligible": stakes}, out))
    return VectorFile("review_panel", "who reviews: up to five, in the order drawn", cases)


def plants() -> VectorFile:
    """Commitments to planted faults."""
    source = Source("plant_commitment")
    cases = []
    for session, index in [(0, 0), (U64, U32), *((source.uint(64), source.uint(32)) for _ in range(20))]:
        planter, worker, salt = source.hash(), source.hash(), source.hash()
        given = {"planter": planter, "session": session, "index": index, "worker": worker, "salt": salt}
        commitment = plant_commitment(planter, session, index, worker, salt)
        cases.append(case(given, {"commitment": commitment}))
    return VectorFile("plant_commitment", "what a planter publishes before the draw", cases)


def files() -> list[VectorFile]:
    """All files of this module."""
    return [exceptions(), panels(), plants()]
