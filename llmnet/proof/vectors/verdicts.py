"""Vectors of consensus and verdict: one honest world, bent in one way a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmnet.proof.consensus import Reference, agree
from llmnet.proof.judge import judge, judge_exceptions
from llmnet.proof.leaf import Candidate, Leaf, encode_leaves
from llmnet.proof.service import Calibration, ServiceSpec

from .form import Case, VectorFile, case, unique
from .source import Source, won

TOP_K, VOCAB = 8, 500


@dataclass(frozen=True)
class World:
    """An answer with what a worker opens and three validators reveal."""

    leaves: tuple[Leaf, ...]
    references: tuple[Reference, ...]
    calibration: Calibration
    spec: ServiceSpec
    request_seed: bytes
    temperature: int

    def judged(self) -> Case:
        """As a case of judge.json."""
        return case(self._given(), {"judgement": judge(*self._parts())})

    def judged_exceptions(self, first: int, others: int) -> Case:
        """As a case of judge_exceptions.json: chosen positions, `first` from the audit that left `others` undrawn."""
        given = {**self._given(), "first": first, "others": others}
        return case(given, {"judgement": judge_exceptions(*self._parts(), first, others)})

    def _parts(self) -> tuple[tuple[Leaf, ...], tuple[Reference, ...], Calibration, ServiceSpec, bytes, int]:
        return (
            self.leaves,
            self.references,
            self.calibration,
            self.spec,
            self.request_seed,
            self.temperature,
        )

    def _given(self) -> dict[str, Any]:
        return {
            "leaves": encode_leaves(self.leaves),
            "references": self._revealed(),
            "calibration": self.calibration,
            "top_k": self.spec.top_k,
            "vocab_size": self.spec.vocab_size,
            "request_seed": self.request_seed,
            "temperature": self.temperature,
        }

    def _revealed(self) -> list[dict[str, bytes]]:
        return [{"account": item.account, "leaves": encode_leaves(item.leaves)} for item in self.references]

    def agreed(self) -> Case:
        """As a case of consensus.json."""
        result = agree(self.references, self.spec)
        given = {"references": self._revealed(), "top_k": self.spec.top_k, "vocab_size": self.spec.vocab_size}
        nearest = None if result.nearest is None else result.nearest.account
        out = {
            "abstain": result.abstain,
            "accepted": result.accepted,
            "rejected": result.rejected,
            "nearest": nearest,
            "medians": result.medians,
        }
        return case(given, out)

    def with_leaf(self, i: int, change: Callable[[Leaf], Leaf]) -> World:
        """With one of the worker's leaves changed."""
        leaves = list(self.leaves)
        leaves[i] = change(leaves[i])
        return replace(self, leaves=tuple(leaves))

    def with_reference(self, who: int, i: int, change: Callable[[Leaf], Leaf]) -> World:
        """With one leaf of one reference changed."""
        references = list(self.references)
        leaves = list(references[who].leaves)
        leaves[i] = change(leaves[i])
        references[who] = Reference(references[who].account, tuple(leaves))
        return replace(self, references=tuple(references))


def world(source: Source, positions: int, temperature: int, validators: int = 3) -> World:
    """An honest one: validators a step apart, the worker a few."""
    spec, seed = source.spec(TOP_K, VOCAB), source.hash()
    places = sorted(source.random.sample(range(200), positions))
    truth = [source.leaf(place, TOP_K, VOCAB, seed, temperature) for place in places]
    references = [
        Reference(source.hash(), tuple(moved(source, leaf, 1) for leaf in truth)) for _ in range(validators)
    ]
    leaves = tuple(moved(source, leaf, 3) for leaf in truth)
    return World(
        leaves, tuple(references), Calibration(60, 110, 60, 110, 1311, 2000, 9), spec, seed, temperature
    )


def moved(source: Source, leaf: Leaf, steps: int) -> Leaf:
    """The leaf with its lanes up to so many steps away."""

    def near(lanes: Sequence[int]) -> tuple[int, ...]:
        return tuple(lane + source.random.randint(-steps, steps) for lane in lanes)

    return replace(leaf, logit_sketch=near(leaf.logit_sketch), hidden_sketch=near(leaf.hidden_sketch))


def shifted(by: int, lanes: int = 8) -> Callable[[Leaf], Leaf]:
    """Move the first `lanes` logit lanes."""
    return lambda leaf: replace(
        leaf, logit_sketch=tuple(lane + by * (i < lanes) for i, lane in enumerate(leaf.logit_sketch))
    )


def lowered(rank: int, by: int) -> Callable[[Leaf], Leaf]:
    """Lower the log-probs from one rank on (order stays)."""
    return lambda leaf: replace(
        leaf,
        candidates=tuple(
            Candidate(p.id, p.logprob - by * (i >= rank)) for i, p in enumerate(leaf.candidates)
        ),
    )


def renamed(rank: int, token: int) -> Callable[[Leaf], Leaf]:
    """Put another id at one rank, a little below the rank's own log-prob so that ids cannot tie."""

    def change(leaf: Leaf) -> Leaf:
        pairs = list(leaf.candidates)
        pairs = pairs[:rank] + [Candidate(p.id, p.logprob - 400) for p in pairs[rank:]]
        pairs[rank] = Candidate(token, pairs[rank].logprob + 200)
        return replace(leaf, candidates=tuple(pairs))

    return change


def another_token(leaf: Leaf) -> Leaf:
    """The leaf with a token that did not win."""
    return replace(leaf, token=next(pair.id for pair in leaf.candidates if pair.id != leaf.token))


def _everywhere(base: World, change: Callable[[Leaf], Leaf]) -> World:
    for i in range(len(base.leaves)):
        base = base.with_leaf(i, change)
    return base


def _bent_workers(source: Source, base: World) -> list[World]:
    last = len(base.leaves) - 1
    cheap = [won(lowered(0, 900)(leaf), base.request_seed, base.temperature) for leaf in base.leaves]
    return [
        base,
        _everywhere(base, shifted(4)),
        _everywhere(base, shifted(6)),
        _everywhere(base, shifted(60)),
        base.with_leaf(0, shifted(3000)),
        base.with_leaf(last, another_token),
        base.with_leaf(0, lambda leaf: replace(leaf, candidates=leaf.candidates[:-1])),
        base.with_leaf(0, lambda leaf: replace(leaf, candidates=())),
        base.with_leaf(0, lambda leaf: replace(leaf, candidates=leaf.candidates[::-1])),
        base.with_leaf(last, lambda leaf: won(renamed(0, 499)(leaf), base.request_seed, base.temperature)),
        replace(base, leaves=tuple(cheap)),
        _delivered_others(source, base),
        cheap_decode(base),
    ]


def _delivered(base: World, tokens: Sequence[int]) -> tuple[Reference, ...]:
    """The references had other tokens been delivered."""
    return tuple(
        Reference(
            item.account,
            tuple(replace(leaf, token=token) for leaf, token in zip(item.leaves, tokens, strict=True)),
        )
        for item in base.references
    )


def cheap_decode(base: World) -> World:
    """Honest sketches, but candidates in which the delivered token wins by far: only the margin sees it."""
    tokens = [next(p.id for p in leaf.candidates[:2] if p.id != leaf.token) for leaf in base.leaves]
    leaves = []
    for leaf, token in zip(base.leaves, tokens, strict=True):
        rest = sorted(pair.id for pair in leaf.candidates if pair.id != token)
        pairs = (Candidate(token, 0), *(Candidate(i, -20_000) for i in rest))
        leaves.append(replace(leaf, token=token, candidates=pairs))
    return replace(base, leaves=tuple(leaves), references=_delivered(base, tokens))


def _delivered_others(source: Source, base: World) -> World:
    """The delivered tokens are not those that the worker's own candidates let win."""
    losers = [source.random.choice(leaf.candidates).id for leaf in base.leaves]
    leaves = tuple(replace(leaf, token=token) for leaf, token in zip(base.leaves, losers, strict=True))
    return replace(base, leaves=leaves, references=_delivered(base, losers))


def _bent_references(base: World) -> list[World]:
    pair = replace(base, references=base.references[:2])
    reversed_order = replace(base, references=base.references[::-1])
    return [
        base.with_reference(1, 0, shifted(3, lanes=1)),
        base.with_reference(1, 0, shifted(9, lanes=1)),
        base.with_reference(0, 1, shifted(-500)),
        base.with_reference(0, 1, shifted(-500)).with_reference(2, 0, shifted(500)),
        base.with_reference(0, 0, shifted(-500))
        .with_reference(1, 0, shifted(500))
        .with_reference(2, 1, shifted(90)),
        base.with_reference(2, 1, another_token),
        base.with_reference(2, 1, another_token).with_reference(1, 1, lambda leaf: replace(leaf, token=499)),
        base.with_reference(0, 0, lowered(0, 2)),
        base.with_reference(0, 0, lowered(0, 3)),
        base.with_reference(0, 0, lowered(4, 3)),
        base.with_reference(0, 0, renamed(3, 499)),
        base.with_reference(0, 0, renamed(4, 499)),
        pair,
        pair.with_reference(0, 0, shifted(9, lanes=1)),
        pair.with_reference(1, 0, another_token),
        pair.with_reference(1, 1, lowered(0, 3)),
        pair.with_reference(1, 1, renamed(0, 499)),
        replace(base, references=base.references[:1]),
        replace(base, references=()),
        reversed_order,
        replace(
            base,
            references=tuple(
                Reference(item.account, base.references[0].leaves) for item in reversed_order.references
            ),
        ),
    ]


def _unfit(leaf: Leaf) -> Leaf:
    return replace(leaf, candidates=leaf.candidates[::-1])


def _unfit_references(base: World) -> list[World]:
    """References that cannot be compared at all; the first one always can."""
    misplaced = base.with_reference(2, 0, lambda leaf: replace(leaf, position=leaf.position + 1))
    short = Reference(base.references[1].account, base.references[1].leaves[:-1])
    return [
        base.with_reference(1, 0, _unfit),
        base.with_reference(1, 0, _unfit).with_reference(2, 0, _unfit),
        base.with_reference(1, 0, _unfit).with_reference(2, 0, shifted(50)),
        base.with_reference(1, 0, lambda leaf: replace(leaf, candidates=leaf.candidates[:-1])),
        base.with_reference(1, 0, lambda leaf: replace(leaf, candidates=(leaf.candidates[0],) * TOP_K)),
        base.with_reference(
            1, 0, lambda leaf: replace(leaf, candidates=(Candidate(VOCAB, 0), *leaf.candidates[1:]))
        ),
        misplaced,
        replace(base, references=(base.references[0], short, base.references[2])),
        replace(base, references=(base.references[0], Reference(bytes(32), ()))),
    ]


def files() -> list[VectorFile]:
    """All files of this module."""
    source = Source("verdicts")
    judged, agreed = [], []
    for positions, temperature in ((16, 256), (16, 0), (5, 179), (2, 512)):
        base = world(source, positions, temperature)
        judged += [bent.judged() for bent in _bent_workers(source, base)]
        if positions < 16:
            judged += [bent.judged() for bent in _bent_references(base)]
            agreed += [bent.agreed() for bent in _bent_references(base) + _unfit_references(base)]
            judged += [bent.judged() for bent in _unfit_references(base)]
    for validators in (4, 5):
        crowd = world(source, 3, 256, validators)
        agreed += [
            crowd.agreed(),
            crowd.with_reference(0, 0, renamed(0, 499)).with_reference(1, 0, renamed(0, 499)).agreed(),
        ]
        judged.append(crowd.judged())
    return [
        VectorFile(
            "consensus",
            "who is accepted, who rejected, who nearest the lower medians (null when abstaining)",
            unique(agreed),
        ),
        VectorFile(
            "judge", "the whole verdict on one answer from opened leaves and revealed references", judged
        ),
    ]
