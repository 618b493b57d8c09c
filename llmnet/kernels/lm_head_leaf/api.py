"""The output layer: validate, then dispatch to Triton or to the reference."""

import torch
from torch import Tensor

from llmnet.kernels._checks import check_matrix, check_one_device
from llmnet.kernels._dispatch import FLOAT_DTYPES, choose_backend
from llmnet.kernels.errors import DtypeError, LengthError, ShapeError
from llmnet.kernels.lm_head_leaf.parts import CANDIDATES, LeafParts
from llmnet.kernels.lm_head_leaf.reference import lm_head_leaf_reference

MAX_VOCABULARY = 1 << 18
MAX_HIDDEN = 1 << 15


def lm_head_leaf(
    hidden: Tensor,
    weight: Tensor,
    logit_octets: Tensor,
    hidden_octets: Tensor,
    top_k: int = CANDIDATES,
    backend: str | None = None,
    *,
    slots: Tensor | None = None,
    return_logits: bool = False,
) -> LeafParts:
    """Logits ``z = hidden weight^T`` in fp32, reduced to what leaves are made of.

    ``hidden``: final normed hidden states ``[rows, D]``, rounded to the weight's dtype for the product and
    taken as they are for their sketch; ``weight``: ``[V, D]``, the output matrix; ``logit_octets``: uint8
    ``[requests, V]`` and ``hidden_octets``: uint8 ``[requests, D]`` from :func:`llmnet.kernels.sign_octets`;
    ``slots``: int64 ``[rows]``, the request of each row (default: row i is of request i); ``top_k``: up to
    32. The logits are written only with ``return_logits``.

    Returns :class:`LeafParts`. Raises: :class:`ShapeError`, :class:`DtypeError`, :class:`LayoutError`,
    :class:`BackendError`.
    """
    _check(hidden, weight, logit_octets, hidden_octets, top_k)
    slots = _checked_slots(hidden, logit_octets, slots)
    if choose_backend(backend, weight) == "reference":
        octets = logit_octets[slots], hidden_octets[slots]
        return lm_head_leaf_reference(hidden, weight, *octets, top_k, return_logits)
    from llmnet.kernels.lm_head_leaf.triton import lm_head_leaf_triton  # Triton is imported when it runs

    return lm_head_leaf_triton(hidden, weight, logit_octets, hidden_octets, slots, top_k, return_logits)


def _check(hidden: Tensor, weight: Tensor, logit_octets: Tensor, hidden_octets: Tensor, top_k: int) -> None:
    check_matrix("hidden", hidden)
    check_matrix("weight", weight)
    size = weight.shape[0]
    if hidden.shape[1] != weight.shape[1] or not 0 < hidden.shape[1] <= MAX_HIDDEN:
        raise ShapeError(
            f"hidden [rows, D] and weight [V, D] need one D up to {MAX_HIDDEN}, "
            f"got {tuple(hidden.shape)} and {tuple(weight.shape)}"
        )
    if not CANDIDATES <= size <= MAX_VOCABULARY:
        raise ShapeError(f"the vocabulary must have {CANDIDATES}..{MAX_VOCABULARY} tokens, got {size}")
    if not 1 <= top_k <= CANDIDATES:
        raise ShapeError(f"top_k must be 1..{CANDIDATES}, got {top_k}")
    for name, octets, width in (
        ("logit_octets", logit_octets, size),
        ("hidden_octets", hidden_octets, hidden.shape[1]),
    ):
        check_matrix(name, octets)
        if octets.shape != (len(logit_octets), width):
            raise ShapeError(f"{name} must be [requests, {width}], got {tuple(octets.shape)}")
        if octets.dtype != torch.uint8:
            raise DtypeError(f"{name} must be uint8, got {octets.dtype}")
    if hidden.dtype not in FLOAT_DTYPES or weight.dtype not in FLOAT_DTYPES:
        raise DtypeError(
            f"hidden and weight must be of {FLOAT_DTYPES}, got {hidden.dtype} and {weight.dtype}"
        )
    check_one_device(hidden, weight, logit_octets, hidden_octets)


def _checked_slots(hidden: Tensor, octets: Tensor, slots: Tensor | None) -> Tensor:
    """The request of each row. Raises: as :func:`lm_head_leaf`, and on a CPU :class:`LengthError`."""
    rows, requests = hidden.shape[0], octets.shape[0]
    if slots is None:
        if requests != rows:
            raise ShapeError(f"{requests} requests for {rows} rows: give the request of each row as slots")
        return torch.arange(rows, device=hidden.device)
    if slots.shape != (rows,) or not slots.is_contiguous():
        raise ShapeError(f"slots must be dense [{rows}], got {tuple(slots.shape)}")
    if slots.dtype != torch.int64:
        raise DtypeError(f"slots must be int64, got {slots.dtype}")
    check_one_device(hidden, slots)
    if rows and not slots.is_cuda and not 0 <= int(slots.min()) <= int(slots.max()) < requests:
        raise LengthError(f"slots {int(slots.min())}..{int(slots.max())} are outside of {requests} requests")
    return slots
