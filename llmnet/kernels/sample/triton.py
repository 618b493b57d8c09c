# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""The sampler in Triton: one program a row, in 64-bit integers; no float anywhere."""

from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._config import COMPILE_OPTIONS, Tables, tables_of
from llmnet.kernels._dispatch import check_integer_backend
from llmnet.kernels._philox import GUMBEL_TAG
from llmnet.kernels._variant import Variant
from llmnet.kernels.sample.logarithm import LN2, POINTS, device_tables

SAMPLE_STAGES = 1


@triton.jit
def ln_q48(b_x, p_tables, POINTS: tl.constexpr, LN2: tl.constexpr):
    """Natural logarithm in Q48 of int64 ``1 <= x < 2^62``: docs/protocol.md, section 5, one bit lower because
    the highest one is the sign."""
    b_n = b_x * 0  # [K]
    for i_step in tl.static_range(6):
        b_n += tl.where((b_x >> (b_n + (32 >> i_step))) > 0, 32 >> i_step, 0)
    b_m = b_x << (62 - b_n)  # [K]
    b_i = (((b_m >> 55) & 0x7F) + 1) >> 1  # [K]
    b_d = (b_m - ((64 + b_i) << 56)) * 2  # [K]
    b_t = ((b_d >> 25) * tl.load(p_tables + POINTS + b_i)) >> 21  # [K]
    b_s = b_t >> 16  # [K]
    b_square = b_s * b_s  # [K]
    b_cube = (b_square >> 16) * b_s  # [K]
    b_third = tl.where(b_cube < 0, -((-b_cube) // 3), b_cube // 3)  # [K]: truncated toward zero
    return b_n * LN2 + tl.load(p_tables + b_i) + b_t - (b_square >> 17) + (b_third >> 32)


@triton.jit
def sample_kernel(
    p_logprobs,  # [rows, k] i16
    p_ids,  # [rows, k] i64
    p_temperatures,  # [rows] i64
    p_keys,  # [rows, 2] i64
    p_positions,  # [rows] i64
    p_tables,  # [2, POINTS] i64
    p_winner,  # [rows] i64
    p_token,  # [rows] i64
    COUNT: tl.constexpr,
    BK: tl.constexpr,
    TAG: tl.constexpr,
    POINTS: tl.constexpr,
    LN2: tl.constexpr,
):
    i_row = tl.program_id(0).to(tl.int64)
    o_k = tl.arange(0, BK).to(tl.int64)  # [BK]
    m_k = o_k < COUNT  # [BK]
    b_cost = -tl.load(p_logprobs + i_row * COUNT + o_k, mask=m_k, other=0).to(tl.int64)  # [BK]
    b_id = tl.load(p_ids + i_row * COUNT + o_k, mask=m_k, other=0)  # [BK]
    i_scale = tl.load(p_temperatures + i_row)
    b_k0 = tl.load(p_keys + 2 * i_row).to(tl.uint32)
    b_k1 = tl.load(p_keys + 2 * i_row + 1).to(tl.uint32)

    b_c1 = b_id.to(tl.uint32)  # [BK]
    b_zero = b_c1 * 0  # [BK]
    b_c0 = b_zero + tl.load(p_positions + i_row).to(tl.uint32)  # [BK]
    b_word, _w1, _w2, _w3 = tl.philox_impl(b_c0, b_c1, b_zero, b_zero + TAG, b_k0, b_k1, 10)
    b_v = 33 * LN2 - ln_q48(2 * b_word.to(tl.int64) + 1, p_tables, POINTS, LN2)  # [BK]
    b_v = tl.maximum(b_v, 1)
    b_noise = (48 * LN2 - ln_q48(b_v, p_tables, POINTS, LN2) + (1 << 31)) >> 32  # [BK]

    b_sampled = b_noise - (b_cost << 16) // tl.maximum(i_scale, 1)  # [BK]
    b_score = tl.where(i_scale == 0, -b_cost * 256, b_sampled)  # [BK]
    LOWEST: tl.constexpr = -(1 << 62)
    HIGHEST: tl.constexpr = 1 << 62
    b_score = tl.where(m_k, b_score, LOWEST)
    m_best = m_k & (b_score == tl.max(b_score, 0))  # [BK]
    i_token = tl.min(tl.where(m_best, b_id, HIGHEST), 0)
    i_winner = tl.min(tl.where(m_best & (b_id == i_token), o_k, HIGHEST), 0)
    tl.store(p_winner + i_row, i_winner)
    tl.store(p_token + i_row, i_token)


def _constants(count: int) -> dict[str, int]:
    return {
        "COUNT": count,
        "BK": triton.next_power_of_2(count),
        "TAG": GUMBEL_TAG,
        "POINTS": POINTS,
        "LN2": LN2,
    }


def sample_triton(
    logprobs: Tensor, ids: Tensor, temperatures: Tensor, keys: Tensor, positions: Tensor
) -> tuple[Tensor, Tensor]:
    """Launch one program a row; arguments are already checked by the api. Raises: :class:`BackendError`."""
    check_integer_backend(logprobs)
    rows = logprobs.shape[0]
    winners, tokens = torch.empty((2, rows), dtype=torch.int64, device=logprobs.device).unbind(0)
    if rows:
        sample_kernel[(rows,)](
            logprobs,
            ids,
            temperatures,
            keys,
            positions,
            device_tables(logprobs.device),
            winners,
            tokens,
            **_constants(logprobs.shape[1]),
            num_warps=tables_of(logprobs.device).rows["sample"].num_warps,
            num_stages=SAMPLE_STAGES,
            **COMPILE_OPTIONS,
        )
    return winners, tokens


def variants(pinned: Tables) -> Iterator[Variant]:
    """What the ahead-of-time gate compiles: the widest row of candidates."""
    words = ("p_ids", "p_temperatures", "p_keys", "p_positions", "p_tables", "p_winner", "p_token")
    yield Variant(
        name="sample/32",
        kernel=sample_kernel,
        pointers={"p_logprobs": "i16"} | dict.fromkeys(words, "i64"),
        scalars={},
        aligned=frozenset({"p_logprobs", *words}),
        constants=_constants(32),
        num_warps=pinned.rows["sample"].num_warps,
        num_stages=SAMPLE_STAGES,
    )
