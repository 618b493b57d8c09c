# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""The gate in Triton: one program a row and block of columns; no sums, so no order of them."""

from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._config import COMPILE_OPTIONS, Tables, tables_of
from llmnet.kernels._dispatch import check_interpreter_dtype
from llmnet.kernels._variant import Variant

BLOCK = 1024
GATE_STAGES = 1


@triton.jit
def swiglu_kernel(
    p_gate,  # [rows, width], rows s_gate apart
    p_up,  # [rows, width], rows s_up apart
    p_out,  # [rows, width]
    width,
    s_gate,
    s_up,
    BW: tl.constexpr,
):
    i_row = tl.program_id(0).to(tl.int64)
    o_w = tl.program_id(1) * BW + tl.arange(0, BW)  # [BW]
    m_w = o_w < width  # [BW]
    b_gate = tl.load(p_gate + i_row * s_gate + o_w, mask=m_w, other=0.0).to(tl.float32)  # [BW]
    b_up = tl.load(p_up + i_row * s_up + o_w, mask=m_w, other=0.0).to(tl.float32)  # [BW]
    b_small = tl.exp(-tl.abs(b_gate))  # [BW]: at most 1, so nothing overflows
    b_share = tl.where(b_gate < 0.0, b_small, 1.0) / (1.0 + b_small)  # [BW]: the logistic function
    b_out = b_gate * b_share * b_up  # [BW]
    tl.store(p_out + i_row * width + o_w, b_out.to(p_out.dtype.element_ty), mask=m_w)


def swiglu_triton(gate: Tensor, up: Tensor, out_dtype: torch.dtype) -> Tensor:
    """Launch over rows and blocks of columns; arguments are already checked by the api.

    Raises: :class:`DtypeError`, :class:`BackendError` for what would compute wrongly or not at all.
    """
    check_interpreter_dtype(gate, up, out_dtype)
    rows, width = gate.shape
    out = torch.empty((rows, width), dtype=out_dtype, device=gate.device)
    if rows == 0 or width == 0:
        return out
    swiglu_kernel[(rows, triton.cdiv(width, BLOCK))](
        gate,
        up,
        out,
        width,
        gate.stride(0),
        up.stride(0),
        BW=BLOCK,
        num_warps=tables_of(gate.device).rows["swiglu"].num_warps,
        num_stages=GATE_STAGES,
        **COMPILE_OPTIONS,
    )
    return out


def variants(pinned: Tables) -> Iterator[Variant]:
    """What the ahead-of-time gate compiles."""
    for dtype in ("bf16", "fp16"):
        yield Variant(
            name=f"swiglu/{dtype}",
            kernel=swiglu_kernel,
            pointers=dict.fromkeys(("p_gate", "p_up", "p_out"), dtype),
            scalars=dict.fromkeys(("width", "s_gate", "s_up"), "i32"),
            aligned=frozenset({"p_gate", "p_up", "p_out", "width", "s_gate", "s_up"}),
            constants={"BW": BLOCK},
            num_warps=pinned.rows["swiglu"].num_warps,
            num_stages=GATE_STAGES,
        )
