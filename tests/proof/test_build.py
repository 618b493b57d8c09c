"""From floats to leaves: equal to a brute-force selection, batched or one by one, and never from a NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.proof import (
    NonFiniteError,
    NumericsClass,
    ServiceSpec,
    ShapeError,
    assemble_leaf,
    assemble_leaves,
    build_leaves,
    log_normaliser,
    quantise_lanes,
    quantise_logprobs,
    self_consistent,
    sign_matrix,
    sketch_hidden,
    sketch_logits,
    top_candidates,
    well_formed,
)

V, D, B = 300, 48, 4
SEEDS = [bytes([i]) * 32 for i in range(B)]
SPEC = ServiceSpec(b"t", *[bytes(32)] * 4, 1, 8, NumericsClass.FP32, V, 2048, 9, 7)


def batch(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(B, V)) * 3).astype(np.float32), rng.normal(size=(B, D)).astype(np.float32)


def brute(logits: np.ndarray, top_k: int) -> list[tuple[int, int]]:
    z = logits.astype(np.float64)
    logprobs = z - (z.max() + math.log(math.fsum(np.exp(z - z.max()).tolist())))
    steps = [max(-32767, min(0, round(float(x) * 256))) for x in logprobs]
    return sorted(((-step, i) for i, step in enumerate(steps)))[:top_k]


@settings(deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=8, max_size=60),
    st.integers(1, 8),
    st.sampled_from([1 / 512, 1 / 64, 1, 9]),
)
def test_candidates_equal_brute_force_with_ties(values: list[int], top_k: int, scale: float) -> None:
    """Multiples of a step make exact ties and ties by rounding; a step of 9 makes log-probs that clamp."""
    logits = (np.array([values], dtype=np.float64) * scale).astype(np.float32)
    ids, logprobs = top_candidates(logits, top_k)
    assert list(zip((-logprobs[0].astype(int)).tolist(), ids[0].tolist(), strict=True)) == brute(
        logits[0], top_k
    )


def test_log_normaliser_is_exact_to_a_fraction_of_a_step() -> None:
    logits, _ = batch()
    exact = [math.log(math.fsum(math.exp(float(z)) for z in row)) for row in logits]
    assert np.abs(log_normaliser(logits) - exact).max() < 1e-5


def test_quantising_rounds_half_to_even_and_clamps() -> None:
    assert quantise_logprobs([-0.5 / 256, -1.5 / 256, -2.5 / 256, 0, 1e-9, -1000.0]).tolist() == [
        0,
        -2,
        -2,
        0,
        0,
        -32767,
    ]
    assert quantise_lanes([0.5, 1.5, -0.5, -1.5, 2.5, 1e9, -1e9], 0).tolist() == [
        0,
        2,
        0,
        -2,
        2,
        32767,
        -32767,
    ]
    assert quantise_lanes([1.0, -63.998046875, 64.0], 9).tolist() == [512, -32767, 32767]
    assert quantise_lanes([0.0, 1e-30, -1.0], 255).tolist() == [0, 32767, -32767]


def test_lanes_are_the_signed_sums_of_the_protocol() -> None:
    logits, hidden = batch()
    signs, states = sign_matrix(SEEDS[0], "LOGI", V), sign_matrix(SEEDS[0], "HIDN", D)
    mean = math.fsum(logits[0].tolist()) / V
    for lane in range(8):
        exact = math.fsum(int(s) * (float(z) - mean) for s, z in zip(signs[lane], logits[0], strict=True))
        assert sketch_logits(logits[0], signs)[lane] == pytest.approx(exact / math.sqrt(V), abs=1e-5)
        exact = math.fsum(int(s) * float(h) for s, h in zip(states[lane], hidden[0], strict=True))
        assert sketch_hidden(hidden[0], states)[lane] == pytest.approx(exact / math.sqrt(D), abs=1e-5)


def test_adding_a_constant_to_all_logits_changes_no_lane_but_hidden_lanes_have_no_mean_taken() -> None:
    logits, hidden = batch()
    signs, states = sign_matrix(SEEDS[0], "LOGI", V), sign_matrix(SEEDS[0], "HIDN", D)
    assert sketch_logits(logits[0] + 5, signs) == pytest.approx(sketch_logits(logits[0], signs), abs=1e-4)
    assert np.abs(sketch_hidden(hidden[0] + 5, states) - sketch_hidden(hidden[0], states)).max() > 0.1


@pytest.mark.parametrize("temperature", [0, 200])
def test_built_leaves_are_self_consistent_and_rows_do_not_mix(temperature: int) -> None:
    logits, hidden = batch()
    together = build_leaves(logits, hidden, [3, 0, 9, 4], SEEDS, SPEC, temperatures=[temperature] * B)
    for i, leaf in enumerate(together):
        assert self_consistent(leaf, SPEC, SEEDS[i], temperature)
        assert leaf.position == [3, 0, 9, 4][i]
        rows = logits[i : i + 1], hidden[i : i + 1]
        assert build_leaves(*rows, [leaf.position], [SEEDS[i]], SPEC, temperatures=[temperature]) == [leaf]
    assert len({leaf.logit_sketch for leaf in together}) == B


def test_reference_leaves_keep_the_token_they_are_given() -> None:
    logits, hidden = batch()
    sampled = build_leaves(logits, hidden, range(B), SEEDS, SPEC, temperatures=[256] * B)
    given_tokens = build_leaves(logits, hidden, range(B), SEEDS, SPEC, tokens=[299, 0, 5, 7])
    assert [leaf.token for leaf in given_tokens] == [299, 0, 5, 7]
    assert [leaf.candidates for leaf in given_tokens] == [leaf.candidates for leaf in sampled]


def small_parts(logits: np.ndarray, hidden: np.ndarray, keep: int) -> tuple[np.ndarray, ...]:
    ids = np.argsort(-logits, axis=1, kind="stable")[:, :keep]
    logprobs = np.take_along_axis(logits, ids, axis=1).astype(np.float64) - log_normaliser(logits)[:, None]
    lanes = [sketch_logits(z, sign_matrix(seed, "LOGI", V)) for z, seed in zip(logits, SEEDS, strict=True)]
    states = [sketch_hidden(h, sign_matrix(seed, "HIDN", D)) for h, seed in zip(hidden, SEEDS, strict=True)]
    return ids, logprobs, np.array(lanes), np.array(states)


def test_assembled_leaves_equal_built_ones() -> None:
    logits, hidden = batch(1)
    parts = small_parts(logits, hidden, 24)
    built = build_leaves(logits, hidden, range(B), SEEDS, SPEC, temperatures=[256] * B)
    assert assemble_leaves(range(B), *parts, SPEC, SEEDS, temperatures=[256] * B) == built
    one = assemble_leaf(2, *(part[2] for part in parts), SPEC, SEEDS[2], temperature=256)
    assert one == built[2]
    assert assemble_leaf(2, *(part[2] for part in parts), SPEC, SEEDS[2], token=17).token == 17


def test_with_exactly_top_k_given_only_ties_of_the_last_rank_can_differ() -> None:
    """Seed 1 has such a tie: why an engine passes some candidates more."""
    logits, hidden = batch(1)
    built = build_leaves(logits, hidden, range(B), SEEDS, SPEC, temperatures=[0] * B)
    bare = assemble_leaves(range(B), *small_parts(logits, hidden, 8), SPEC, SEEDS, temperatures=[0] * B)
    assert bare != built
    for a, b in zip(bare, built, strict=True):
        assert [pair.logprob for pair in a.candidates] == [pair.logprob for pair in b.candidates]
        last = b.candidates[-1].logprob
        assert [p for p in a.candidates if p.logprob > last] == [p for p in b.candidates if p.logprob > last]


def test_assembling_orders_what_an_engine_gives_in_any_order() -> None:
    logits, hidden = batch(2)
    ids, logprobs, lanes, states = small_parts(logits, hidden, 20)
    order = np.random.default_rng(0).permutation(20)
    straight = assemble_leaves(range(B), ids, logprobs, lanes, states, SPEC, SEEDS, temperatures=[0] * B)
    mixed = assemble_leaves(
        range(B), ids[:, order], logprobs[:, order], lanes, states, SPEC, SEEDS, temperatures=[0] * B
    )
    assert straight == mixed
    assert all(well_formed(leaf, SPEC) for leaf in mixed)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_an_error_wherever_it_stands(bad: float) -> None:
    logits, hidden = batch()
    spoiled = logits.copy()
    spoiled[2, 7] = bad
    with pytest.raises(NonFiniteError, match=r"logits hold .* at \(2, 7\)"):
        build_leaves(spoiled, hidden, range(B), SEEDS, SPEC, temperatures=[0] * B)
    state = hidden.copy()
    state[0, 0] = bad
    with pytest.raises(NonFiniteError, match="hidden state"):
        build_leaves(logits, state, range(B), SEEDS, SPEC, temperatures=[0] * B)
    parts = small_parts(logits, hidden, 8)
    for i in (1, 2, 3):
        spoiled_parts = [part.copy() for part in parts]
        spoiled_parts[i][1, 1] = bad
        with pytest.raises(NonFiniteError):
            assemble_leaves(range(B), *spoiled_parts, SPEC, SEEDS, temperatures=[0] * B)


def test_logits_near_the_float_limit_give_leaves_or_an_error_never_garbage() -> None:
    logits, hidden = batch()
    logits[0, :2] = 3e38, -3e38
    with pytest.raises(NonFiniteError, match="sketch lanes"):
        build_leaves(logits, np.full_like(hidden, 3e38), range(B), SEEDS, SPEC, temperatures=[0] * B)
    ids, logprobs = top_candidates(logits, 8)
    assert (ids[0, 0], logprobs[0].tolist()) == (0, [0] + [-32767] * 7)


@pytest.mark.parametrize(
    "change",
    [
        {"logits": np.zeros((B, V - 1))},
        {"logits": np.zeros(V)},
        {"hidden": np.zeros((B - 1, D))},
        {"positions": [0]},
        {"temperatures": [0]},
        {"temperatures": None},
        {"tokens": [1] * B},
        {"temperatures": None, "tokens": [1]},
    ],
)
def test_shapes_that_do_not_fit_are_refused(change: dict) -> None:
    logits, hidden = batch()
    good = {"logits": logits, "hidden": hidden, "positions": range(B), "request_seeds": SEEDS, "spec": SPEC}
    with pytest.raises(ShapeError):
        build_leaves(**(good | {"temperatures": [0] * B} | change))


def test_too_few_candidates_or_lanes_are_refused() -> None:
    logits, hidden = batch()
    ids, logprobs, lanes, states = small_parts(logits, hidden, 8)
    for parts in (
        (ids[:, :7], logprobs[:, :7], lanes, states),
        (ids, logprobs[:, :7], lanes, states),
        (ids, logprobs, lanes[:, :7], states),
        (ids, logprobs, lanes, states[:2]),
    ):
        with pytest.raises(ShapeError):
            assemble_leaves(range(B), *parts, SPEC, SEEDS, temperatures=[0] * B)


# What is rounded when, and what is refused


def test_floats_are_rounded_to_fp32_before_anything_is_computed_from_them() -> None:
    rng = np.random.default_rng(3)
    z, h = rng.normal(size=(B, V)) + 2.0e4, rng.normal(size=(B, D)) * 1e4
    narrow = z.astype(np.float32), h.astype(np.float32)
    options = {"temperatures": [256] * B}
    found = build_leaves(z, h, range(B), SEEDS, SPEC, **options)
    assert found == build_leaves(*narrow, range(B), SEEDS, SPEC, **options)
    assert [part.tolist() for part in top_candidates(z, 8)] == [
        part.tolist() for part in top_candidates(narrow[0], 8)
    ]
    centred = z - z.mean()  # the inverse: in double, other log-probs come out
    assert (
        quantise_logprobs(centred - 20).tolist()
        != quantise_logprobs(narrow[0] - narrow[0].mean() - 20).tolist()
    )
    signs = sign_matrix(SEEDS[0], "LOGI", V), sign_matrix(SEEDS[0], "HIDN", D)
    assert sketch_logits(z[0], signs[0]).tolist() == sketch_logits(narrow[0][0], signs[0]).tolist()
    assert sketch_hidden(h[0], signs[1]).tolist() == sketch_hidden(narrow[1][0], signs[1]).tolist()


def test_the_normaliser_is_summed_in_double() -> None:
    z = np.random.default_rng(4).normal(size=(1, 100_000)).astype(np.float32)
    exact = float(z.max()) + math.log(math.fsum(np.exp(z[0] - z.max()).tolist()))  # exponentials are of fp32
    assert abs(float(log_normaliser(z)[0]) - exact) < 1e-12
    large = np.array([[16_777_216.0, 16_777_216.0]], dtype=np.float32)
    assert float(log_normaliser(large)[0]) == 16_777_216.0 + math.log(2)


def test_no_log_prob_is_above_zero() -> None:
    assert quantise_logprobs([0.01, 3.0, -0.001]).tolist() == [0, 0, 0]


def test_everything_that_clamps_ties_with_a_kth_that_just_clamps() -> None:
    logits = np.full((1, 40), -300.0, dtype=np.float32)
    logits[0, 39], logits[0, 38] = 0.0, -127.998
    ids, logprobs = top_candidates(logits, 2)
    assert ids.tolist() == [[39, 0]]
    assert logprobs.tolist() == [[0, -32767]]


@pytest.mark.parametrize("vocabulary", [8, 9, 12, 16])
def test_nearly_all_of_a_small_vocabulary_can_be_candidates(vocabulary: int) -> None:
    logits = np.linspace(0, -20, vocabulary, dtype=np.float32)[np.newaxis]
    ids, logprobs = top_candidates(logits, 8)
    assert ids.tolist() == [list(range(8))]
    assert (np.diff(logprobs[0]) < 0).all()


def test_shapes_that_do_not_fit_are_named() -> None:
    z, h = batch()
    lanes = np.zeros((B, 8))
    with pytest.raises(ShapeError, match=r"V >= 8, got \(300,\)"):
        top_candidates(z[0], 8)
    with pytest.raises(ShapeError, match=r"V >= 8, got \(4, 7\)"):
        top_candidates(z[:, :7], 8)
    with pytest.raises(ShapeError, match=r"must be \[B, 300\]"):
        build_leaves(z[:, 1:], h, range(B), SEEDS, SPEC, temperatures=[0] * B)
    with pytest.raises(ShapeError, match="m >= 8"):
        assemble_leaves(
            range(B), np.zeros((B, 7)), np.zeros((B, 7)), lanes, lanes, SPEC, SEEDS, tokens=[1] * B
        )
    with pytest.raises(ShapeError, match=r"lanes must be \[4, 8\]"):
        assemble_leaves(
            range(B), np.zeros((B, 9)), np.zeros((B, 9)), lanes[:, 1:], lanes, SPEC, SEEDS, tokens=[1] * B
        )
    with pytest.raises(ShapeError, match="4 rows, 3 positions and 4 tokens"):
        build_leaves(z, h, range(3), SEEDS, SPEC, tokens=[1] * B)
    signs = sign_matrix(SEEDS[0], "HIDN", D)
    for values, table in ((h, signs), (h[0], signs[:, 1:]), (h[0], signs[1:])):
        with pytest.raises(ShapeError, match="signs must be"):
            sketch_hidden(values, table)


def test_a_sketch_that_overflows_is_an_error_and_no_warning() -> None:
    with pytest.raises(NonFiniteError, match="sketch lanes"):
        sketch_hidden(
            np.full(D, 3e38, dtype=np.float32) * sign_matrix(SEEDS[0], "HIDN", D)[0],
            sign_matrix(SEEDS[0], "HIDN", D),
        )


def test_the_mean_of_logits_is_taken_in_double() -> None:
    z = (np.random.default_rng(5).normal(size=V) + 3.0e5).astype(np.float32)
    signs = sign_matrix(SEEDS[1], "LOGI", V)
    centred = (z - np.float32(math.fsum(z.tolist()) / V)).astype(np.float64)
    exact = signs.astype(np.float64) @ centred / math.sqrt(V)
    np.testing.assert_allclose(sketch_logits(z, signs), exact, atol=1e-5)
    rough = signs.astype(np.float64) @ (z - z.mean()).astype(np.float64) / math.sqrt(V)
    assert np.abs(rough - exact).max() > 1e-3, (
        "single precision would do as well, and this test shows nothing"
    )
