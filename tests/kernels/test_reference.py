"""The eager reference: equal to torch's attention, and blind to whatever else is in the batch."""

import pytest
import torch

from llmnet.kernels import attention_decode, attention_prefill, kv_write

from .cases import Seq, Shape, make_batch, oracle, same_bits

SHAPE = Shape(heads=9, kv_heads=3, dim=64)
MIXED = [Seq(1, 1, 1), Seq(2, 37, 37), Seq(3, 5, 133), Seq(4, 300, 300), Seq(5, 17, 16 * 9)]
TOLERANCE = {torch.float32: 2e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}


@pytest.mark.parametrize("group", [1, 3, 4, 7, 8])
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_prefill_equals_sdpa(group: int, dtype: torch.dtype) -> None:
    batch = make_batch(MIXED, Shape(2 * group, 2, 32), dtype)
    out = attention_prefill(*batch.prefill_args())
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), oracle(batch), atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("group", [1, 3, 4, 7, 8])
@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_decode_equals_sdpa(group: int, dtype: torch.dtype) -> None:
    batch = make_batch(
        [Seq(i, 1, n) for i, n in enumerate((1, 15, 16, 17, 200))], Shape(2 * group, 2, 32), dtype
    )
    out = attention_decode(*batch.decode_args())
    torch.testing.assert_close(out.double(), oracle(batch), atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


def test_prefill_rows_ignore_neighbours_and_page_layout() -> None:
    needle = Seq(99, 61, 150)
    alone = attention_prefill(*make_batch([needle], SHAPE).prefill_args())
    for size in (1, 2, 7):
        sequences = [Seq(i, 10 * i + 3, 20 * i + 40) for i in range(size)]
        for place in (0, size):
            batch = make_batch([*sequences[:place], needle, *sequences[place:]], SHAPE, layout_seed=size)
            start = int(batch.cu_seqlens_q[place])
            assert same_bits(attention_prefill(*batch.prefill_args())[start : start + 61], alone)


def test_decode_rows_ignore_neighbours_and_page_layout() -> None:
    needle = Seq(99, 1, 150)
    alone = attention_decode(*make_batch([needle], SHAPE).decode_args())
    for size in (1, 2, 7, 31):
        sequences = [Seq(i, 1, 13 * i + 1) for i in range(size)]
        for place in (0, size):
            batch = make_batch([*sequences[:place], needle, *sequences[place:]], SHAPE, layout_seed=size)
            assert same_bits(attention_decode(*batch.decode_args())[place : place + 1], alone)


def test_a_neighbour_of_nan_harms_nobody() -> None:
    batch = make_batch([Seq(1, 4, 40), Seq(2, 4, 40)], SHAPE)
    before = attention_prefill(*batch.prefill_args())
    batch.k_cache[batch.page_table[1, 0]] = float("nan")
    after = attention_prefill(*batch.prefill_args())
    assert same_bits(before[:4], after[:4])
    assert after[4:].isnan().all()


def test_no_row_sees_its_future() -> None:
    batch = make_batch([Seq(1, 40, 40)], SHAPE)
    before = attention_prefill(*batch.prefill_args())
    page = batch.page_table[0, 1]  # holds positions 16..31
    batch.k_cache[page] += 1.0
    batch.v_cache[page] += 1.0
    after = attention_prefill(*batch.prefill_args())
    assert same_bits(before[:16], after[:16])
    assert (before[16:] != after[16:]).any(dim=(1, 2)).all()


def test_a_prompt_in_chunks_equals_the_whole_prompt() -> None:
    whole = attention_prefill(*make_batch([Seq(1, 300, 300)], SHAPE).prefill_args())
    for cut in (1, 16, 37, 299):
        first = attention_prefill(*make_batch([Seq(1, cut, 300)], SHAPE).prefill_args())
        torch.testing.assert_close(first, whole[300 - cut :], atol=2e-6, rtol=0)


def test_empty_chunks_and_padding_rows() -> None:
    batch = make_batch([Seq(1, 0, 20), Seq(2, 3, 3), Seq(3, 0, 0)], SHAPE)
    torch.testing.assert_close(
        attention_prefill(*batch.prefill_args()).double(), oracle(batch), atol=2e-6, rtol=0
    )
    padded = make_batch([Seq(1, 1, 20), Seq(2, 1, 1)], SHAPE)
    padded.context_lens[1] = 0
    assert same_bits(attention_decode(*padded.decode_args())[1], torch.zeros(9, 64))


def test_kv_write_stores_rows_at_their_slots_and_nothing_else() -> None:
    caches = [torch.full((4, 16, 3, 64), float("nan")) for _ in range(2)]
    k, v = torch.randn(2, 5, 3, 64).unbind(0)
    slots = torch.tensor([63, 0, -1, 17, 18])
    kv_write(k, v, *caches, slots)
    for cache, rows in zip(caches, (k, v), strict=True):
        flat = cache.flatten(0, 1)
        assert same_bits(flat[slots[slots >= 0]], rows[slots >= 0])
        assert int(flat.isnan().all(dim=(1, 2)).sum()) == 64 - 4
