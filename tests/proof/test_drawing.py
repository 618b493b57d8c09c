"""Draws: as many as the probability says, fair, distinct and fixed by the beacon; prices round up."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmnet.proof import (
    FieldError,
    ShapeError,
    audit_seed,
    draw_count,
    draw_key,
    draw_panel,
    draw_positions,
    draw_receipts,
    price,
)

HASH = st.binary(min_size=32, max_size=32)
PPM = st.integers(0, 1_000_000)


def keys(count: int) -> list[bytes]:
    return [hashlib.sha256(str(i).encode()).digest() for i in range(count)]


def plain(name: str, data: bytes) -> bytes:
    return hashlib.blake2b(b"llmnet/" + name.encode() + b"/1" + data, digest_size=32).digest()


def test_keys_and_seeds_are_written_out() -> None:
    beacon, worker = b"b" * 32, b"w" * 32
    key = draw_key(beacon, worker, 258)
    assert key == plain("draw", beacon + worker + b"\x02\x01\x00\x00")
    assert audit_seed(key, 3) == plain("draw", key + b"\x03\x00\x00\x00audit")


@given(HASH, st.integers(0, 1000), PPM)
def test_ordinals_are_distinct_in_range_and_as_many_as_counted(key: bytes, n: int, ppm: int) -> None:
    ordinals = draw_receipts(key, n, ppm)
    assert len(set(ordinals)) == len(ordinals) == draw_count(key, n, ppm) <= 32
    assert all(0 <= ordinal < n for ordinal in ordinals)
    expected = Fraction(n * ppm, 1_000_000)
    assert len(ordinals) in (min(32, math.floor(expected)), min(32, math.ceil(expected)))


def test_the_expected_number_is_n_times_p() -> None:
    counts = [draw_count(key, 10, 130_000) for key in keys(4000)]
    assert sum(counts) / 4000 == pytest.approx(1.3, abs=0.04)


@pytest.mark.parametrize("n", [0, 1, 5, 32])
def test_at_certainty_all_are_drawn_ascending(n: int) -> None:
    assert draw_receipts(b"k" * 32, n, 1_000_000) == list(range(n))


def test_every_receipt_is_as_likely_as_any_other() -> None:
    counts = [0] * 20
    for key in keys(3000):
        for ordinal in draw_receipts(key, 20, 100_000):
            counts[ordinal] += 1
    chi_square = sum((count - 300) ** 2 / 300 for count in counts)
    assert chi_square < 43.8  # 19 degrees of freedom, one in a thousand


@given(HASH, st.lists(st.integers(0, 1 << 100), max_size=8))
def test_a_panel_is_of_distinct_accounts_with_stake_or_there_is_none(seed: bytes, stakes: list[int]) -> None:
    eligible = [(bytes([i]) * 32, stake) for i, stake in enumerate(stakes)]
    panel = draw_panel(seed, eligible)
    staked = {account for account, stake in eligible if stake}
    assert len(set(panel)) == len(panel) == (min(3, len(staked)) if len(staked) >= 2 else 0)
    assert set(panel) <= staked


def test_the_first_of_a_panel_is_drawn_by_stake() -> None:
    stakes = [100, 200, 300, 400]
    eligible = [(bytes([i]) * 32, stake) for i, stake in enumerate(stakes)]
    counts = [0] * 4
    for seed in keys(4000):
        counts[draw_panel(seed, eligible)[0][0]] += 1
    chi_square = sum(
        (count - 4 * stake) ** 2 / (4 * stake) for count, stake in zip(counts, stakes, strict=True)
    )
    assert chi_square < 16.3  # 3 degrees of freedom, one in a thousand


def test_the_first_of_a_panel_by_hand() -> None:
    seed, eligible = b"s" * 32, [(b"a" * 32, 3), (b"b" * 32, 5)]
    x = int.from_bytes(plain("draw", seed + bytes(4))[:16], "little") % 8
    assert draw_panel(seed, eligible) == [account for account, _ in (eligible if x < 3 else eligible[::-1])]


def test_accounts_must_come_in_order_and_once() -> None:
    for eligible in ([(b"b" * 32, 1), (b"a" * 32, 1)], [(b"a" * 32, 1), (b"a" * 32, 1)]):
        with pytest.raises(ShapeError, match="account order"):
            draw_panel(bytes(32), eligible)


@given(HASH, st.integers(0, 5000))
def test_positions_are_sorted_distinct_and_in_the_answer(seed: bytes, n_out: int) -> None:
    positions = draw_positions(seed, n_out)
    assert len(positions) == min(16, n_out)
    assert positions == sorted(set(positions))
    assert all(0 <= position < n_out for position in positions)


def test_positions_by_hand() -> None:
    seed = b"s" * 32
    drawn: list[int] = []
    for j in range(40):
        value = int.from_bytes(plain("positions", seed + j.to_bytes(4, "little"))[:8], "little") % 100
        if value not in drawn and len(drawn) < 16:
            drawn.append(value)
    assert draw_positions(seed, 100) == sorted(drawn)


def test_bad_draws_are_refused() -> None:
    with pytest.raises(FieldError, match="parts per million"):
        draw_count(bytes(32), 1, 1_000_001)
    with pytest.raises(FieldError):
        draw_receipts(bytes(31), 1, 1)
    with pytest.raises(FieldError):
        draw_positions(bytes(32), -1)


@given(st.integers(0, 1 << 20), st.integers(1, 1 << 20), st.integers(0, 1 << 90), st.integers(0, 1 << 90))
def test_prices_round_up_to_a_planck(n_prompt: int, n_out: int, price_in: int, price_out: int) -> None:
    assert price(n_prompt, n_out, price_in, price_out) == math.ceil(
        Fraction(n_prompt * price_in + n_out * price_out, 1000)
    )


def test_a_price_beyond_u128_is_an_error_not_a_small_number() -> None:
    full = (1 << 128) - 1
    assert price(0, 1, 0, full) == -(-full // 1000)
    with pytest.raises(FieldError, match="price before division"):
        price(1, 1, full, 1)


def test_the_fraction_of_a_receipt_is_drawn_by_hand() -> None:
    """One receipt at a probability of as many millionths as the number drawn: it must be above, not at it."""
    for key in keys(5):
        value = int.from_bytes(plain("draw", key + b"\xff" * 4)[:8], "little") % 1_000_000
        assert (draw_count(key, 1, value), draw_count(key, 1, value + 1)) == (0, 1)
        assert draw_count(key, 3, 1_000_000) == 3


def test_a_panel_by_hand() -> None:
    """Every account has as many numbers as it has stake, in account order, of those that are left."""
    eligible = [(bytes([i]) * 32, stake) for i, stake in enumerate((1, 3, 0, 2, 5))]
    for seed in keys(40):
        left = [account for account, stake in eligible for _ in range(stake)]
        expected: list[bytes] = []
        for index in range(3):
            x = int.from_bytes(plain("draw", seed + index.to_bytes(4, "little"))[:16], "little")
            expected.append(left[x % len(left)])
            left = [account for account in left if account != expected[-1]]
        assert draw_panel(seed, eligible) == expected


def test_a_stake_has_a_hundred_and_twenty_eight_bits() -> None:
    assert len(draw_panel(bytes(32), [(b"a" * 32, 2**128 - 1), (b"b" * 32, 1)])) == 2
    for stake in (2**128, -1):
        with pytest.raises(FieldError, match=r"^stake must be in"):
            draw_panel(bytes(32), [(b"a" * 32, stake), (b"b" * 32, 1)])
