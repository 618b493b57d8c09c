# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""The norm in Triton: one program a row, the whole row in one block of fixed size."""

from collections.abc import Iterator

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._config import COMPILE_OPTIONS, Tables, tables_of
from llmnet.kernels._dispatch import check_interpreter_dtype
from llmnet.kernels._variant import WIDTHS, Variant

NORM_STAGES = 1


@triton.jit
def norm_kernel(
    p_x,  # [rows, W], rows s_x apart
    p_residual,  # [rows, W] fp32, rows s_residual apart
    p_weight,  # [W]
    p_out,  # [rows, W]
    p_total,  # [rows, W] fp32
    s_x,
    s_residual,
    eps,
    W: tl.constexpr,
    BW: tl.constexpr,
    ADD: tl.constexpr,
):
    i_row = tl.program_id(0).to(tl.int64)
    o_w = tl.arange(0, BW)  # [BW]
    m_w = o_w < W  # [BW]
    b_x = tl.load(p_x + i_row * s_x + o_w, mask=m_w, other=0.0).to(tl.float32)  # [BW]
    if ADD:
        b_x = tl.load(p_residual + i_row * s_residual + o_w, mask=m_w, other=0.0) + b_x  # [BW]
        tl.store(p_total + i_row * W + o_w, b_x, mask=m_w)
    b_weight = tl.load(p_weight + o_w, mask=m_w, other=0.0).to(tl.float32)  # [BW]
    b_scale = 1.0 / tl.sqrt(tl.sum(b_x * b_x, 0) / W + eps)
    tl.store(p_out + i_row * W + o_w, (b_x * b_scale * b_weight).to(p_out.dtype.element_ty), mask=m_w)


def _constants(width: int, add: bool) -> dict[str, int]:
    return {"W": width, "BW": triton.next_power_of_2(width), "ADD": add}


def rms_norm_triton(
    x: Tensor, residual: Tensor | None, weight: Tensor, eps: float, out_dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Launch one program a row; arguments are already checked by the api. Without a ``residual`` the second
    result is ``x``.

    Raises: :class:`DtypeError`, :class:`BackendError` for what would compute wrongly or not at all.
    """
    check_interpreter_dtype(x, weight, out_dtype)
    rows, width = x.shape
    out = torch.empty((rows, width), dtype=out_dtype, device=x.device)
    total = x if residual is None else torch.empty((rows, width), dtype=torch.float32, device=x.device)
    if rows == 0:
        return out, total
    norm_kernel[(rows,)](
        x,
        x if residual is None else residual,
        weight,
        out,
        total,
        x.stride(0),
        x.stride(0) if residual is None else residual.stride(0),
        eps,
        **_constants(width, residual is not None),
        num_warps=tables_of(x.device).rows["rms_norm"].num_warps,
        num_stages=NORM_STAGES,
        **COMPILE_OPTIONS,
    )
    return out, total


def variants(pinned: Tables) -> Iterator[Variant]:
    """What the ahead-of-time gate compiles: the widths that common models launch, with and without the
    residual."""
    for model, width in WIDTHS.items():
        for add in (False, True):
            source, stream = ("bf16", "fp32") if add else ("fp32", "fp32")
            yield Variant(
                name=f"rms_norm{'.add' if add else ''}/{model}/bf16",
                kernel=norm_kernel,
                pointers={
                    "p_x": source,
                    "p_residual": stream,
                    "p_weight": "fp32",
                    "p_out": "bf16",
                    "p_total": "fp32",
                },
                scalars={"s_x": "i32", "s_residual": "i32", "eps": "fp32"},
                aligned=frozenset({"p_x", "p_residual", "p_weight", "p_out", "p_total", "s_x", "s_residual"}),
                constants=_constants(width, add),
                num_warps=pinned.rows["rms_norm"].num_warps,
                num_stages=NORM_STAGES,
            )
