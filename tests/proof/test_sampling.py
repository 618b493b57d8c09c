"""The integer sampler draws from the softmax; leaves that lie about it are seen."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmnet.proof import (
    Calibration,
    Candidate,
    Leaf,
    Margin,
    NumericsClass,
    ServiceSpec,
    ShapeError,
    gumbel_noise,
    margin,
    sample,
    sample_batch,
    scores,
    scores_batch,
    self_consistent,
    tolerance,
    well_formed,
)
from llmnet.proof.sampler import deficit

SEED = b"s" * 32
ZERO = (0,) * 8
LOGPROBS = np.array([-100, -250, -300, -300, -500, -700, -900, -1200])
IDS = np.array([40, 7, 9, 3000, 11, 49151, 0, 5])


def make_spec(top_k: int, vocab_size: int = 50_000) -> ServiceSpec:
    return ServiceSpec(b"t", *[bytes(32)] * 4, 1, top_k, NumericsClass.FP32, vocab_size, 2048, 9, 9)


def tolerating(nat: float, temperature: int = 256) -> Calibration:
    """A row that tolerates so much at a temperature: at zero that is three times what it says."""
    return Calibration(0, 0, 0, 0, math.ceil(nat * 65536 / (1 if temperature else 3)), 0, 0)


def draw(count: int, temperature: int) -> np.ndarray:
    rows = (np.tile(LOGPROBS, (count, 1)), np.tile(IDS, (count, 1)), [temperature] * count)
    seeds = [(i // 1000).to_bytes(32, "little") for i in range(count)]
    return np.bincount(sample_batch(*rows, seeds, np.arange(count) % 1000), minlength=8)


@pytest.mark.parametrize("temperature", [128, 256, 512])
def test_frequencies_follow_the_softmax(temperature: int) -> None:
    count = 40_000
    weights = np.exp(LOGPROBS / 256 / (temperature / 256))
    expected = count * weights / weights.sum()
    chi_square = float(((draw(count, temperature) - expected) ** 2 / expected).sum())
    assert chi_square < 24.3  # 7 degrees of freedom, one in a thousand


def test_the_chi_square_sees_another_temperature() -> None:
    count = 40_000
    weights = np.exp(LOGPROBS / 256)
    expected = count * weights / weights.sum()
    assert ((draw(count, 270) - expected) ** 2 / expected).sum() > 24.3


def test_greedy_takes_the_best_and_ties_go_to_the_lower_id() -> None:
    assert sample([-5, -3, -4], [1, 2, 3], 0, SEED, 0) == 1
    assert sample([-3, -3, -3], [9, 4, 6], 0, SEED, 0) == 1
    assert scores([-3, 0], [1, 2], 0, SEED, 0).tolist() == [-768, 0]


@given(
    st.integers(1, 65535),
    st.integers(-32767, 0),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 32) - 1),
)
def test_score_is_logprob_over_temperature_plus_noise(
    temperature: int, logprob: int, token: int, position: int
) -> None:
    score = int(scores([logprob], [token], temperature, SEED, position)[0])
    exact = logprob / temperature * 65536
    assert 0 <= score - int(gumbel_noise(SEED, position, [token])[0]) - exact < 1


@given(
    st.lists(st.tuples(st.integers(-32767, 0), st.integers(0, (1 << 32) - 1)), min_size=1, max_size=32),
    st.data(),
)
def test_a_batch_samples_as_its_rows_and_order_does_not_matter(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    logprobs, ids = (list(column) for column in zip(*pairs, strict=True))
    assume(len(set(ids)) == len(ids))
    temperatures = [0, 1, 256, 65535]
    seeds = [bytes([i]) * 32 for i in range(4)]
    winners = sample_batch([logprobs] * 4, [ids] * 4, temperatures, seeds, [5, 6, 7, 8])
    order = data.draw(st.permutations(range(len(ids))))
    for i in range(4):
        shuffled = sample(
            [logprobs[j] for j in order], [ids[j] for j in order], temperatures[i], seeds[i], 5 + i
        )
        assert ids[winners[i]] == ids[order[shuffled]]


@pytest.mark.parametrize(
    ("logprobs", "ids", "temperatures", "seeds", "positions"),
    [
        ([[-1, -2]], [[1]], [0], [SEED], [0]),
        ([[-1]], [[1]], [0, 0], [SEED], [0]),
        ([[-1]], [[1]], [0], [SEED, SEED], [0]),
        ([[-1]], [[1]], [0], [SEED], [0, 1]),
        ([[1]], [[1]], [0], [SEED], [0]),
        ([[]], [[]], [0], [SEED], [0]),
        ([-1], [1], [0], [SEED], [0]),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    logprobs: list, ids: list, temperatures: list, seeds: list, positions: list
) -> None:
    with pytest.raises(ShapeError):
        sample_batch(logprobs, ids, temperatures, seeds, positions)


def honest(temperature: int, position: int = 3) -> Leaf:
    order = sorted(zip(LOGPROBS.tolist(), IDS.tolist(), strict=True), key=lambda pair: (-pair[0], pair[1]))
    pairs = tuple(Candidate(i, p) for p, i in order)
    winner = sample(
        [pair.logprob for pair in pairs], [pair.id for pair in pairs], temperature, SEED, position
    )
    return Leaf(position, pairs[winner].id, pairs, ZERO, ZERO)


@pytest.mark.parametrize("temperature", [0, 256])
def test_an_honest_leaf_is_self_consistent_and_no_other_token_is(temperature: int) -> None:
    leaf, spec = honest(temperature), make_spec(8)
    assert self_consistent(leaf, spec, SEED, temperature)
    for candidate in leaf.candidates:
        token = candidate.id
        assert self_consistent(replace(leaf, token=token), spec, SEED, temperature) == (token == leaf.token)
    assert not self_consistent(replace(leaf, token=12345), spec, SEED, temperature)


def test_another_seed_position_or_temperature_breaks_some_leaf() -> None:
    leaves = [honest(256, position) for position in range(30)]
    spec = make_spec(8)
    assert all(self_consistent(leaf, spec, SEED, 256) for leaf in leaves)
    assert not all(self_consistent(leaf, spec, b"z" * 32, 256) for leaf in leaves)
    assert not all(self_consistent(leaf, spec, SEED, 0) for leaf in leaves)
    assert not all(
        self_consistent(replace(leaf, position=leaf.position + 1), spec, SEED, 256) for leaf in leaves
    )


def test_malformed_leaves_are_not_well_formed() -> None:
    leaf, spec = honest(0), make_spec(8)
    pairs = leaf.candidates
    assert well_formed(leaf, spec)
    bent = [
        pairs[:-1],
        (*pairs, Candidate(77, -1300)),
        (*pairs[:-1], pairs[0]),
        (*pairs[:-1], Candidate(50_000, -1200)),
        pairs[::-1],
        (pairs[0], pairs[1], pairs[3], pairs[2], *pairs[4:]),
        (Candidate(pairs[0].id, 1), *pairs[1:]),
        (*pairs[:-1], Candidate(pairs[-1].id, -32768)),
        (),
    ]
    for candidates in bent:
        assert not well_formed(replace(leaf, candidates=candidates), spec)
        assert not self_consistent(replace(leaf, candidates=candidates), spec, SEED, 0)
    assert not well_formed(leaf, make_spec(7))


def ladder(ids: list[int], step: int = 64) -> Leaf:
    """Greedy leaf whose log-probs fall by `step` / 256 nat a rank."""
    return Leaf(0, ids[0], tuple(Candidate(i, -step * rank) for rank, i in enumerate(ids)), ZERO, ZERO)


@pytest.mark.parametrize(
    ("token", "nat", "expected"),
    [
        (10, 0.0, Margin.HIT),
        (11, 0.24, Margin.MISS),  # a quarter nat behind
        (11, 0.25, Margin.HIT),
        (13, 0.74, Margin.MISS),
        (13, 0.75, Margin.HIT),
        (14, 0.0, Margin.NOT_COUNTED),  # the last four ranks of eight: a nat is forgiven
        (15, 0.24, Margin.MISS),
        (15, 0.25, Margin.HIT),
        (17, 0.74, Margin.MISS),
        (99, 0.74, Margin.MISS),  # not in the reference: at most as likely as its last candidate
        (99, 0.75, Margin.HIT),
    ],
)
def test_greedy_margins_in_nat(token: int, nat: float, expected: Margin) -> None:
    reference = ladder(list(range(10, 18)))
    leaf = replace(reference, token=token)
    assert margin(leaf, reference, make_spec(8), tolerating(nat, 0), SEED, 0) is expected


def test_what_the_worker_says_of_its_candidates_excuses_nothing() -> None:
    """Else any token could be sold: put last in one's own leaf, among candidates with little noise."""
    reference = ladder(list(range(10, 18)))
    for rank in range(8):
        ids = list(range(10, 18))
        ids[rank] = 99
        leaf = replace(ladder(ids), token=99)
        assert margin(leaf, reference, make_spec(8), tolerating(0.5, 0), SEED, 0) is Margin.MISS


def test_few_tokens_from_below_the_cut_stand_near_the_winner() -> None:
    """The noise of a token is not the worker's to choose."""
    reference, spec = honest(256, 3), make_spec(8)
    strangers = [replace(reference, token=token) for token in range(100, 400)]
    found = [margin(leaf, reference, spec, tolerating(0.25), SEED, 256) for leaf in strangers]
    assert found.count(Margin.MISS) > 200
    assert Margin.NOT_COUNTED in found


@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_with_four_or_fewer_candidates_nothing_is_skipped(top_k: int) -> None:
    reference = ladder(list(range(10, 10 + top_k)))
    spec = make_spec(top_k)
    last = replace(reference, token=9 + top_k)
    assert margin(last, reference, spec, tolerating(9), SEED, 0) is Margin.HIT
    assert margin(last, reference, spec, tolerating(0), SEED, 0) is (
        Margin.HIT if top_k == 1 else Margin.MISS
    )
    stranger = replace(ladder([*range(10, 9 + top_k), 99]), token=99)
    assert margin(stranger, reference, spec, tolerating(0), SEED, 0) is Margin.NOT_COUNTED


@given(st.integers(1, 2048), st.integers(0, 1000))
def test_the_winner_never_misses_and_a_sampled_deficit_is_in_nat(temperature: int, position: int) -> None:
    leaf, spec = honest(temperature, position), make_spec(8)
    rank = [pair.id for pair in leaf.candidates].index(leaf.token)
    own = margin(leaf, leaf, spec, tolerating(0), SEED, temperature)
    assert own is (Margin.HIT if rank < 4 else Margin.NOT_COUNTED)
    points = scores(
        [p.logprob for p in leaf.candidates], [p.id for p in leaf.candidates], temperature, SEED, position
    )
    other = replace(leaf, token=leaf.candidates[0].id)
    deficit = (int(points[:4].max()) - int(points[0])) / 65536 * temperature / 256
    most = 0.5 + max(0.0, 1 - temperature / 128)
    expected = Margin.HIT if deficit <= most else Margin.MISS
    assume(abs(deficit - most) > 0.001)
    assert margin(other, leaf, spec, tolerating(0.5), SEED, temperature) is expected


@pytest.mark.parametrize("temperature", [1, 77, 128, 255, 256, 257, 300, 512, 65535])
def test_a_deficit_is_the_lost_score_times_the_temperature(temperature: int) -> None:
    """Scores are log-probs over the temperature plus noise: in nat, differences of them count by the temperature."""
    reference, spec = honest(temperature, 3), make_spec(8)
    ids, logprobs = zip(*reference.candidates, strict=True)
    points = [int(point) for point in scores(logprobs, ids, temperature, SEED, 3)]
    for rank in range(8):
        nats = Fraction((max(*points[:4], points[rank]) - points[rank]) * temperature, 256).__floor__()
        beyond = nats - 65536 if nats > 65536 else None
        found = deficit(replace(reference, token=ids[rank]), reference, spec, SEED, temperature)
        assert found == (nats if rank < 4 else beyond)
        assert found is None or type(found) is int


def test_a_greedy_deficit_is_the_difference_of_log_probs() -> None:
    reference = ladder(list(range(10, 18)), step=300)
    found = [deficit(replace(reference, token=10 + r), reference, make_spec(8), SEED, 0) for r in range(8)]
    assert found == [300 * 256 * rank - (65536 if rank >= 4 else 0) for rank in range(8)]


@pytest.mark.parametrize(
    ("tau", "temperature", "most"),
    [
        (1000, 0, 3000),
        (1000, 1, 2984),
        (1000, 64, 2000),
        (1000, 127, 1015),
        (1000, 128, 1000),
        (1000, 65535, 1000),
        (0, 0, 0),
        (2**32 - 1, 0, 3 * (2**32 - 1)),
    ],
)
def test_the_colder_the_more_is_tolerated(tau: int, temperature: int, most: int) -> None:
    assert tolerance(tau, temperature) == most


def test_scores_are_integers_whatever_integers_they_are_made_from() -> None:
    expected = scores(LOGPROBS, IDS, 77, SEED, 3)
    for kind in (np.uint16, np.int32, np.uint64):
        temperatures, ids = np.array([77], dtype=kind), IDS.astype(np.uint32)[None, :]
        found = scores_batch(LOGPROBS[None, :].astype(np.int16), ids, temperatures, [SEED], [3])
        assert found.dtype == expected.dtype == np.int64
        assert found.tolist() == [expected.tolist()]
        winner = sample_batch(LOGPROBS[None, :].astype(np.int16), ids, temperatures, [SEED], [3])
        assert winner.tolist() == [int(expected.argmax())]


def test_the_lowest_temperature_divides_by_one() -> None:
    score = int(scores([-3], [5], 1, SEED, 9)[0])
    assert score - int(gumbel_noise(SEED, 9, [5])[0]) == -3 * 65536


def test_the_least_log_prob_is_well_formed() -> None:
    leaf = honest(0)
    pairs = (*leaf.candidates[:-1], Candidate(leaf.candidates[-1].id, -32767))
    assert well_formed(replace(leaf, candidates=pairs), make_spec(8))


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.int32, np.uint32, np.int64])
def test_the_winner_is_the_same_whatever_integers_the_ids_are(kind: type[np.integer]) -> None:
    """What does not win is set aside by an id above all others, which has to fit where ids are compared."""
    ids = [[40, 7, 9, 3000]]
    assert sample_batch([[-5, -3, -4, -3]], np.array(ids, dtype=kind), [0], [SEED], [3]).tolist() == [1]
