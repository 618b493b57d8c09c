"""Philox, signs, logarithm and noise against published answers, plain integer code and float mathematics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmnet.proof import (
    FieldError,
    ShapeError,
    gumbel_noise,
    gumbel_q16,
    gumbel_q16_array,
    ln_q48,
    ln_q48_array,
    philox4x32,
    sign_matrix,
    stream_key,
)
from llmnet.proof.gumbel import gumbel_noise_batch

U32 = st.integers(0, (1 << 32) - 1)
FULL = (1 << 32) - 1


def plain_philox(counter: list[int], key: list[int]) -> list[int]:
    """Straight from the paper's figure, in Python integers."""
    (a, b, c, d), (k, m) = counter, key
    for step in range(10):
        if step:
            k, m = (k + 0x9E3779B9) & FULL, (m + 0xBB67AE85) & FULL
        high0, low0 = divmod(0xD2511F53 * a, 1 << 32)
        high1, low1 = divmod(0xCD9E8D57 * c, 1 << 32)
        a, b, c, d = high1 ^ b ^ k, low1, high0 ^ d ^ m, low0
    return [a, b, c, d]


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([FULL] * 4, [FULL] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_published_answers(counter: list[int], key: list[int], words: str) -> None:
    assert " ".join(f"{word:08x}" for word in philox4x32(counter, key)) == words


@given(st.lists(st.tuples(U32, U32, U32, U32), min_size=1, max_size=5), st.tuples(U32, U32))
def test_vectorised_philox_equals_plain_integers(
    counters: list[tuple[int, ...]], key: tuple[int, int]
) -> None:
    together = philox4x32(np.array(counters, dtype=np.uint64), key)
    assert together.dtype == np.uint32
    assert together.tolist() == [plain_philox(list(counter), list(key)) for counter in counters]


def test_philox_broadcasts_keys_and_refuses_other_shapes() -> None:
    counters, keys = np.arange(24).reshape(2, 3, 4), np.arange(4).reshape(2, 1, 2)
    got = philox4x32(counters, keys)
    assert got.shape == (2, 3, 4)
    assert got[1, 2].tolist() == plain_philox(counters[1, 2].tolist(), keys[1, 0].tolist())
    for counter, key in (([0] * 3, [0] * 2), ([0] * 4, [0] * 3), (5, [0, 0])):
        with pytest.raises(ShapeError):
            philox4x32(counter, key)


def test_stream_key_is_the_first_eight_bytes_little_endian() -> None:
    assert stream_key(bytes(range(1, 33))) == (0x04030201, 0x08070605)
    with pytest.raises(FieldError, match="request_seed"):
        stream_key(bytes(8))


@pytest.mark.parametrize("lane_set", ["LOGI", "HIDN"])
def test_signs_follow_the_protocol_element_by_element(lane_set: str) -> None:
    seed = bytes(range(32))
    matrix = sign_matrix(seed, lane_set, 53)
    assert matrix.shape == (8, 53)
    assert matrix.dtype == np.int8
    for v in range(53):
        block = plain_philox(
            [v // 16, 0, 0, int.from_bytes(lane_set.encode(), "little")], list(stream_key(seed))
        )
        octet = b"".join(word.to_bytes(4, "little") for word in block)[v % 16]
        assert matrix[:, v].tolist() == [-1 if octet >> j & 1 else 1 for j in range(8)]


def test_signs_are_balanced_and_differ_between_seeds_lanes_and_sets() -> None:
    n = 49152
    matrix = sign_matrix(b"a" * 32, "LOGI", n)
    assert (np.abs(matrix.sum(axis=1, dtype=np.int64)) < 5 * math.sqrt(n)).all()
    other, hidden = sign_matrix(b"b" * 32, "LOGI", n), sign_matrix(b"a" * 32, "HIDN", n)
    for row in (other[0], hidden[0], matrix[1]):
        assert abs(int((matrix[0].astype(np.int64) * row).sum())) < 5 * math.sqrt(n)


def test_signs_do_not_depend_on_n_and_cannot_be_written_to() -> None:
    short, long = sign_matrix(b"a" * 32, "HIDN", 20), sign_matrix(b"a" * 32, "HIDN", 100)
    assert (short == long[:, :20]).all()
    with pytest.raises(ValueError, match="read-only"):
        short[0, 0] = 1
    with pytest.raises(ShapeError):
        sign_matrix(b"a" * 32, "GUMB", 4)
    with pytest.raises(ShapeError):
        sign_matrix(b"a" * 32, "LOGI", 0)


@given(st.integers(1, (1 << 64) - 1), st.integers(0, 63))
@example(1, 0)
@example((1 << 64) - 1, 0)
def test_logarithm_is_close_and_scalar_equals_array(x: int, shift: int) -> None:
    value = max(1, x >> shift)
    assert abs(ln_q48(value) / 2**48 - math.log(value)) < 2e-9
    assert ln_q48_array([value]).tolist() == [ln_q48(value)]


def test_logarithm_around_every_table_boundary() -> None:
    edges = [((129 + 2 * i) << 56) + step for i in range(63) for step in (-1, 0, 1)]
    edges += [((64 + i) << 57) + step for i in range(64) for step in (-1, 0, 1)]
    for x in edges:
        assert abs(ln_q48(x) / 2**48 - math.log(x)) < 2e-9
    assert ln_q48_array(edges).tolist() == [ln_q48(x) for x in edges]


def true_gumbel(u: int) -> float:
    rest = (FULL - u + 0.5) / 2**32
    return -math.log(-(math.log1p(-rest) if u > 1 << 31 else math.log((u + 0.5) / 2**32)))


def test_noise_is_within_1e_4_of_float_mathematics_everywhere() -> None:
    rng = np.random.default_rng(3)
    ends = np.arange(2000)
    spread = (2.0 ** rng.uniform(0, 32, 40000)).astype(np.uint64).clip(0, FULL)
    us = np.concatenate([rng.integers(0, 1 << 32, 60000), ends, FULL - ends, spread, FULL - spread]).astype(
        np.uint64
    )
    got = gumbel_q16_array(us.astype(np.uint32))
    error = max(
        abs(noise / 65536 - true_gumbel(u)) for u, noise in zip(us.tolist(), got.tolist(), strict=True)
    )
    assert error < 1e-4
    assert got[:500].tolist() == [gumbel_q16(u) for u in us[:500].tolist()]


@given(U32)
@example(0)
@example(FULL)
@example(FULL - 1)
@example(1 << 31)
def test_scalar_noise_equals_array_noise(u: int) -> None:
    assert gumbel_q16_array([u]).tolist() == [gumbel_q16(u)]
    assert abs(gumbel_q16(u) / 65536 - true_gumbel(u)) < 1e-4


@given(st.binary(min_size=32, max_size=32), U32, st.lists(U32, min_size=1, max_size=6))
def test_noise_of_a_candidate_depends_on_position_id_and_seed_only(
    seed: bytes, position: int, ids: list[int]
) -> None:
    tag = int.from_bytes(b"GUMB", "little")
    expected = [gumbel_q16(plain_philox([position, i, 0, tag], list(stream_key(seed)))[0]) for i in ids]
    assert gumbel_noise(seed, position, ids).tolist() == expected


@pytest.mark.parametrize("bad", [0, 1 << 64, -1])
def test_logarithm_refuses_what_has_none(bad: int) -> None:
    with pytest.raises(FieldError):
        ln_q48(bad)


def test_zero_in_an_array_is_refused_too() -> None:
    with pytest.raises(FieldError):
        ln_q48_array([3, 0])
    with pytest.raises(FieldError):
        gumbel_q16(1 << 32)


def test_one_counter_takes_the_shape_of_its_keys() -> None:
    keys = np.arange(6).reshape(3, 2)
    words = philox4x32([1, 2, 3, 4], keys)
    assert words.tolist() == [philox4x32([1, 2, 3, 4], key).tolist() for key in keys]
    assert philox4x32([1, 2, 3, 4], keys[:1]).shape == (1, 4)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_arrays_keep_their_shape_and_kind(shape: tuple[int, ...]) -> None:
    u = np.full(shape, 7, dtype=np.uint32)
    for array, scalar, kind in ((ln_q48_array, ln_q48, np.int64), (gumbel_q16_array, gumbel_q16, np.int32)):
        found = array(u)
        assert (found.shape, found.dtype) == (shape, kind)
        assert (found == scalar(7)).all()


def test_numbers_that_a_word_cannot_hold_are_refused() -> None:
    for u in ([2**32], [-1]):
        with pytest.raises(OverflowError):
            gumbel_q16_array(u)
    good: list[Any] = [[[1, 2]], [3], [[4]]]
    assert gumbel_noise_batch(*good).shape == (1, 1)
    for place, wrong in enumerate([[[-1, 2]], [-3], [[-4]]]):
        with pytest.raises(OverflowError):
            gumbel_noise_batch(*good[:place], wrong, *good[place + 1 :])
