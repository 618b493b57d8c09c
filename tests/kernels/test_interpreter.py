"""The Triton kernels in the interpreter: right values in fp32 and fp16, and the claims about bits."""

import pytest
import torch
from torch import Tensor

from llmnet.kernels import (
    DtypeError,
    attention_decode,
    attention_prefill,
    kv_write,
    plan_decode,
    plan_prefill,
)
from llmnet.kernels._checks import Geometry
from llmnet.kernels._config import KV_SPLIT, KV_TILE, TileConfig

from . import claims
from .cases import Batch, Seq, Shape, make_batch, oracle, same_bits

pytestmark = pytest.mark.interpreter

TOLERANCE = {torch.float32: 2e-6, torch.float16: 2e-3}
DTYPES = list(TOLERANCE)
SMALL = Shape(heads=2, kv_heads=1, dim=16)


def prefill(batch: Batch) -> Tensor:
    return attention_prefill(*batch.prefill_args(), backend="triton")


def decode(batch: Batch) -> Tensor:
    return attention_decode(*batch.decode_args(), backend="triton")


@pytest.mark.parametrize("group", [1, 3, 4, 7, 8])
@pytest.mark.parametrize("dtype", DTYPES)
def test_prefill_equals_sdpa_for_odd_lengths_and_groups(group: int, dtype: torch.dtype) -> None:
    sequences = [Seq(1, 1, 1), Seq(2, 5, 71), Seq(3, 131, 131)]
    claims.equals_oracle(prefill, sequences, Shape(2 * group, 2, 32), dtype, "cpu", TOLERANCE[dtype])


@pytest.mark.parametrize("group", [1, 3, 4, 7, 8])
@pytest.mark.parametrize("dtype", DTYPES)
def test_decode_equals_sdpa_for_odd_lengths_and_groups(group: int, dtype: torch.dtype) -> None:
    sequences = [Seq(i, 1, n) for i, n in enumerate((1, 15, 64, 65, 131))]
    claims.equals_oracle(decode, sequences, Shape(2 * group, 2, 32), dtype, "cpu", TOLERANCE[dtype])


@pytest.mark.parametrize("dim", [16, 64, 128])
def test_every_head_dim(dim: int) -> None:
    for run, q_len in ((prefill, 70), (decode, 1)):
        claims.equals_oracle(run, [Seq(1, q_len, 70)], Shape(2, 2, dim), torch.float32, "cpu", 2e-6)


@pytest.mark.parametrize("page", [1, 16, 64, 256])
def test_every_page_size(page: int) -> None:
    for run, q_len in ((prefill, 50), (decode, 1)):
        claims.equals_oracle(run, [Seq(1, q_len, 150)], Shape(2, 1, 16, page), torch.float32, "cpu", 2e-6)


@pytest.mark.parametrize("context", [KV_SPLIT - 1, KV_SPLIT, KV_SPLIT + 1, 2 * KV_SPLIT + KV_TILE + 3])
def test_splits_are_merged_into_the_whole(context: int) -> None:
    for run, q_len in ((prefill, 3), (decode, 1)):
        claims.equals_oracle(run, [Seq(1, q_len, context)], SMALL, torch.float32, "cpu", 2e-6)


def test_a_query_block_across_a_split_leaves_rows_without_keys_in_it() -> None:
    claims.equals_oracle(prefill, [Seq(1, 100, KV_SPLIT + 50)], SMALL, torch.float32, "cpu", 2e-6)


def test_splits_past_a_short_context_are_not_read() -> None:
    sequences = [Seq(1, 1, 5), Seq(2, 1, 2 * KV_SPLIT + 1)]
    claims.equals_oracle(decode, sequences, SMALL, torch.float32, "cpu", 2e-6)


def test_padding_rows_are_zero_and_empty_batches_empty() -> None:
    batch = make_batch([Seq(1, 1, 20), Seq(2, 1, 1)], SMALL)
    batch.context_lens[1] = 0
    out = decode(batch)
    assert same_bits(out[1], torch.zeros(2, 16))
    torch.testing.assert_close(out[:1].double(), oracle(batch)[:1], atol=2e-6, rtol=0)
    nothing = make_batch([Seq(1, 0, 20)], SMALL)
    assert prefill(nothing).shape == (0, 2, 16)


def test_large_scores_do_not_overflow() -> None:
    batch = make_batch([Seq(1, 20, 90)], SMALL)
    loud = Batch(**{**vars(batch), "q": batch.q * 3000})
    loud.plain[0] = (batch.plain[0][0] * 3000, *batch.plain[0][1:])
    torch.testing.assert_close(prefill(loud).double(), oracle(loud), atol=2e-3, rtol=0)


def test_rows_of_a_fused_projection_need_no_copy() -> None:
    batch = make_batch([Seq(1, 9, 30)], SMALL)
    fused = torch.full((9, 2 + 1 + 1, 16), float("nan"))
    fused[:, :2] = batch.q
    assert same_bits(prefill(Batch(**{**vars(batch), "q": fused[:, :2]})), prefill(batch))


def test_plans_change_no_bit() -> None:
    batch = make_batch([Seq(1, 140, 150), Seq(2, 3, 9)], SMALL)
    plan = plan_prefill(batch.cu_seqlens_q, batch.context_lens, max_tokens=160, head_dim=16, device="cpu")
    assert same_bits(attention_prefill(*batch.prefill_args(), backend="triton", plan=plan), prefill(batch))
    short = make_batch([Seq(1, 1, 150), Seq(2, 1, 9)], SMALL)
    wide = torch.nn.functional.pad(short.page_table, (0, 40), value=1 << 30)
    exact = plan_decode(short.context_lens, max_tokens=160)
    args = short.decode_args()
    out = attention_decode(*args[:3], wide, *args[4:], backend="triton")
    assert same_bits(attention_decode(*args, backend="triton", plan=exact), out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_kv_write_equals_the_reference(dtype: torch.dtype) -> None:
    k, v = torch.randn(2, 6, 3, 16).to(dtype).unbind(0)
    slots = torch.tensor([31, 0, -1, 47, 5, -7])
    written = []
    for backend in ("triton", "reference"):
        caches = [torch.full((3, 16, 3, 16), float("nan"), dtype=dtype) for _ in range(2)]
        kv_write(k, v, *caches, slots, backend=backend)
        written.append(torch.stack(caches))
    assert same_bits(*written)
    assert int(written[0].isnan().logical_not().sum()) == 2 * 4 * 3 * 16


@pytest.mark.parametrize("operator", ["prefill", "decode", "kv_write"])
def test_bf16_is_refused(operator: str) -> None:
    batch = make_batch([Seq(1, 1, 5)], SMALL, torch.bfloat16)
    rows = torch.zeros(1, 1, 16, dtype=torch.bfloat16)
    with pytest.raises(DtypeError, match=r"interpreter computes torch.bfloat16 wrongly"):
        if operator == "prefill":
            prefill(batch)
        elif operator == "decode":
            decode(batch)
        else:
            kv_write(rows, rows, batch.k_cache, batch.v_cache, torch.tensor([0]), backend="triton")


def test_a_launch_that_guards_nothing_fails_with_bf16() -> None:
    from llmnet.kernels.swiglu.triton import swiglu_kernel

    gate, out = torch.zeros(1, 8, dtype=torch.bfloat16), torch.zeros(1, 8)
    with pytest.raises(pytest.fail.Exception, match="bf16 tensor reached the Triton interpreter"):
        swiglu_kernel[(1, 1)](out, gate, out, 8, 8, 8, BW=8)
    swiglu_kernel[(1, 1)](out, out, out, 8, 8, 8, BW=8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_ignore_the_batch(dtype: torch.dtype) -> None:
    claims.bits_ignore_the_batch(prefill, Seq(99, 30, 90), SMALL, dtype, "cpu", sizes=(2, 5))
    claims.bits_ignore_the_batch(decode, Seq(99, 1, 90), SMALL, dtype, "cpu", sizes=(2, 7))


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_ignore_chunks(dtype: torch.dtype) -> None:
    claims.bits_ignore_chunks(prefill, 150, (1, 16, 64, 101, 149), SMALL, dtype, "cpu")


def test_bits_repeat() -> None:
    claims.bits_repeat(prefill, make_batch([Seq(1, 70, 90)], SMALL), times=3)
    claims.bits_repeat(decode, make_batch([Seq(1, 1, 90)], SMALL), times=3)


@pytest.mark.parametrize("page", [16, 64])
def test_prefill_and_decode_give_a_token_the_same_values(page: int) -> None:
    """Bit for bit on a GPU; the interpreter's library multiplies matrices of other heights in other ways."""
    shape = Shape(2, 1, 16, page)
    for context in (1, 63, 200, KV_SPLIT + 70):
        whole = make_batch([Seq(1, context, context)], shape)
        last = make_batch([Seq(1, 1, context)], shape)
        torch.testing.assert_close(decode(last)[0], prefill(whole)[-1], atol=2e-7, rtol=0)


def test_values_are_summed_in_ascending_tiles_and_splits() -> None:
    claims.attention_sums_in_order(prefill, 3)
    claims.attention_sums_in_order(decode, 1)


def test_the_order_claim_catches_sums_without_splits() -> None:
    """The mechanism off: all tiles in one run, as a kernel without splits does it."""

    def unsplit(batch: Batch) -> Tensor:
        config = TileConfig(16, num_warps=4, num_stages=1, split=4 * KV_SPLIT)
        geometry = Geometry(1, 1, batch.shape.dim, batch.shape.page)
        return attention_decode_triton(*batch.decode_args(), geometry, 1, config)

    from llmnet.kernels.attention_decode.triton import attention_decode_triton

    with pytest.raises(AssertionError, match="order of summation"):
        claims.attention_sums_in_order(unsplit, 1)


def test_bulk_copies_and_pointers_give_the_same_bits() -> None:
    """Pages of whole tiles are read through descriptors, smaller ones through pointers."""
    for q_len in (1, 90):
        small = make_batch([Seq(1, q_len, 200), Seq(2, 1, 1)], Shape(2, 1, 16, 16))
        large = make_batch([Seq(1, q_len, 200), Seq(2, 1, 1)], Shape(2, 1, 16, 64))
        assert same_bits(prefill(small), prefill(large))
    singles = [make_batch([Seq(1, 1, 200), Seq(2, 1, 65)], Shape(2, 1, 16, size)) for size in (16, 64, 256)]
    assert same_bits(decode(singles[0]), decode(singles[1]))
    assert same_bits(decode(singles[0]), decode(singles[2]))


def test_the_batch_claim_catches_a_split_that_follows_the_batch() -> None:
    """The mechanism off: splits sized by the number of sequences, as a throughput-first kernel does it."""
    from llmnet.kernels.attention_decode.triton import attention_decode_triton

    def adaptive(batch: Batch) -> Tensor:
        split = 128 if batch.q.shape[0] == 1 else 32
        config = TileConfig(16, num_warps=4, num_stages=1, block_n=16, split=split)
        geometry = Geometry(batch.shape.heads, batch.shape.kv_heads, batch.shape.dim, batch.shape.page)
        num_splits = -(-batch.page_table.shape[1] * 16 // config.split)
        return attention_decode_triton(*batch.decode_args(), geometry, num_splits, config)

    claims.equals_oracle(adaptive, [Seq(1, 1, 90)], SMALL, torch.float32, "cpu", 2e-6)
    with pytest.raises(AssertionError, match="bits differ at place"):
        claims.bits_ignore_the_batch(adaptive, Seq(99, 1, 90), SMALL, torch.float32, "cpu", sizes=(2,))


def test_the_chunk_claim_catches_tiles_aligned_to_the_chunk() -> None:
    """The mechanism off: keys walked from another origin for every chunk."""

    def shifted(batch: Batch) -> Tensor:
        q, k, v = batch.plain[0]
        group = batch.shape.heads // batch.shape.kv_heads
        origin = q.shape[0] % 64
        total = torch.zeros(q.shape)
        for part in (slice(0, origin), slice(origin, None)):
            total += _weighted_sum(q, k, v, part, batch.shape.scale, group)
        return total

    with pytest.raises(AssertionError, match=r"bits of the .* chunk differ"):
        claims.bits_ignore_chunks(shifted, 150, (1, 64, 101), SMALL, torch.float32, "cpu")


def _weighted_sum(q: Tensor, k: Tensor, v: Tensor, part: slice, scale: float, group: int) -> Tensor:
    scores = torch.einsum("qhd,khd->hqk", q, k.repeat_interleave(group, 1)) * scale
    hidden = torch.ones(scores.shape[1:], dtype=torch.bool).triu(k.shape[0] - q.shape[0] + 1)
    weights = scores.masked_fill(hidden, float("-inf")).softmax(-1)
    return torch.einsum("hqk,khd->qhd", weights[..., part], v.repeat_interleave(group, 1)[part])
