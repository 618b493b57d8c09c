# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""Decode attention in Triton: split-KV over pages, then an ordered merge.

One program of the first kernel computes one split of keys for *all* query heads of one KV head, packed into
the rows of a tile, so that keys and values are read once. The second kernel, one program a row and head,
merges the partials in ascending order. A split is a fixed number of tokens, never a fraction of the context
or of the machine.
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

MERGE_STAGES = 3


@triton.jit(do_not_specialize=["p_table", "p_context", "s_table", "num_splits"])
def split_kernel(
    p_q,  # [batch, H, D], rows s_q apart
    p_k,  # [pages, PAGE, HK, D], or a descriptor of it
    p_v,  # [pages, PAGE, HK, D], or a descriptor of it
    p_m,  # [batch, H, num_splits]
    p_l,  # [batch, H, num_splits]
    p_acc,  # [batch, H, num_splits, D]
    p_table,  # [batch, max_pages], rows s_table apart
    p_context,  # [batch]
    s_q,
    s_table,
    num_splits,
    qk_scale,
    H: tl.constexpr,
    HK: tl.constexpr,
    D: tl.constexpr,
    PAGE: tl.constexpr,
    ROWS: tl.constexpr,
    BN: tl.constexpr,
    SPLIT: tl.constexpr,
    TMA: tl.constexpr,
):
    i_hk = tl.program_id(0)
    i_split = tl.program_id(1)
    i_b = tl.program_id(2).to(tl.int64)
    i_context = tl.load(p_context + i_b)
    i_s = i_split * SPLIT
    if i_s >= i_context:
        return  # the merge reads no split past the context

    GROUP: tl.constexpr = H // HK
    o_r = tl.arange(0, ROWS)  # [ROWS]
    o_h = i_hk * GROUP + o_r  # [ROWS]
    o_d = tl.arange(0, D)  # [D]
    m_r = o_r < GROUP  # [ROWS]
    b_q = tl.load(
        p_q + i_b * s_q + o_h[:, None] * D + o_d[None, :], mask=m_r[:, None], other=0.0
    )  # [ROWS, D]
    b_pos = tl.full([ROWS], 0, tl.int32) + (i_context - 1)  # [ROWS]: the new token sees every key

    p_pages = p_table + i_b * s_table
    i_stop = tl.minimum(i_s + SPLIT, i_context)
    i_mid = i_stop // BN * BN
    b_m, b_l, b_acc = empty_partial(ROWS, D)
    for i_n in tl.range(i_s, i_mid, BN):
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
            i_stop,
            b_pos,
            qk_scale,
            HK,
            D,
            PAGE,
            BN,
            False,
            TMA,
        )
    for i_n in tl.range(i_mid, i_stop, BN):
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
            i_stop,
            b_pos,
            qk_scale,
            HK,
            D,
            PAGE,
            BN,
            True,
            TMA,
        )

    o_part = (i_b * H + o_h) * num_splits + i_split  # [ROWS]
    tl.store(p_m + o_part, b_m, mask=m_r)
    tl.store(p_l + o_part, b_l, mask=m_r)
    tl.store(p_acc + o_part[:, None] * D + o_d[None, :], b_acc, mask=m_r[:, None])


@triton.jit(do_not_specialize=["p_context", "num_splits"])
def merge_kernel(
    p_m,  # [batch, H, num_splits]
    p_l,  # [batch, H, num_splits]
    p_acc,  # [batch, H, num_splits, D]
    p_out,  # [batch, H, D]
    p_context,  # [batch]
    num_splits,
    H: tl.constexpr,
    D: tl.constexpr,
    SPLIT: tl.constexpr,
):
    i_h = tl.program_id(0)
    i_b = tl.program_id(1).to(tl.int64)
    i_used = tl.cdiv(tl.load(p_context + i_b), SPLIT)
    o_d = tl.arange(0, D)  # [D]
    o_one = tl.arange(0, 1)  # [1]
    o_part = (i_b * H + i_h) * num_splits + o_one  # [1]
    b_mt, b_lt, b_acct = empty_partial(1, D)
    for i_split in tl.range(0, i_used):
        b_m = tl.load(p_m + o_part + i_split)  # [1]
        b_l = tl.load(p_l + o_part + i_split)  # [1]
        b_acc = tl.load(p_acc + (o_part + i_split)[:, None] * D + o_d[None, :])  # [1, D]
        b_mt, b_lt, b_acct = merge_partial(b_mt, b_lt, b_acct, b_m, b_l, b_acc)
    b_out = normalise(b_lt, b_acct).to(p_out.dtype.element_ty)  # [1, D]
    tl.store(p_out + (i_b * H + i_h + o_one)[:, None] * D + o_d[None, :], b_out)


def _split_constants(geometry: Geometry, config: TileConfig, tma: bool) -> dict[str, int]:
    return {
        "H": geometry.num_heads,
        "HK": geometry.num_kv_heads,
        "D": geometry.head_dim,
        "PAGE": geometry.page_size,
        "ROWS": max(config.block_m, triton.next_power_of_2(geometry.group)),
        "BN": config.block_n,
        "SPLIT": config.split,
        "TMA": tma,
    }


def _merge_constants(geometry: Geometry, config: TileConfig) -> dict[str, int]:
    return {"H": geometry.num_heads, "D": geometry.head_dim, "SPLIT": config.split}


def attention_decode_triton(
    q: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    page_table: Tensor,
    context_lens: Tensor,
    sm_scale: float,
    geometry: Geometry,
    num_splits: int,
    config: TileConfig | None = None,
) -> Tensor:
    """Launch both kernels; arguments are already checked by the api, ``num_splits`` covers the longest
    context.

    Raises: :class:`DtypeError`, :class:`BackendError` for what would compute wrongly or not at all.
    """
    check_triton_dtype(q)
    pinned = tables_of(q.device)
    config = config or pinned.decode[geometry.head_dim]
    batch, num_heads, head_dim = q.shape
    out = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    if batch == 0:
        return out
    b_m = torch.empty((batch, num_heads, num_splits), dtype=torch.float32, device=q.device)
    b_l = torch.empty((batch, num_heads, num_splits), dtype=torch.float32, device=q.device)
    b_acc = torch.empty((batch, num_heads, num_splits, head_dim), dtype=torch.float32, device=q.device)
    tma = uses_tma(pinned, geometry, config)
    split_kernel[(geometry.num_kv_heads, num_splits, batch)](
        q,
        cache_argument("k_cache", k_cache, config, tma),
        cache_argument("v_cache", v_cache, config, tma),
        b_m,
        b_l,
        b_acc,
        page_table,
        context_lens,
        q.stride(0),
        page_table.stride(0),
        num_splits,
        sm_scale * math.log2(math.e),
        **_split_constants(geometry, config, tma),
        num_warps=config.num_warps,
        num_stages=config.num_stages,
        **COMPILE_OPTIONS,
    )
    merge_kernel[(num_heads, batch)](
        b_m,
        b_l,
        b_acc,
        out,
        context_lens,
        num_splits,
        **_merge_constants(geometry, config),
        num_warps=pinned.rows["attention_merge"].num_warps,
        num_stages=MERGE_STAGES,
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
        yield _split_variant(pinned, model, page, dtype)
    for model in MODELS:
        yield _merge_variant(pinned, model)


_PARTIALS = dict.fromkeys(("p_m", "p_l", "p_acc"), "fp32")


def _split_variant(pinned: Tables, model: str, page: int, dtype: str) -> Variant:
    geometry = dataclasses.replace(MODELS[model], page_size=page)
    config = pinned.decode[geometry.head_dim]
    tma = uses_tma(pinned, geometry, config)
    tile = (dtype, (config.block_n, geometry.head_dim))
    rows = ("p_q",) if tma else ("p_q", "p_k", "p_v")
    return Variant(
        name=f"attention_decode.split/{model}/page{page}/{dtype}",
        kernel=split_kernel,
        pointers=dict.fromkeys(rows, dtype) | _PARTIALS | {"p_table": "i32", "p_context": "i32"},
        scalars={"s_q": "i32", "s_table": "i32", "num_splits": "i32", "qk_scale": "fp32"},
        aligned=frozenset({*rows, *_PARTIALS, "s_q"}),
        constants=_split_constants(geometry, config, tma),
        num_warps=config.num_warps,
        num_stages=config.num_stages,
        wgmma=pinned.number >= 90,
        tma=tma,
        descriptors={"p_k": tile, "p_v": tile} if tma else {},
    )


def _merge_variant(pinned: Tables, model: str) -> Variant:
    geometry = MODELS[model]
    return Variant(
        name=f"attention_decode.merge/{model}/bf16",
        kernel=merge_kernel,
        pointers=_PARTIALS | {"p_out": "bf16", "p_context": "i32"},
        scalars={"num_splits": "i32"},
        aligned=frozenset({*_PARTIALS, "p_out"}),
        constants=_merge_constants(geometry, pinned.decode[geometry.head_dim]),
        num_warps=pinned.rows["attention_merge"].num_warps,
        num_stages=MERGE_STAGES,
    )
