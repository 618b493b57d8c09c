# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""The output layer in Triton: one pass over the weights, then one program a row.

``block_kernel`` computes the logits of one block of the vocabulary for a few rows and keeps of them their
maximum, sum of exponentials, sum, eight signed sums, the 32 best and the best of the others. ``merge_kernel``
adds the blocks in one fixed tree and finds the 32 best of all: a block whose upper bound is not among the 32
highest holds none of them, so 32 blocks of 32 are all that has to be sorted.

Candidates travel as 64-bit keys that sort as the protocol wants: value in the high half, inverted id in the
low one.
"""

from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._config import (
    BLOCK_K,
    COMPILE_OPTIONS,
    VOCAB_BLOCK,
    ProductConfig,
    Tables,
    bucket,
    tables_of,
)
from llmnet.kernels._dispatch import check_interpreter_dtype, check_triton_dtype
from llmnet.kernels._tiles import descriptor
from llmnet.kernels._variant import WIDTHS, Variant
from llmnet.kernels.lm_head_leaf.parts import CANDIDATES, LANES, MIN_LOGPROB, STEPS, LeafParts
from llmnet.kernels.matmul.triton import product_tile

MERGE_STAGES = 1
VOCABULARIES = {"llama-8b": 128_256, "smollm2-135m": 49_152}


@triton.jit
def ordered_key(b_value, b_id):
    """Int64 that sorts like (value ascending, id descending): the bits of a float, flipped to sort as an
    integer, above the inverted id."""
    b_bits = b_value.to(tl.int32, bitcast=True)
    b_bits = tl.where(b_bits < 0, b_bits ^ 0x7FFFFFFF, b_bits)
    return (b_bits.to(tl.int64) << 32) | (0xFFFFFFFF - b_id.to(tl.int64))


@triton.jit
def key_value(b_key):
    """The float of an :func:`ordered_key`."""
    b_bits = (b_key >> 32).to(tl.int32)
    b_bits = tl.where(b_bits < 0, b_bits ^ 0x7FFFFFFF, b_bits)
    return b_bits.to(tl.float32, bitcast=True)


@triton.jit
def key_id(b_key):
    """The id of a key."""
    return 0xFFFFFFFF - (b_key & 0xFFFFFFFF)


@triton.jit
def spread_bits(b_octets, HALF: tl.constexpr):
    """Four bits of each byte, the low or the high ones, as 0 or 1 in the four 16-bit fields of an int64: a
    sum of up to 2^16 of them counts four lanes at once."""
    b_bits = (b_octets.to(tl.int64) >> (4 * HALF)) & 0xF
    return (b_bits * 0x0000200040008001) & 0x0001000100010001


@triton.jit
def take_best(b_key, KEEP: tl.constexpr):
    """The ``KEEP`` highest of distinct keys ``[R, N]``, best first, and the highest of the others ``[R]``.

    Takes the maximum out so many times: the few steps of a sort that are needed, in little code.
    """
    NOTHING: tl.constexpr = -(1 << 63)
    o_k = tl.arange(0, KEEP)  # [KEEP]
    b_best = tl.zeros([b_key.shape[0], KEEP], tl.int64)  # [R, KEEP]
    for i_k in tl.range(0, KEEP):
        b_top = tl.max(b_key, 1)  # [R]
        b_best = tl.where(o_k[None, :] == i_k, b_top[:, None], b_best)
        b_key = tl.where(b_key == b_top[:, None], NOTHING, b_key)
    return b_best, tl.max(b_key, 1)


@triton.jit(do_not_specialize=["rows", "p_slots"])
def block_kernel(
    p_x,  # [rows, depth], rows s_x apart, or a descriptor of it
    p_w,  # [vocab, depth], rows s_w apart, or a descriptor of it
    p_octets,  # [requests, vocab] u8, rows s_octets apart
    p_slots,  # [rows] i64: the request of each row
    p_stats,  # [rows, 3, blocks]: maximum, sum of exponentials, sum
    p_lanes,  # [rows, 8, blocks]
    p_counts,  # [rows, 2, blocks] i64: minus signs of four lanes each
    p_keys,  # [rows, blocks, KEEP] i64, best first
    p_rest,  # [rows, blocks] i64: key of the best that is not among them
    p_logits,  # [rows, vocab]
    rows,
    vocab,
    depth,
    s_x,
    s_w,
    s_octets,
    blocks,
    BM: tl.constexpr,
    BV: tl.constexpr,
    BK: tl.constexpr,
    KEEP: tl.constexpr,
    LANES: tl.constexpr,
    LOGITS: tl.constexpr,
    TMA: tl.constexpr,
):
    i_block = tl.program_id(0)
    i_m = tl.program_id(1) * BM
    b_z = product_tile(
        p_x, p_w, i_m, i_block * BV, rows, vocab, depth, s_x, s_w, BM, BV, BK, True, TMA
    )  # [BV, BM]
    o_v = i_block * BV + tl.arange(0, BV)  # [BV]
    o_m = i_m + tl.arange(0, BM)  # [BM]
    m_v = (o_v < vocab)[:, None]  # [BV, 1]
    m_m = o_m < rows  # [BM]
    m_z = m_v & m_m[None, :]  # [BV, BM]
    o_row = o_m.to(tl.int64)  # [BM]
    if LOGITS:
        tl.store(p_logits + o_row[None, :] * vocab + o_v[:, None], b_z, mask=m_z)

    b_low = tl.where(m_v, b_z, float("-inf"))  # [BV, BM]
    b_max = tl.max(b_low, 0)  # [BM]
    b_sum = tl.sum(tl.exp(b_low - b_max[None, :]), 0)  # [BM]
    b_z = tl.where(m_v, b_z, 0.0)  # [BV, BM]
    o_stats = o_row * 3 * blocks + i_block  # [BM]
    tl.store(p_stats + o_stats, b_max, mask=m_m)
    tl.store(p_stats + o_stats + blocks, b_sum, mask=m_m)
    tl.store(p_stats + o_stats + 2 * blocks, tl.sum(b_z, 0), mask=m_m)

    b_slot = tl.load(p_slots + o_m, mask=m_m, other=0)  # [BM]
    b_octets = tl.load(p_octets + b_slot[None, :] * s_octets + o_v[:, None], mask=m_z, other=0)  # [BV, BM]
    for i_lane in tl.static_range(LANES):
        b_minus = ((b_octets >> i_lane) & 1) != 0  # [BV, BM]
        b_lane = tl.sum(tl.where(b_minus, -b_z, b_z), 0)  # [BM]
        tl.store(p_lanes + (o_row * LANES + i_lane) * blocks + i_block, b_lane, mask=m_m)
    for i_half in tl.static_range(2):
        b_count = tl.sum(spread_bits(b_octets, i_half), 0)  # [BM]
        tl.store(p_counts + (o_row * 2 + i_half) * blocks + i_block, b_count, mask=m_m)

    b_key = ordered_key(b_low, o_v[:, None] + tl.zeros([BV, BM], tl.int32))  # [BV, BM]
    b_best, b_rest = take_best(tl.trans(b_key), KEEP)  # [BM, KEEP], [BM]
    o_block = o_row * blocks + i_block  # [BM]
    tl.store(p_rest + o_block, b_rest, mask=m_m)
    o_keep = o_block[:, None] * KEEP + tl.arange(0, KEEP)[None, :]  # [BM, KEEP]
    tl.store(p_keys + o_keep, b_best, mask=m_m[:, None])


@triton.jit
def quantised(b_key, b_lse, STEPS: tl.constexpr, LOWEST: tl.constexpr):
    """The log-prob of a key in whole steps: rounded half to even, clamped; NaN becomes the lowest."""
    b_steps = (key_value(b_key) - b_lse) * STEPS
    b_steps = tl.where(b_steps > LOWEST, tl.minimum(b_steps, 0.0), LOWEST)
    # A float as large as 1.5 * 2^23 has no fraction left, so the sum is rounded as the hardware rounds.
    return ((b_steps + 12582912.0) - 12582912.0).to(tl.int64)


@triton.jit(do_not_specialize=["p_slots"])
def merge_kernel(
    p_stats,  # [rows, 3, blocks]
    p_lanes,  # [rows, LANES, blocks]
    p_counts,  # [rows, 2, blocks] i64
    p_keys,  # [rows, blocks, KEEP] i64
    p_rest,  # [rows, blocks] i64
    p_hidden,  # [rows, DEPTH], rows s_hidden apart
    p_octets,  # [requests, DEPTH] u8, rows s_octets apart
    p_slots,  # [rows] i64
    p_lse,  # [rows]
    p_ids,  # [rows, KEEP] i64
    p_logprobs,  # [rows, KEEP] i16
    p_logit_lanes,  # [rows, LANES]
    p_hidden_lanes,  # [rows, LANES]
    p_exact,  # [rows] i8
    vocab,
    blocks,
    s_hidden,
    s_octets,
    logit_scale,
    hidden_scale,
    DEPTH: tl.constexpr,
    BD: tl.constexpr,
    NB: tl.constexpr,
    BV: tl.constexpr,
    KEEP: tl.constexpr,
    LANES: tl.constexpr,
    STEPS: tl.constexpr,
    LOWEST: tl.constexpr,
):
    NOTHING: tl.constexpr = -(1 << 63)
    i_row = tl.program_id(0).to(tl.int64)
    o_b = tl.arange(0, NB)  # [NB]
    m_b = o_b < blocks  # [NB]
    p_stats += i_row * 3 * blocks
    b_max = tl.load(p_stats + o_b, mask=m_b, other=float("-inf"))  # [NB]
    b_sum = tl.load(p_stats + blocks + o_b, mask=m_b, other=0.0)  # [NB]
    b_total = tl.load(p_stats + 2 * blocks + o_b, mask=m_b, other=0.0)  # [NB]
    i_max = tl.max(b_max, 0)
    i_lse = i_max + tl.log(tl.sum(tl.where(m_b, b_sum * tl.exp(b_max - i_max), 0.0), 0))
    tl.store(p_lse + i_row, i_lse)

    # Sketches. The mean leaves the logits by way of the sum of signs, which is a whole number.
    i_mean = tl.sum(b_total, 0) / vocab
    i_slot = tl.load(p_slots + i_row)
    o_d = tl.arange(0, BD)  # [BD]
    m_d = o_d < DEPTH  # [BD]
    b_hidden = tl.load(p_hidden + i_row * s_hidden + o_d, mask=m_d, other=0.0).to(tl.float32)  # [BD]
    b_octets = tl.load(p_octets + i_slot * s_octets + o_d, mask=m_d, other=0)  # [BD]
    for i_lane in tl.static_range(LANES):
        b_lane = tl.load(p_lanes + (i_row * LANES + i_lane) * blocks + o_b, mask=m_b, other=0.0)  # [NB]
        b_count = tl.load(p_counts + (i_row * 2 + i_lane // 4) * blocks + o_b, mask=m_b, other=0)  # [NB]
        i_minus = tl.sum((b_count >> (16 * (i_lane % 4))) & 0xFFFF, 0)
        i_signs = (vocab - 2 * i_minus).to(tl.float32)
        tl.store(p_logit_lanes + i_row * LANES + i_lane, (tl.sum(b_lane, 0) - i_mean * i_signs) * logit_scale)
        b_minus = ((b_octets >> i_lane) & 1) != 0  # [BD]
        i_hidden = tl.sum(tl.where(b_minus, -b_hidden, b_hidden), 0)
        tl.store(p_hidden_lanes + i_row * LANES + i_lane, i_hidden * hidden_scale)

    # Candidates. A block is judged by its best value and its lowest id: whatever it holds sorts below that.
    b_first = tl.load(p_keys + (i_row * blocks + o_b) * KEEP, mask=m_b, other=NOTHING)  # [NB]
    b_low_id = o_b.to(tl.int64) * BV  # [NB]
    b_bound = (quantised(b_first, i_lse, STEPS, LOWEST) << 32) | (0xFFFFFFFF - b_low_id)  # [NB]
    b_chosen, _rest = take_best(tl.where(m_b, b_bound, NOTHING)[None, :], KEEP)  # [1, KEEP]
    b_chosen = tl.reshape(b_chosen, [KEEP])
    m_chosen = (b_chosen != NOTHING)[:, None]  # [KEEP, 1]
    o_chosen = (i_row * blocks + key_id(b_chosen) // BV)[:, None] * KEEP + tl.arange(0, KEEP)[None, :]
    b_keys = tl.load(p_keys + o_chosen, mask=m_chosen, other=NOTHING)  # [KEEP, KEEP]
    b_ranked = (quantised(b_keys, i_lse, STEPS, LOWEST) << 32) | (b_keys & 0xFFFFFFFF)
    b_ranked = tl.where(m_chosen, b_ranked, NOTHING)
    b_best, _rest = take_best(tl.reshape(b_ranked, [1, KEEP * KEEP]), KEEP)  # [1, KEEP]
    b_best = tl.reshape(b_best, [KEEP])
    o_k = i_row * KEEP + tl.arange(0, KEEP)  # [KEEP]
    tl.store(p_ids + o_k, key_id(b_best))
    tl.store(p_logprobs + o_k, (b_best >> 32).to(tl.int16))

    # What a block has left out matters only where it could have come before the last of the best.
    b_rest = tl.load(p_rest + i_row * blocks + o_b, mask=m_b, other=NOTHING)  # [NB]
    b_over = (quantised(b_rest, i_lse, STEPS, LOWEST) << 32) | (0xFFFFFFFF - b_low_id)  # [NB]
    m_over = (b_rest != NOTHING) & (b_over > tl.min(b_best, 0))  # [NB]
    tl.store(p_exact + i_row, (tl.sum(m_over.to(tl.int32), 0) == 0).to(tl.int8))


def _block_constants(config: ProductConfig, logits: bool, tma: bool) -> dict[str, int]:
    return {
        "BM": config.block_m,
        "BV": VOCAB_BLOCK,
        "BK": BLOCK_K,
        "KEEP": CANDIDATES,
        "LANES": LANES,
        "LOGITS": logits,
        "TMA": tma,
    }


def _merge_constants(depth: int, blocks: int) -> dict[str, int]:
    return {
        "DEPTH": depth,
        "BD": triton.next_power_of_2(depth),
        "NB": max(CANDIDATES, triton.next_power_of_2(blocks)),
        "BV": VOCAB_BLOCK,
        "KEEP": CANDIDATES,
        "LANES": LANES,
        "STEPS": STEPS,
        "LOWEST": MIN_LOGPROB,
    }


def lm_head_leaf_triton(
    hidden: Tensor,
    weight: Tensor,
    logit_octets: Tensor,
    hidden_octets: Tensor,
    slots: Tensor,
    top_k: int,
    keep: bool,
) -> LeafParts:
    """Launch both kernels; arguments are already checked by the api.

    Raises: :class:`DtypeError`, :class:`BackendError`, and :class:`LayoutError` for a weight that bulk copies
    cannot address.
    """
    check_triton_dtype(weight)
    check_interpreter_dtype(hidden)
    pinned, device = tables_of(hidden.device), hidden.device
    rows, depth = hidden.shape
    vocab = weight.shape[0]
    blocks = triton.cdiv(vocab, VOCAB_BLOCK)

    def new(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.empty(shape, dtype=dtype, device=device)

    floats, words = torch.float32, torch.int64
    stats, lanes = new((rows, 3, blocks), floats), new((rows, LANES, blocks), floats)
    counts, rest = new((rows, 2, blocks), words), new((rows, blocks), words)
    keys = new((rows, blocks, CANDIDATES), words)
    logits = new((rows, vocab), floats) if keep else None
    lse, ids = new((rows,), floats), new((rows, CANDIDATES), words)
    logprobs, exact = new((rows, CANDIDATES), torch.int16), new((rows,), torch.int8)
    logit_lanes, hidden_lanes = new((rows, LANES), floats), new((rows, LANES), floats)
    if rows:
        config = bucket(pinned.lm_head, rows)
        x = hidden.to(weight.dtype)
        block_kernel[(blocks, triton.cdiv(rows, config.block_m))](
            descriptor("hidden", x, (config.block_m, BLOCK_K)) if pinned.tma else x,
            descriptor("weight", weight, (VOCAB_BLOCK, BLOCK_K)) if pinned.tma else weight,
            logit_octets,
            slots,
            stats,
            lanes,
            counts,
            keys,
            rest,
            stats if logits is None else logits,
            rows,
            vocab,
            depth,
            x.stride(0),
            weight.stride(0),
            logit_octets.stride(0),
            blocks,
            **_block_constants(config, keep, pinned.tma),
            num_warps=config.num_warps,
            num_stages=config.num_stages,
            **COMPILE_OPTIONS,
        )
        merge_kernel[(rows,)](
            stats,
            lanes,
            counts,
            keys,
            rest,
            hidden,
            hidden_octets,
            slots,
            lse,
            ids,
            logprobs,
            logit_lanes,
            hidden_lanes,
            exact,
            vocab,
            blocks,
            hidden.stride(0),
            hidden_octets.stride(0),
            vocab**-0.5,
            depth**-0.5,
            **_merge_constants(depth, blocks),
            num_warps=pinned.rows["leaf_merge"].num_warps,
            num_stages=MERGE_STAGES,
            **COMPILE_OPTIONS,
        )
    return LeafParts(
        lse, ids[:, :top_k], logprobs[:, :top_k], logit_lanes, hidden_lanes, exact.bool(), logits
    )


def variants(pinned: Tables) -> Iterator[Variant]:
    """What the ahead-of-time gate compiles: every bucket of rows, and the merge for common models."""
    for config in pinned.lm_head:
        for dtype, logits in (("bf16", False), ("bf16", True), ("fp16", False)):
            yield _block_variant(pinned, config, dtype, logits)
    for model in WIDTHS:
        yield _merge_variant(pinned, model)


def _block_variant(pinned: Tables, config: ProductConfig, dtype: str, logits: bool) -> Variant:
    matrices = () if pinned.tma else ("p_x", "p_w")
    tiles = {"p_x": (dtype, (config.block_m, BLOCK_K)), "p_w": (dtype, (VOCAB_BLOCK, BLOCK_K))}
    floats, words = ("p_stats", "p_lanes", "p_logits"), ("p_counts", "p_keys", "p_rest")
    return Variant(
        name=f"lm_head_leaf/rows{config.max_rows or 'any'}/{dtype}{'-logits' if logits else ''}",
        kernel=block_kernel,
        pointers=dict.fromkeys(matrices, dtype)
        | {"p_octets": "u8", "p_slots": "i64"}
        | dict.fromkeys(floats, "fp32")
        | dict.fromkeys(words, "i64"),
        scalars=dict.fromkeys(("rows", "vocab", "depth", "s_x", "s_w", "s_octets", "blocks"), "i32"),
        aligned=frozenset(
            {*matrices, "p_octets", *floats, *words, "vocab", "depth", "s_x", "s_w", "s_octets"}
        ),
        constants=_block_constants(config, logits, pinned.tma),
        num_warps=config.num_warps,
        num_stages=config.num_stages,
        wgmma=pinned.number >= 90,
        tma=pinned.tma,
        descriptors=tiles if pinned.tma else {},
    )


def _merge_variant(pinned: Tables, model: str) -> Variant:
    floats = ("p_stats", "p_lanes", "p_hidden", "p_lse", "p_logit_lanes", "p_hidden_lanes")
    words = ("p_counts", "p_keys", "p_rest", "p_ids")
    blocks = triton.cdiv(VOCABULARIES[model], VOCAB_BLOCK)
    aligned = {*floats, *words, "p_octets", "p_logprobs", "p_exact", "vocab", "s_hidden", "s_octets"}
    return Variant(
        name=f"lm_head_leaf.merge/{model}",
        kernel=merge_kernel,
        pointers=dict.fromkeys(floats, "fp32")
        | dict.fromkeys(words, "i64")
        | {"p_octets": "u8", "p_slots": "i64", "p_logprobs": "i16", "p_exact": "i8"},
        scalars=dict.fromkeys(("vocab", "blocks", "s_hidden", "s_octets"), "i32")
        | {"logit_scale": "fp32", "hidden_scale": "fp32"},
        aligned=frozenset(aligned | ({"blocks"} if blocks % 16 == 0 else set())),
        constants=_merge_constants(WIDTHS[model], blocks),
        num_warps=pinned.rows["leaf_merge"].num_warps,
        num_stages=MERGE_STAGES,
    )
