# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""Prefill attention in Triton: flash attention over paged keys and values.

One program computes ``BM`` consecutive queries of one head of one sequence. It walks the keys from position 0
in tiles of ``BN``; tiles that every row sees whole need no mask, the last ones on the diagonal do. Each split
of ``SPLIT`` keys starts a fresh partial which is then merged into the total, as decode does it. The merge stands
inside the loops over tiles, so that copies run ahead across the borders of splits.
"""

import dataclasses
import math
from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._checks import Geometry
from llmnet.kernels._config import COMPILE_OPTIONS, Tables, TileConfig, tables_of
from llmnet.kernels._dispatch import check_triton_dtype
from llmnet.kernels._softmax import attend_tile, empty_partial, merge_partial, normalise
from llmnet.kernels._tiles import cache_argument, uses_tma
from llmnet.kernels._variant import MODELS, Variant
from llmnet.kernels.attention_prefill.plan import PrefillPlan

INDEX_POINTERS = ("p_table", "p_cu", "p_context", "p_work")


@triton.jit(do_not_specialize=[*INDEX_POINTERS, "s_table"])
def prefill_kernel(
    p_q,  # [tokens, H, D], rows s_q apart
    p_k,  # [pages, PAGE, HK, D], or a descriptor of it
    p_v,  # [pages, PAGE, HK, D], or a descriptor of it
    p_out,  # [tokens, H, D], rows s_out apart
    p_table,  # [batch, max_pages], rows s_table apart
    p_cu,  # [batch + 1]
    p_context,  # [batch]
    p_work,  # [items, 2]
    s_q,
    s_out,
    s_table,
    qk_scale,
    H: tl.constexpr,
    HK: tl.constexpr,
    D: tl.constexpr,
    PAGE: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    SPLIT: tl.constexpr,
    TMA: tl.constexpr,
):
    i_h = tl.program_id(0) % H
    i_w = tl.program_id(0) // H
    i_b = tl.load(p_work + 2 * i_w)
    i_m = tl.load(p_work + 2 * i_w + 1)
    i_row = tl.load(p_cu + i_b)
    i_len = tl.load(p_cu + i_b + 1) - i_row
    i_context = tl.load(p_context + i_b)
    i_first = i_context - i_len + i_m * BM  # position of the first query of the block

    o_m = i_m * BM + tl.arange(0, BM)  # [BM]
    o_d = tl.arange(0, D)  # [D]
    m_m = (o_m < i_len)[:, None]  # [BM, 1]
    o_row = (i_row + o_m).to(tl.int64)[:, None]  # [BM, 1]
    b_q = tl.load(p_q + o_row * s_q + i_h * D + o_d[None, :], mask=m_m, other=0.0)  # [BM, D]
    b_pos = i_first + tl.arange(0, BM)  # [BM]

    i_end = tl.minimum(i_context, i_first + BM)  # keys at or after this are visible to no row
    i_full = (i_first + 1) // BN * BN  # tiles before this are visible to every row
    i_hk = i_h // (H // HK)
    p_pages = p_table + i_b.to(tl.int64) * s_table

    b_mt, b_lt, b_acct = empty_partial(BM, D)
    b_m, b_l, b_acc = empty_partial(BM, D)
    for i_n in tl.range(0, i_full, BN):
        if (i_n % SPLIT == 0) & (i_n > 0):
            b_mt, b_lt, b_acct = merge_partial(b_mt, b_lt, b_acct, b_m, b_l, b_acc)
            b_m, b_l, b_acc = empty_partial(BM, D)
        b_m, b_l, b_acc = attend_tile(
            b_q,
            b_m,
            b_l,
            b_acc,
            p_k,
            p_v,
            p_pages,
            i_hk,
            i_n,
            i_end,
            b_pos,
            qk_scale,
            HK,
            D,
            PAGE,
            BN,
            False,
            TMA,
        )
    for i_n in tl.range(i_full, i_end, BN):
        if (i_n % SPLIT == 0) & (i_n > 0):
            b_mt, b_lt, b_acct = merge_partial(b_mt, b_lt, b_acct, b_m, b_l, b_acc)
            b_m, b_l, b_acc = empty_partial(BM, D)
        b_m, b_l, b_acc = attend_tile(
            b_q,
            b_m,
            b_l,
            b_acc,
            p_k,
            p_v,
            p_pages,
            i_hk,
            i_n,
            i_end,
            b_pos,
            qk_scale,
            HK,
            D,
            PAGE,
            BN,
            True,
            TMA,
        )
    b_mt, b_lt, b_acct = merge_partial(b_mt, b_lt, b_acct, b_m, b_l, b_acc)

    b_out = normalise(b_lt, b_acct).to(p_out.dtype.element_ty)  # [BM, D]
    tl.store(p_out + o_row * s_out + i_h * D + o_d[None, :], b_out, mask=m_m)


def _constants(geometry: Geometry, config: TileConfig, tma: bool) -> dict[str, int]:
    return {
        "H": geometry.num_heads,
        "HK": geometry.num_kv_heads,
        "D": geometry.head_dim,
        "PAGE": geometry.page_size,
        "BM": config.block_m,
        "BN": config.block_n,
        "SPLIT": config.split,
        "TMA": tma,
    }


def attention_prefill_triton(
    q: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    page_table: Tensor,
    cu_seqlens_q: Tensor,
    context_lens: Tensor,
    sm_scale: float,
    geometry: Geometry,
    plan: PrefillPlan,
) -> Tensor:
    """Launch over the items of ``plan``; arguments are already checked by the api.

    Raises: :class:`DtypeError`, :class:`BackendError` for what would compute wrongly or not at all.
    """
    check_triton_dtype(q)
    config = plan.config
    out = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    if plan.work.shape[0] == 0:
        return out
    tma = uses_tma(tables_of(q.device), geometry, config)
    prefill_kernel[(plan.work.shape[0] * geometry.num_heads,)](
        q,
        cache_argument("k_cache", k_cache, config, tma),
        cache_argument("v_cache", v_cache, config, tma),
        out,
        page_table,
        cu_seqlens_q,
        context_lens,
        plan.work,
        q.stride(0),
        out.stride(0),
        page_table.stride(0),
        sm_scale * math.log2(math.e),
        **_constants(geometry, config, tma),
        num_warps=config.num_warps,
        num_stages=config.num_stages,
        **COMPILE_OPTIONS,
    )
    return out


def variants(pinned: Tables) -> Iterator[Variant]:
    """What the ahead-of-time gate compiles: common models, on pages of one tile and on small ones."""
    cases = [
        ("llama-8b", 64, "bf16"),
        ("llama-8b", 64, "fp16"),
        ("llama-8b", 16, "bf16"),
        ("smollm2-135m", 64, "bf16"),
        ("smollm2-135m", 16, "bf16"),
    ]
    for model, page, dtype in cases:
        geometry = dataclasses.replace(MODELS[model], page_size=page)
        config = pinned.prefill[geometry.head_dim]
        tma = uses_tma(pinned, geometry, config)
        tile = (dtype, (config.block_n, geometry.head_dim))
        rows = ("p_q", "p_out") if tma else ("p_q", "p_k", "p_v", "p_out")
        yield Variant(
            name=f"attention_prefill/{model}/page{page}/{dtype}",
            kernel=prefill_kernel,
            pointers=dict.fromkeys(rows, dtype) | dict.fromkeys(INDEX_POINTERS, "i32"),
            scalars={"s_q": "i32", "s_out": "i32", "s_table": "i32", "qk_scale": "fp32"},
            aligned=frozenset({*rows, "s_q", "s_out"}),
            constants=_constants(geometry, config, tma),
            num_warps=config.num_warps,
            num_stages=config.num_stages,
            wgmma=pinned.number >= 90,
            tma=tma,
            descriptors={"p_k": tile, "p_v": tile} if tma else {},
        )
