"""Which implementation runs: Triton or the eager reference."""

import os
from typing import Literal

import torch

from llmnet.kernels.errors import BackendError, DtypeError

Backend = Literal["triton", "reference"]

HALF_DTYPES = (torch.float16, torch.bfloat16)
FLOAT_DTYPES = (torch.float32, *HALF_DTYPES)
NEEDS_CUDA = "Triton needs CUDA tensors; set TRITON_INTERPRET=1 before Triton is imported to run on CPU"


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
        raise BackendError(NEEDS_CUDA)
    if tensor.dtype not in HALF_DTYPES:
        raise DtypeError(
            f"no pinned Triton configuration for {tensor.dtype}: use bfloat16, float16 or 'reference'"
        )


def choose_row_backend(asked: str | None, tensor: torch.Tensor) -> Backend:
    """As :func:`choose_backend` for kernels that work row by row, which have no pinned tiles and so take fp32
    on a GPU as well: CUDA tensors go to Triton whatever their type.
    """
    if asked is None:
        return "triton" if tensor.is_cuda else "reference"
    if asked == "triton" and tensor.is_cuda and not interpreting():
        return "triton"
    return choose_backend(asked, tensor)


def check_interpreter_dtype(*kinds: torch.Tensor | torch.dtype) -> None:
    """Refuse, inside the interpreter, every type that it computes wrongly.

    Raises: :class:`BackendError` for a CPU tensor outside the interpreter, :class:`DtypeError` for bf16
    inside it.
    """
    for kind in kinds:
        dtype = kind if isinstance(kind, torch.dtype) else kind.dtype
        if interpreting() and dtype is torch.bfloat16:
            raise DtypeError(f"the Triton interpreter computes {dtype} wrongly: use float32 or float16")
        if isinstance(kind, torch.Tensor) and not interpreting() and not kind.is_cuda:
            raise BackendError(NEEDS_CUDA)


def choose_integer_backend(asked: str | None, tensor: torch.Tensor) -> Backend:
    """As :func:`choose_backend` for kernels of integers: CUDA tensors go to Triton.

    Raises: :class:`BackendError`.
    """
    if asked not in (None, "reference", "triton"):
        raise BackendError(f"unknown backend {asked!r}: use 'triton', 'reference' or None")
    if asked is None:
        return "triton" if tensor.is_cuda else "reference"
    return "triton" if asked == "triton" else "reference"


def check_integer_backend(tensor: torch.Tensor) -> None:
    """Refuse to launch where Triton cannot run. Raises: :class:`BackendError`."""
    if not interpreting() and not tensor.is_cuda:
        raise BackendError(NEEDS_CUDA)
