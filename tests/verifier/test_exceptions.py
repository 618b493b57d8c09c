"""What a validator calls a certain miss is one for every reference that the chain could accept beside its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from llmnet import proof
from llmnet.proof import Calibration, Candidate, Leaf, Margin, NumericsClass, ServiceSpec
from llmnet.proof.consensus import BAND
from llmnet.proof.scoring import exception_misses
from llmnet.verifier import exceptions, floor_calibration
from llmnet.verifier.exceptions import (
    MAX_EXCEPTIONS,
    certain_miss,
    contradictions,
    is_enough,
    misses_of,
)

from .answers import Answered

SEED = bytes([7]) * 32
FLOOR = floor_calibration(NumericsClass.FP32)


def spec_with(top_k: int) -> ServiceSpec:
    return ServiceSpec(
        b"m", bytes(32), bytes(32), bytes(32), bytes(32), 1, top_k, NumericsClass.FP32, 1000, 512, 10, 10
    )


@dataclass(frozen=True)
class Pair:
    """A reference, and another one that the chain would accept beside it: log-probs within twice the band, and what follows."""

    spec: ServiceSpec
    temperature: int
    own: Leaf
    other: Leaf
    calibration: Calibration

    def is_sound(self) -> bool:
        """Whether both references call it a miss, or it is not called certain."""
        if certain_miss(self.own, self.spec, self.calibration, SEED, self.temperature) is None:
            return True
        # Whatever the worker's own leaf says: here that the token stands at the very end.
        last = (
            *(Candidate(900 + rank, 0) for rank in range(self.spec.top_k - 1)),
            Candidate(self.own.token, -1),
        )
        excuse = replace(self.own, candidates=last)
        return all(
            proof.margin(excuse, leaf, self.spec, self.calibration, SEED, self.temperature) is Margin.MISS
            for leaf in (self.own, self.other)
        )


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Pairs at which the threshold stands near what the token lost."""
    top_k = draw(st.sampled_from([3, 6, 20]))
    falls = draw(st.lists(st.integers(0, 60), min_size=top_k + 3, max_size=top_k + 3))
    logprobs = [-sum(falls[: rank + 1]) for rank in range(top_k + 3)]  # three more wait below the last rank
    ids = draw(st.permutations(range(top_k + 3)))
    step = st.sampled_from([-2 * BAND, 0, 2 * BAND])
    shifts = draw(st.lists(step, min_size=top_k + 3, max_size=top_k + 3))
    token = draw(st.sampled_from(ids))

    def leaf(values: list[int]) -> Leaf:
        ranked = sorted(zip(values, ids, strict=True), key=lambda pair: (-pair[0], pair[1]))[:top_k]
        return Leaf(3, token, tuple(Candidate(number, value) for value, number in ranked), (0,) * 8, (0,) * 8)

    own, moved = (
        leaf(logprobs),
        [min(value + shift, 0) for value, shift in zip(logprobs, shifts, strict=True)],
    )
    spec, temperature = spec_with(top_k), draw(st.sampled_from([0, 100, 256, 700]))
    lost = proof.deficit(own, own, spec, SEED, temperature) or 0
    tau = max(0, lost - draw(st.integers(0, 3000)))
    return Pair(spec, temperature, own, leaf(moved), replace(FLOOR, tau_sample=tau))


@settings(max_examples=200)
@given(pairs())
def test_a_certain_miss_is_one_beside_every_acceptable_reference(pair: Pair) -> None:
    assert pair.is_sound()


@pytest.mark.parametrize("name", ["DOUBT", "SLACK", "APART"])
def test_without_its_doubts_it_would_not_be_certain(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exceptions, name, 0)
    if name == "APART":  # the doubt about the cut alone
        monkeypatch.setattr(exceptions, "SLACK", 0)
    often = settings(max_examples=2000, database=None, phases=[Phase.generate])
    find(pairs(), lambda pair: not pair.is_sound(), settings=often)


def test_an_honest_answer_has_none(answered: Answered) -> None:
    receipt = answered.receipt
    assert misses_of(answered.leaves, answered.spec, FLOOR, answered.request_seed, receipt.temperature) == ()
    assert (
        contradictions(
            answered.leaves,
            answered.material.tokens,
            answered.spec,
            answered.request_seed,
            receipt.temperature,
        )
        == ()
    )


def losers(answered: Answered, count: int) -> list[Leaf]:
    """References in which the first `count` delivered tokens are the likeliest loser instead of the winner."""
    changed = []
    for leaf in answered.leaves[:count]:
        loser = next(pair.id for pair in leaf.candidates if pair.id != leaf.token)
        changed.append(replace(leaf, token=loser))
    return [*changed, *answered.leaves[count:]]


def test_tokens_that_lost_are_named_the_clearest_first(answered: Answered) -> None:
    temperature, seed = answered.receipt.temperature, answered.request_seed
    found = misses_of(losers(answered, 20), answered.spec, FLOOR, seed, temperature)
    assert exception_misses(-208, answered.receipt.n_out) <= len(found) <= MAX_EXCEPTIONS
    lost = [
        certain_miss(leaf, answered.spec, FLOOR, seed, temperature)
        for position in found
        for leaf in losers(answered, 20)
        if leaf.position == position
    ]
    assert lost == sorted(lost, reverse=True)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("first", "others", "enough"), [(-208, 8, 2), (1_341, 8, 1), (-208, 176, 4), (1_341, 176, 3)]
)
def test_how_many_fail_an_answer_depends_on_its_length_and_on_what_was_drawn(
    first: int, others: int, enough: int
) -> None:
    assert is_enough(range(enough), first, others)
    assert not is_enough(range(enough - 1), first, others)


def test_contradictions_are_the_worker_s_own(answered: Answered) -> None:
    seed, temperature, tokens = answered.request_seed, answered.receipt.temperature, answered.material.tokens
    leaves = list(answered.leaves)
    leaves[2] = replace(leaves[2], token=(leaves[2].token + 1) % 200)
    leaves[5] = losers(answered, 20)[5]
    other = [*tokens[:5], leaves[5].token, *tokens[6:]]
    assert contradictions(leaves, other, answered.spec, seed, temperature) == (2, 5)
