"""Lists written to fit a token: they do what they are for, and the reference's list still tells."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.proof import (
    Candidate,
    Leaf,
    NumericsClass,
    ServiceSpec,
    deficit,
    looked_at,
    sample,
    self_consistent,
)
from llmnet.redteam.leaves import launder, nudge

VOCABULARY, TOP_K = 4_000, 20
SPEC = ServiceSpec(b"lists", *([bytes(32)] * 4), 1, TOP_K, NumericsClass.FP32, VOCABULARY, 512, 9, 9)
temperatures = st.sampled_from([0, 1, 51, 179, 256, 384, 2_000])
seeds = st.binary(min_size=32, max_size=32)


@st.composite
def honest_leaves(draw: st.DrawFn) -> tuple[Leaf, bytes, int]:
    """A leaf as an honest worker makes it."""
    seed, temperature = draw(seeds), draw(temperatures)
    ids = draw(st.lists(st.integers(0, VOCABULARY - 1), min_size=TOP_K, max_size=TOP_K, unique=True))
    logprobs = draw(st.lists(st.integers(-4_000, 0), min_size=TOP_K, max_size=TOP_K))
    pairs = sorted(zip(ids, logprobs, strict=True), key=lambda pair: (-pair[1], pair[0]))
    position = draw(st.integers(0, 300))
    names, values = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    token = names[sample(values, names, temperature, seed, position)]
    candidates = tuple(Candidate(*pair) for pair in pairs)
    return Leaf(position, token, candidates, (0,) * 8, (0,) * 8), seed, temperature


@settings(deadline=None, max_examples=25)
@given(honest_leaves(), st.integers(0, VOCABULARY - 1))
def test_a_nudged_list_agrees_with_itself_whatever_the_token(
    case: tuple[Leaf, bytes, int], token: int
) -> None:
    leaf, seed, temperature = case
    made = nudge(leaf, token, seed, temperature)
    assert made.token == token
    assert self_consistent(made, SPEC, seed, temperature)


@settings(deadline=None, max_examples=20)
@given(honest_leaves())
def test_a_list_that_fits_already_is_left_alone(case: tuple[Leaf, bytes, int]) -> None:
    leaf, seed, temperature = case
    assert nudge(leaf, leaf.token, seed, temperature) == leaf


@settings(deadline=None, max_examples=15)
@given(honest_leaves(), st.integers(0, VOCABULARY - 1))
def test_a_laundered_list_agrees_with_itself_too(case: tuple[Leaf, bytes, int], token: int) -> None:
    leaf, seed, temperature = case
    assert self_consistent(launder(leaf, token, seed, temperature, VOCABULARY), SPEC, seed, temperature)


@settings(deadline=None, max_examples=15)
@given(honest_leaves(), st.integers(0, VOCABULARY - 1))
def test_no_way_of_writing_the_list_changes_what_the_reference_says(
    case: tuple[Leaf, bytes, int], token: int
) -> None:
    leaf, seed, temperature = case
    ways = (nudge(leaf, token, seed, temperature), launder(leaf, token, seed, temperature, VOCABULARY))
    found = {deficit(made, leaf, SPEC, seed, temperature) for made in ways}
    assert len(found) == 1


def test_a_token_that_the_reference_does_not_know_is_far_off_from_whatever_rank() -> None:
    seed, temperature = b"\7" * 32, 256
    pairs = [Candidate(number, -8 - 40 * number) for number in range(TOP_K)]
    honest = Leaf(3, 0, tuple(pairs), (0,) * 8, (0,) * 8)
    ranks, missed = [], 0
    for token in range(1_000, 1_040):
        made = launder(honest, token, seed, temperature, VOCABULARY)
        ranks.append([candidate.id for candidate in made.candidates].index(token))
        missed += (deficit(made, honest, SPEC, seed, temperature) or 0) > 65_536
    assert sum(rank >= looked_at(TOP_K) for rank in ranks) >= 35  # it can nearly always be hidden there
    assert missed >= 30  # and nearly always counts all the same


@pytest.mark.parametrize("temperature", [0, 256])
def test_the_raw_list_does_not_agree_with_another_token(temperature: int) -> None:
    pairs = tuple(Candidate(number, -10 * (number + 1)) for number in range(TOP_K))
    seed = b"\1" * 32
    ids = [pair.id for pair in pairs]
    winner = ids[sample([pair.logprob for pair in pairs], ids, temperature, seed, 0)]
    other = next(token for token in ids if token != winner)
    assert not self_consistent(Leaf(0, other, pairs, (0,) * 8, (0,) * 8), SPEC, seed, temperature)
