"""Matrix product: validate, then dispatch to Triton or to the reference."""

import torch
from torch import Tensor

from llmnet.kernels._checks import check_matrix, check_one_device
from llmnet.kernels._dispatch import FLOAT_DTYPES, choose_backend
from llmnet.kernels.errors import DtypeError, ShapeError
from llmnet.kernels.matmul.reference import matmul_reference


def matmul(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    backend: str | None = None,
    *,
    out_dtype: torch.dtype | None = None,
) -> Tensor:
    """``x weight^T + bias``: the product of a linear layer.

    ``x``: ``[rows, in]``, rows may be strided; ``weight``: ``[out, in]`` in the same dtype; ``bias``:
    ``[out]`` or None; ``out_dtype``: that of the result (default: of ``x``). Products are summed in fp32
    over ascending steps of 64, whatever the number of rows, and rounded once; the Triton kernel gives a row
    the same bits in every batch, the reference promises that only as far as torch does. 16-bit inputs need
    ``in`` to be a multiple of 8 for the bulk copies of the Triton path.

    Returns ``[rows, out]``. Raises: :class:`ShapeError`, :class:`DtypeError`, :class:`LayoutError`,
    :class:`BackendError`.
    """
    check_matrix("x", x)
    check_matrix("weight", weight)
    if x.shape[1] != weight.shape[1] or weight.shape[0] == 0 or x.shape[1] == 0:
        raise ShapeError(
            f"x [rows, in] times weight [out, in] needs one 'in', got {tuple(x.shape)} and {tuple(weight.shape)}"
        )
    if bias is not None and (bias.shape != weight.shape[:1] or not bias.is_contiguous()):
        raise ShapeError(f"bias must be dense [{weight.shape[0]}], got {tuple(bias.shape)}")
    kind = out_dtype or x.dtype
    kinds = {x.dtype, weight.dtype, *(() if bias is None else (bias.dtype,))}
    if len(kinds) != 1 or x.dtype not in FLOAT_DTYPES or kind not in FLOAT_DTYPES:
        raise DtypeError(
            f"x, weight and bias must share one of {FLOAT_DTYPES}, got {sorted(map(str, kinds))}"
        )
    check_one_device(x, weight, *(() if bias is None else (bias,)))
    if choose_backend(backend, x) == "reference":
        return matmul_reference(x, weight, bias, kind)
    from llmnet.kernels.matmul.triton import matmul_triton  # Triton is imported when it runs

    return matmul_triton(x, weight, bias, kind)
