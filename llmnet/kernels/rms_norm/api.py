"""Root-mean-square norm: validate, then dispatch to Triton or to the reference."""

import torch
from torch import Tensor

from llmnet.kernels._checks import check_matrix, check_one_device
from llmnet.kernels._dispatch import FLOAT_DTYPES, choose_row_backend
from llmnet.kernels.errors import DtypeError, ShapeError
from llmnet.kernels.rms_norm.reference import rms_norm_reference

MAX_WIDTH = 1 << 15
"""Widest row that one program holds in registers."""


def rms_norm(
    x: Tensor, weight: Tensor, eps: float, backend: str | None = None, *, out_dtype: torch.dtype | None = None
) -> Tensor:
    """``x / sqrt(mean(x^2) + eps) * weight`` of each row, in fp32 (Zhang and Sennrich 2019).

    ``x``: ``[rows, width]``, rows may be strided; ``weight``: ``[width]``; ``out_dtype``: of the result
    (default: of ``x``). Returns ``[rows, width]``. Raises: :class:`ShapeError`, :class:`DtypeError`,
    :class:`LayoutError`, :class:`BackendError`.
    """
    kind = out_dtype or x.dtype
    _check(x, weight, eps, kind)
    if choose_row_backend(backend, x) == "reference":
        return rms_norm_reference(x, weight, eps, kind)
    from llmnet.kernels.rms_norm.triton import rms_norm_triton  # Triton is imported when it runs

    return rms_norm_triton(x, None, weight, eps, kind)[0]


def add_rms_norm(
    x: Tensor,
    residual: Tensor,
    weight: Tensor,
    eps: float,
    backend: str | None = None,
    *,
    out_dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    """Add a branch to the residual stream and norm the sum: ``(rms_norm(residual + x), residual + x)``.

    ``x``: ``[rows, width]`` in any float type; ``residual``: fp32 ``[rows, width]``, left as it is;
    ``out_dtype``: of the norm (default: of ``x``). Returns the norm and the new residual, fp32. Raises: as
    :func:`rms_norm`.
    """
    kind = out_dtype or x.dtype
    _check(x, weight, eps, kind)
    check_matrix("residual", residual)
    if residual.shape != x.shape:
        raise ShapeError(f"residual must be {tuple(x.shape)} as x is, got {tuple(residual.shape)}")
    if residual.dtype != torch.float32:
        raise DtypeError(f"the residual stream is float32, got {residual.dtype}")
    check_one_device(x, residual)
    if choose_row_backend(backend, x) == "reference":
        total = residual + x.float()
        return rms_norm_reference(total, weight, eps, kind), total
    from llmnet.kernels.rms_norm.triton import rms_norm_triton  # Triton is imported when it runs

    return rms_norm_triton(x, residual, weight, eps, kind)


def _check(x: Tensor, weight: Tensor, eps: float, kind: torch.dtype) -> None:
    check_matrix("x", x)
    if weight.shape != x.shape[1:] or not 0 < x.shape[1] <= MAX_WIDTH or not weight.is_contiguous():
        raise ShapeError(
            f"x must be [rows, width up to {MAX_WIDTH}] and weight dense [width], "
            f"got {tuple(x.shape)} and {tuple(weight.shape)}"
        )
    if any(dtype not in FLOAT_DTYPES for dtype in (x.dtype, weight.dtype, kind)):
        raise DtypeError(
            f"x, weight and the result must be of {FLOAT_DTYPES}, got {x.dtype}, {weight.dtype}, {kind}"
        )
    if not 0.0 < eps < float("inf"):
        raise ShapeError(f"eps must be positive and finite, got {eps}")
    check_one_device(x, weight)
