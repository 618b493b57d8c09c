"""What is done to leaves that were recorded: lists made to fit, sketches made up, leaves of somewhere else."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from llmnet.measure import Recording
from llmnet.proof import LANES, Leaf
from llmnet.redteam.attack import Bend, Source
from llmnet.redteam.leaves import launder, nudge

LARGEST = 32_767
_Sketches = tuple[tuple[int, ...], tuple[int, ...]]


def nudged(_: Source, recording: Recording) -> Recording:
    """Every list is changed as little as lets the sold token win."""
    seed, temperature = recording.request_seed, recording.temperature
    return _with(
        recording,
        [
            nudge(leaf, token, seed, temperature)
            for leaf, token in zip(recording.leaves, recording.tokens, strict=True)
        ],
    )


def first_of(tokens: int, bend: Bend) -> Bend:
    """The same of an answer that ends after so many tokens, whatever was recorded of it."""

    def shortened(source: Source, recording: Recording) -> Recording:
        leaves, reference = recording.leaves[:tokens], recording.reference[:tokens]
        return bend(source, dataclasses.replace(recording, leaves=leaves, reference=reference))

    return shortened


def laundered(source: Source, recording: Recording) -> Recording:
    """Tokens that the honest list does not hold win from a rank that is not looked at; the others are nudged."""
    seed, temperature = recording.request_seed, recording.temperature
    made = []
    for leaf, token in zip(recording.leaves, recording.tokens, strict=True):
        if token in dict(leaf.candidates):
            made.append(nudge(leaf, token, seed, temperature))
        else:
            made.append(launder(leaf, token, seed, temperature, source.spec.vocab_size))
    return _with(recording, made)


def first(count: int) -> Bend:
    """As if so many tokens had been asked for."""

    def bend(_: Source, recording: Recording) -> Recording:
        return dataclasses.replace(
            recording, leaves=recording.leaves[:count], reference=recording.reference[:count]
        )

    return bend


def sketches(make: Callable[[random.Random, Leaf], _Sketches]) -> Bend:
    """Both sketches made up, the list as computed."""

    def bend(_: Source, recording: Recording) -> Recording:
        dice = random.Random(f"sketches/{recording.id}")
        return _with(recording, [_sketched(leaf, make(dice, leaf)) for leaf in recording.leaves])

    return bend


def constant(value: int) -> Bend:
    """The same number in all lanes."""
    return sketches(lambda _, __: ((value,) * LANES, (value,) * LANES))


def noise(dice: random.Random, leaf: Leaf) -> _Sketches:
    """Normal numbers of the size of the true lanes."""
    return _like(dice, leaf.logit_sketch), _like(dice, leaf.hidden_sketch)


def saturated(dice: random.Random, _: Leaf) -> _Sketches:
    """All lanes at one end of their range."""
    return (
        tuple(dice.choice((-LARGEST, LARGEST)) for _ in range(LANES)),
        tuple(dice.choice((-LARGEST, LARGEST)) for _ in range(LANES)),
    )


def shifted(_: Source, recording: Recording) -> Recording:
    """True sketches of this answer, each at the position after its own."""
    turned = (recording.reference[-1:] + recording.reference[:-1]) or recording.reference
    pairs = zip(recording.leaves, turned, strict=True)
    return _with(
        recording, [_sketched(leaf, (other.logit_sketch, other.hidden_sketch)) for leaf, other in pairs]
    )


def foreign(kind: str) -> Bend:
    """Whole leaves of another request."""

    def bend(source: Source, recording: Recording) -> Recording:
        other = _another(source, kind, recording)
        return _with(
            recording,
            [
                dataclasses.replace(other.leaves[place % len(other.leaves)], position=place)
                for place in range(len(recording.leaves))
            ],
        )

    return bend


def foreign_sketches(kind: str) -> Bend:
    """True sketches of another request under the own list."""

    def bend(source: Source, recording: Recording) -> Recording:
        other = _another(source, kind, recording)
        made = []
        for place, leaf in enumerate(recording.leaves):
            theirs = other.leaves[place % len(other.leaves)]
            made.append(_sketched(leaf, (theirs.logit_sketch, theirs.hidden_sketch)))
        return _with(recording, made)

    return bend


def shuffled(_: Source, recording: Recording) -> Recording:
    """The honest leaves in another order, each with the position where it is put."""
    order = list(range(len(recording.leaves)))
    dice = random.Random(f"order/{recording.id}")
    while len(order) > 1 and any(place == found for place, found in enumerate(order)):
        dice.shuffle(order)
    return _with(
        recording,
        [dataclasses.replace(recording.leaves[found], position=place) for place, found in enumerate(order)],
    )


def _another(source: Source, kind: str, recording: Recording) -> Recording:
    """The next answer of the list, round and round."""
    others = source.recordings[kind]
    place = next((at for at, found in enumerate(others) if found.id == recording.id), 0)
    return others[(place + 1) % len(others)]


def _like(dice: random.Random, lanes: tuple[int, ...]) -> tuple[int, ...]:
    size = (sum(lane * lane for lane in lanes) / len(lanes)) ** 0.5
    return tuple(max(-LARGEST, min(LARGEST, round(dice.gauss(0, size)))) for _ in lanes)


def _sketched(leaf: Leaf, lanes: _Sketches) -> Leaf:
    return dataclasses.replace(leaf, logit_sketch=lanes[0], hidden_sketch=lanes[1])


def _with(recording: Recording, leaves: list[Leaf]) -> Recording:
    return dataclasses.replace(recording, leaves=tuple(leaves))
