# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""Cache write in Triton: one program copies the key and value of one token."""

from collections.abc import Iterator

import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._config import COMPILE_OPTIONS
from llmnet.kernels._dispatch import check_triton_dtype
from llmnet.kernels._variant import Variant

WRITE_WARPS = 4
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


def _constants(width: int) -> dict[str, int]:
    return {"WIDTH": width, "BW": triton.next_power_of_2(width)}


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
        num_warps=WRITE_WARPS,
        num_stages=WRITE_STAGES,
        **COMPILE_OPTIONS,
    )


def variants() -> Iterator[Variant]:
    """What the ahead-of-time gate compiles: the widths that common models launch."""
    for model, width in {"llama-8b": 8 * 128, "smollm2-135m": 3 * 64}.items():
        yield Variant(
            name=f"kv_write/{model}/bf16",
            kernel=write_kernel,
            pointers=dict.fromkeys(("p_k", "p_v", "p_k_cache", "p_v_cache"), "bf16") | {"p_slot": "i64"},
            scalars={"s_k": "i32", "s_v": "i32"},
            aligned=frozenset({"p_k", "p_v", "p_k_cache", "p_v_cache", "s_k", "s_v"}),
            constants=_constants(width),
            num_warps=WRITE_WARPS,
            num_stages=WRITE_STAGES,
            wgmma=False,
        )
