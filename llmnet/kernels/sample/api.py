"""The sampler: validate, then dispatch to Triton or to the reference."""

import torch
from torch import Tensor

from llmnet.kernels._checks import check_keys, check_one_device, check_word_range
from llmnet.kernels._dispatch import choose_integer_backend
from llmnet.kernels.errors import DtypeError, LayoutError, LengthError, ShapeError
from llmnet.kernels.sample.reference import sample_reference

MAX_CANDIDATES = 32
MAX_TEMPERATURE = (1 << 16) - 1


def sample(
    logprobs: Tensor,
    ids: Tensor,
    temperatures: Tensor,
    keys: Tensor,
    positions: Tensor,
    backend: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The winning candidate of each row: highest score, ties to the lower id (docs/protocol.md, sections 5
    and 6).

    ``logprobs``: int16 ``[rows, k]`` in 1/256 nat, none positive, k up to 32; ``ids``: int64 ``[rows, k]``,
    distinct in a row; ``temperatures``: int64 ``[rows]`` in 1/256, 0 is greedy; ``keys``: int64 ``[rows, 2]``,
    the first two little-endian words of the request's seed; ``positions``: int64 ``[rows]``, of the output
    token. Candidates may come in any order. Integers throughout, so every backend gives the same answer.

    Returns index of the winner and its id, both int64 ``[rows]``. Raises: :class:`ShapeError`,
    :class:`DtypeError`, :class:`LayoutError`, :class:`BackendError`, and on a CPU :class:`LengthError` for
    values outside their ranges.
    """
    if logprobs.dim() != 2 or logprobs.shape != ids.shape or not 0 < logprobs.shape[1] <= MAX_CANDIDATES:
        raise ShapeError(
            f"logprobs and ids must be [rows, 1..{MAX_CANDIDATES}], "
            f"got {tuple(logprobs.shape)} and {tuple(ids.shape)}"
        )
    rows = logprobs.shape[:1]
    if temperatures.shape != rows or positions.shape != rows or keys.shape[:1] != rows:
        raise ShapeError(
            f"{rows[0]} rows need as many temperatures, keys and positions, "
            f"got {tuple(temperatures.shape)}, {tuple(keys.shape)} and {tuple(positions.shape)}"
        )
    if logprobs.dtype != torch.int16 or {ids.dtype, temperatures.dtype, positions.dtype} != {torch.int64}:
        raise DtypeError(
            f"logprobs must be int16 and ids, temperatures and positions int64, "
            f"got {logprobs.dtype}, {ids.dtype}, {temperatures.dtype}, {positions.dtype}"
        )
    for name, tensor in (
        ("logprobs", logprobs),
        ("ids", ids),
        ("temperatures", temperatures),
        ("positions", positions),
    ):
        if not tensor.is_contiguous():
            raise LayoutError(f"{name} must be contiguous: call .contiguous()")
    check_keys(keys)
    check_one_device(logprobs, ids, temperatures, keys, positions)
    _check_values(logprobs, ids, temperatures, positions)
    if choose_integer_backend(backend, logprobs) == "reference":
        return sample_reference(logprobs, ids, temperatures, keys, positions)
    from llmnet.kernels.sample.triton import sample_triton  # Triton is imported when it runs

    return sample_triton(logprobs, ids, temperatures, keys, positions)


def _check_values(logprobs: Tensor, ids: Tensor, temperatures: Tensor, positions: Tensor) -> None:
    if logprobs.is_cuda or logprobs.numel() == 0:
        return
    if int(logprobs.max()) > 0:
        raise LengthError(f"log-probs must not be positive, got {int(logprobs.max())}")
    lowest, highest = int(temperatures.min()), int(temperatures.max())
    if lowest < 0 or highest > MAX_TEMPERATURE:
        raise LengthError(f"temperatures must be 0..{MAX_TEMPERATURE}, got {lowest}..{highest}")
    check_word_range("ids", ids)
    check_word_range("positions", positions)
