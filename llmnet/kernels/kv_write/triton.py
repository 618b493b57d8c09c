# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""Cache writes in Triton: one program handles one token.

``write_kernel`` copies its key and value; ``rope_kernel`` rotates query and key on the way.
"""

from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._config import COMPILE_OPTIONS, Tables, tables_of
from llmnet.kernels._dispatch import check_triton_dtype
from llmnet.kernels._variant import MODELS, Variant

WRITE_STAGES = 1


@triton.jit(do_not_specialize=["p_slot"])
def write_kernel(
    p_k,  # [tokens, WIDTH], rows s_k apart
    p_v,  # [tokens, WIDTH], rows s_v apart
    p_k_cache,  # [slots, WIDTH]
    p_v_cache,  # [slots, WIDTH]
    p_slot,  # [tokens]
    s_k,
    s_v,
    WIDTH: tl.constexpr,
    BW: tl.constexpr,
):
    i_t = tl.program_id(0).to(tl.int64)
    i_slot = tl.load(p_slot + i_t)
    if i_slot < 0:
        return  # padding row
    o_w = tl.arange(0, BW)  # [BW]
    m_w = o_w < WIDTH  # [BW]
    b_k = tl.load(p_k + i_t * s_k + o_w, mask=m_w, other=0.0)  # [BW]
    b_v = tl.load(p_v + i_t * s_v + o_w, mask=m_w, other=0.0)  # [BW]
    tl.store(p_k_cache + i_slot * WIDTH + o_w, b_k, mask=m_w)
    tl.store(p_v_cache + i_slot * WIDTH + o_w, b_v, mask=m_w)


@triton.jit
def rotate_heads(p_in, p_out, b_cos, b_sin, HEADS: tl.constexpr, D: tl.constexpr, BH: tl.constexpr):
    """Rotate the halves of ``[HEADS, D]`` by ``[D / 2]`` angles, in fp32, and store them in ``p_out``'s type.

    Four products and two sums, each rounded by itself: what an eager computation gives, bit for bit.
    """
    HALF: tl.constexpr = D // 2
    o_h = tl.arange(0, BH)[:, None]  # [BH, 1]
    o_d = tl.arange(0, HALF)[None, :]  # [1, HALF]
    m_h = (o_h < HEADS) & (o_d < HALF)  # [BH, HALF]
    o_first = o_h * D + o_d  # [BH, HALF]
    b_first = tl.load(p_in + o_first, mask=m_h, other=0.0).to(tl.float32)  # [BH, HALF]
    b_second = tl.load(p_in + o_first + HALF, mask=m_h, other=0.0).to(tl.float32)  # [BH, HALF]
    b_low = b_first * b_cos[None, :] - b_second * b_sin[None, :]  # [BH, HALF]
    b_high = b_second * b_cos[None, :] + b_first * b_sin[None, :]  # [BH, HALF]
    tl.store(p_out + o_first, b_low.to(p_out.dtype.element_ty), mask=m_h)
    tl.store(p_out + o_first + HALF, b_high.to(p_out.dtype.element_ty), mask=m_h)


@triton.jit(do_not_specialize=["p_slot", "p_position"])
def rope_kernel(
    p_q,  # [tokens, H, D], rows s_q apart
    p_k,  # [tokens, HK, D], rows s_k apart
    p_v,  # [tokens, HK, D], rows s_v apart
    p_out,  # [tokens, H, D]
    p_k_cache,  # [slots, HK, D]
    p_v_cache,  # [slots, HK, D]
    p_cos,  # [positions, D / 2]
    p_sin,  # [positions, D / 2]
    p_position,  # [tokens]
    p_slot,  # [tokens]
    s_q,
    s_k,
    s_v,
    H: tl.constexpr,
    HK: tl.constexpr,
    D: tl.constexpr,
    BH: tl.constexpr,
    BHK: tl.constexpr,
):
    i_t = tl.program_id(0).to(tl.int64)
    i_position = tl.load(p_position + i_t)
    i_slot = tl.load(p_slot + i_t)
    o_half = tl.arange(0, D // 2)  # [D / 2]
    b_cos = tl.load(p_cos + i_position * (D // 2) + o_half)  # [D / 2]
    b_sin = tl.load(p_sin + i_position * (D // 2) + o_half)  # [D / 2]
    rotate_heads(p_q + i_t * s_q, p_out + i_t * H * D, b_cos, b_sin, H, D, BH)
    if i_slot < 0:
        return  # padding row: nothing to keep
    rotate_heads(p_k + i_t * s_k, p_k_cache + i_slot * HK * D, b_cos, b_sin, HK, D, BHK)
    o_w = tl.arange(0, BHK * D)  # [BHK * D]
    m_w = o_w < HK * D  # [BHK * D]
    b_v = tl.load(p_v + i_t * s_v + o_w, mask=m_w, other=0.0)  # [BHK * D]
    tl.store(p_v_cache + i_slot * HK * D + o_w, b_v.to(p_v_cache.dtype.element_ty), mask=m_w)


def _constants(width: int) -> dict[str, int]:
    return {"WIDTH": width, "BW": triton.next_power_of_2(width)}


def _rope_constants(heads: int, kv_heads: int, head_dim: int) -> dict[str, int]:
    blocks = {"BH": triton.next_power_of_2(heads), "BHK": triton.next_power_of_2(kv_heads)}
    return {"H": heads, "HK": kv_heads, "D": head_dim, **blocks}


def kv_write_triton(k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, slot_mapping: Tensor) -> None:
    """Launch one program a token; arguments are already checked by the api.

    Raises: :class:`DtypeError`, :class:`BackendError` for what would compute wrongly or not at all.
    """
    check_triton_dtype(k)
    write_kernel[(k.shape[0],)](
        k,
        v,
        k_cache,
        v_cache,
        slot_mapping,
        k.stride(0),
        v.stride(0),
        **_constants(k.shape[1] * k.shape[2]),
        num_warps=tables_of(k.device).rows["kv_write"].num_warps,
        num_stages=WRITE_STAGES,
        **COMPILE_OPTIONS,
    )


def rope_kv_write_triton(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cos: Tensor,
    sin: Tensor,
    positions: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    slot_mapping: Tensor,
) -> Tensor:
    """Launch one program a token; arguments are already checked by the api.

    Raises: :class:`DtypeError`, :class:`BackendError` for what would compute wrongly or not at all.
    """
    check_triton_dtype(k_cache)
    out = torch.empty(q.shape, dtype=k_cache.dtype, device=q.device)
    if q.shape[0] == 0:
        return out
    rope_kernel[(q.shape[0],)](
        q,
        k,
        v,
        out,
        k_cache,
        v_cache,
        cos,
        sin,
        positions,
        slot_mapping,
        q.stride(0),
        k.stride(0),
        v.stride(0),
        **_rope_constants(q.shape[1], k.shape[1], q.shape[2]),
        num_warps=tables_of(q.device).rows["kv_write"].num_warps,
        num_stages=WRITE_STAGES,
        **COMPILE_OPTIONS,
    )
    return out


def variants(pinned: Tables) -> Iterator[Variant]:
    """What the ahead-of-time gate compiles: the widths that common models launch, 16-bit and fp32 rows."""
    warps = pinned.rows["kv_write"].num_warps
    for model, geometry in MODELS.items():
        heads, kv_heads, dim = geometry.num_heads, geometry.num_kv_heads, geometry.head_dim
        yield Variant(
            name=f"kv_write/{model}/bf16",
            kernel=write_kernel,
            pointers=dict.fromkeys(("p_k", "p_v", "p_k_cache", "p_v_cache"), "bf16") | {"p_slot": "i64"},
            scalars={"s_k": "i32", "s_v": "i32"},
            aligned=frozenset({"p_k", "p_v", "p_k_cache", "p_v_cache", "s_k", "s_v"}),
            constants=_constants(kv_heads * dim),
            num_warps=warps,
            num_stages=WRITE_STAGES,
        )
        inputs, caches = ("p_q", "p_k", "p_v"), ("p_out", "p_k_cache", "p_v_cache")
        angles = ("p_cos", "p_sin")
        yield Variant(
            name=f"kv_write.rope/{model}/bf16",
            kernel=rope_kernel,
            pointers=dict.fromkeys((*inputs, *caches), "bf16")
            | dict.fromkeys(angles, "fp32")
            | {"p_position": "i64", "p_slot": "i64"},
            scalars={"s_q": "i32", "s_k": "i32", "s_v": "i32"},
            aligned=frozenset({*inputs, *caches, *angles, "s_q", "s_k", "s_v"}),
            constants=_rope_constants(heads, kv_heads, dim),
            num_warps=warps,
            num_stages=WRITE_STAGES,
        )
