"""Which implementation runs: Triton or the eager reference."""

import os
from typing import Literal

import torch

from llmnet.kernels.errors import BackendError, DtypeError

Backend = Literal["triton", "reference"]

HALF_DTYPES = (torch.float16, torch.bfloat16)
FLOAT_DTYPES = (torch.float32, *HALF_DTYPES)


def interpreting() -> bool:
    """Whether Triton kernels run in its numpy interpreter (``TRITON_INTERPRET=1``)."""
    return os.environ.get("TRITON_INTERPRET", "0") in {"1", "true", "on"}


def choose_backend(asked: str | None, tensor: torch.Tensor) -> Backend:
    """Pick the implementation for ``tensor``, or check the one ``asked`` for.

    Unasked, CUDA tensors in fp16 or bf16 go to Triton and everything else to the reference. ``"triton"`` on
    CPU tensors needs the interpreter, which in turn knows no bf16 (its arithmetic is wrong without an error).

    Raises: :class:`BackendError`, :class:`DtypeError`.
    """
    if asked is None:
        return "triton" if tensor.is_cuda and tensor.dtype in HALF_DTYPES else "reference"
    if asked == "reference":
        return "reference"
    if asked != "triton":
        raise BackendError(f"unknown backend {asked!r}: use 'triton', 'reference' or None")
    check_triton_dtype(tensor)
    return "triton"


def check_triton_dtype(tensor: torch.Tensor) -> None:
    """Refuse what Triton would compute wrongly or could not run here.

    Raises: :class:`BackendError` for a CPU tensor outside the interpreter, :class:`DtypeError` for bf16
    inside it and for fp32 on a GPU.
    """
    if interpreting():
        if tensor.dtype not in (torch.float32, torch.float16):
            raise DtypeError(
                f"the Triton interpreter computes {tensor.dtype} wrongly: use float32 or float16"
            )
        return
    if not tensor.is_cuda:
        raise BackendError(
            "Triton needs CUDA tensors; set TRITON_INTERPRET=1 before Triton is imported to run on CPU"
        )
    if tensor.dtype not in HALF_DTYPES:
        raise DtypeError(
            f"no pinned Triton configuration for {tensor.dtype}: use bfloat16, float16 or 'reference'"
        )
