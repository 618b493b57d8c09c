"""SwiGLU: validate, then dispatch to Triton or to the reference."""

import torch
from torch import Tensor

from llmnet.kernels._checks import check_matrix, check_one_device
from llmnet.kernels._dispatch import FLOAT_DTYPES, choose_row_backend
from llmnet.kernels.errors import DtypeError, ShapeError
from llmnet.kernels.swiglu.reference import swiglu_reference


def swiglu(
    gate: Tensor, up: Tensor, backend: str | None = None, *, out_dtype: torch.dtype | None = None
) -> Tensor:
    """``silu(gate) * up``, element by element in fp32 (Shazeer 2020).

    ``gate``, ``up``: ``[rows, width]`` in one dtype; their rows may be strided, so both may be slices of one
    fused projection. ``out_dtype``: of the result (default: of ``gate``). Returns ``[rows, width]``. Raises:
    :class:`ShapeError`, :class:`DtypeError`, :class:`LayoutError`, :class:`BackendError`.
    """
    check_matrix("gate", gate)
    check_matrix("up", up)
    kind = out_dtype or gate.dtype
    if gate.shape != up.shape:
        raise ShapeError(f"gate and up must be alike, got {tuple(gate.shape)} and {tuple(up.shape)}")
    if gate.dtype != up.dtype or gate.dtype not in FLOAT_DTYPES or kind not in FLOAT_DTYPES:
        raise DtypeError(
            f"gate and up must share one of {FLOAT_DTYPES}, got {gate.dtype} and {up.dtype} for {kind}"
        )
    check_one_device(gate, up)
    if choose_row_backend(backend, gate) == "reference":
        return swiglu_reference(gate, up, kind)
    from llmnet.kernels.swiglu.triton import swiglu_triton  # Triton is imported when it runs

    return swiglu_triton(gate, up, kind)
