# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""Matrix product in Triton: persistent programs, tiles through tensor descriptors, no split of the sum.

Each program takes every n-th tile of the result. A tile is summed by one program over ascending steps of
``BK``, so the order of summation of an element is a function of ``in`` alone. With ``SWAP`` the transposed
tile is computed: weights are the tall side of the product and a few rows its narrow one, which on Hopper
keeps few rows on the same warp-group instruction that many rows use.
"""

from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._config import BLOCK_K, COMPILE_OPTIONS, ProductConfig, Tables, bucket, tables_of
from llmnet.kernels._dispatch import check_triton_dtype
from llmnet.kernels._tiles import descriptor, load_tile, programs
from llmnet.kernels._variant import Variant


@triton.jit
def product_tile(
    p_x, p_w, i_m, i_n, rows, out, depth, s_x, s_w, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
    SWAP: tl.constexpr, TMA: tl.constexpr,
):  # fmt: skip
    """The tile ``[BM, BN]`` of ``x w^T`` that starts at (``i_m``, ``i_n``), or its transpose, in fp32."""
    b_acc = tl.zeros([BN, BM] if SWAP else [BM, BN], tl.float32)
    for i_k in tl.range(0, depth, BK):
        b_x = load_tile(p_x, i_m, i_k, rows, depth, s_x, BM, BK, TMA)  # [BM, BK]
        b_w = load_tile(p_w, i_n, i_k, out, depth, s_w, BN, BK, TMA)  # [BN, BK]
        if SWAP:
            b_acc = tl.dot(b_w, tl.trans(b_x), b_acc, input_precision="ieee")  # [BN, BM]
        else:
            b_acc = tl.dot(b_x, tl.trans(b_w), b_acc, input_precision="ieee")  # [BM, BN]
    return b_acc


@triton.jit(do_not_specialize=["rows"])
def matmul_kernel(
    p_x,  # [rows, depth], rows s_x apart, or a descriptor of it
    p_w,  # [out, depth], rows s_w apart, or a descriptor of it
    p_bias,  # [out]
    p_y,  # [rows, out]
    rows,
    out,
    depth,
    s_x,
    s_w,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
    GROUP: tl.constexpr,
    SWAP: tl.constexpr,
    BIAS: tl.constexpr,
    TMA: tl.constexpr,
):
    n_m = tl.cdiv(rows, BM)
    n_n = tl.cdiv(out, BN)
    for i_tile in tl.range(tl.program_id(0), n_m * n_n, tl.num_programs(0)):
        # GROUP rows of tiles share their weights' tiles while those are in the cache
        i_group = i_tile // (GROUP * n_n) * GROUP
        n_group = tl.minimum(n_m - i_group, GROUP)
        i_inner = i_tile % (GROUP * n_n)
        i_m = (i_group + i_inner % n_group) * BM
        i_n = i_inner // n_group * BN
        b_acc = product_tile(p_x, p_w, i_m, i_n, rows, out, depth, s_x, s_w, BM, BN, BK, SWAP, TMA)
        o_m = i_m + tl.arange(0, BM)  # [BM]
        o_n = i_n + tl.arange(0, BN)  # [BN]
        if BIAS:
            b_bias = tl.load(p_bias + o_n, mask=o_n < out, other=0.0).to(tl.float32)  # [BN]
            b_acc = b_acc + (b_bias[:, None] if SWAP else b_bias[None, :])
        if SWAP:
            o_y = o_m[None, :].to(tl.int64) * out + o_n[:, None]  # [BN, BM]
            m_y = (o_m < rows)[None, :] & (o_n < out)[:, None]
        else:
            o_y = o_m[:, None].to(tl.int64) * out + o_n[None, :]  # [BM, BN]
            m_y = (o_m < rows)[:, None] & (o_n < out)[None, :]
        tl.store(p_y + o_y, b_acc.to(p_y.dtype.element_ty), mask=m_y)


def _constants(config: ProductConfig, bias: bool, tma: bool) -> dict[str, int]:
    return {
        "BM": config.block_m,
        "BN": config.block_n,
        "BK": BLOCK_K,
        "GROUP": config.group,
        "SWAP": config.swap,
        "BIAS": bias,
        "TMA": tma,
    }


def matmul_triton(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    out_dtype: torch.dtype,
    config: ProductConfig | None = None,
) -> Tensor:
    """Launch with the pinned configuration for this number of rows; arguments are checked by the api.

    Raises: :class:`DtypeError`, :class:`BackendError`, and :class:`LayoutError` for rows that bulk copies
    cannot address.
    """
    check_triton_dtype(x)
    pinned = tables_of(x.device)
    rows, depth = x.shape
    out = weight.shape[0]
    y = torch.empty((rows, out), dtype=out_dtype, device=x.device)
    if rows == 0:
        return y
    config = config or bucket(pinned.matmul, rows)
    tiles = triton.cdiv(rows, config.block_m) * triton.cdiv(out, config.block_n)
    matmul_kernel[(programs(x.device, tiles),)](
        descriptor("x", x, (config.block_m, BLOCK_K)) if pinned.tma else x,
        descriptor("weight", weight, (config.block_n, BLOCK_K)) if pinned.tma else weight,
        weight if bias is None else bias,
        y,
        rows,
        out,
        depth,
        x.stride(0),
        weight.stride(0),
        **_constants(config, bias is not None, pinned.tma),
        num_warps=config.num_warps,
        num_stages=config.num_stages,
        **COMPILE_OPTIONS,
    )
    return y


def variants(pinned: Tables) -> Iterator[Variant]:
    """What the ahead-of-time gate compiles: every bucket of rows, with 16-bit and fp32 results."""
    cases = [
        ("bf16", "bf16", False),
        ("bf16", "fp32", False),
        ("fp16", "fp16", False),
        ("bf16", "bf16", True),
    ]
    for config in pinned.matmul:
        for dtype, result, bias in cases:
            yield _variant(pinned, config, dtype, result, bias)


def _variant(pinned: Tables, config: ProductConfig, dtype: str, result: str, bias: bool) -> Variant:
    matrices = () if pinned.tma else ("p_x", "p_w")
    tiles = {"p_x": (dtype, (config.block_m, BLOCK_K)), "p_w": (dtype, (config.block_n, BLOCK_K))}
    return Variant(
        name=f"matmul/rows{config.max_rows or 'any'}/{dtype}-{result}{'-bias' if bias else ''}",
        kernel=matmul_kernel,
        pointers=dict.fromkeys((*matrices, "p_bias"), dtype) | {"p_y": result},
        scalars=dict.fromkeys(("rows", "out", "depth", "s_x", "s_w"), "i32"),
        aligned=frozenset({*matrices, "p_bias", "p_y", "out", "depth", "s_x", "s_w"}),
        constants=_constants(config, bias, pinned.tma),
        num_warps=config.num_warps,
        num_stages=config.num_stages,
        wgmma=pinned.number >= 90,
        tma=pinned.tma,
        descriptors=tiles if pinned.tma else {},
    )
