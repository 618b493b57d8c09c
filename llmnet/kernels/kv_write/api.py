"""Cache writes: validate, then dispatch to Triton or to the reference."""

import torch
from torch import Tensor

from llmnet.kernels._checks import check_cache, check_one_device, check_rows
from llmnet.kernels._dispatch import FLOAT_DTYPES, choose_backend
from llmnet.kernels.errors import DtypeError, LayoutError, LengthError, ShapeError
from llmnet.kernels.kv_write.reference import kv_write_reference, rope_kv_write_reference


def kv_write(
    k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, slot_mapping: Tensor, backend: str | None = None
) -> None:
    """Store row i of ``k`` and ``v`` at slot ``slot_mapping[i]`` of the caches, in place.

    ``k``, ``v``: ``[tokens, num_kv_heads, head_dim]``; caches: ``[num_pages, page_size, num_kv_heads,
    head_dim]``; ``slot_mapping``: int64 ``[tokens]``, ``page * page_size + offset``, negative for a padding
    row that is not stored. Slots must differ from each other: two rows for one slot leave either of them
    there.

    Raises: :class:`ShapeError`, :class:`DtypeError`, :class:`LayoutError`, :class:`BackendError`, and on a
    CPU :class:`LengthError` for a slot past the end of the cache, before anything is written.
    """
    _check_write(k, v, k_cache, v_cache, slot_mapping)
    if k.dtype != k_cache.dtype or v.dtype != k_cache.dtype:
        raise DtypeError(f"k and v must be {k_cache.dtype} as the cache is, got {k.dtype} and {v.dtype}")
    if k.shape[0] == 0:
        return
    if choose_backend(backend, k) == "reference":
        kv_write_reference(k, v, k_cache, v_cache, slot_mapping)
        return
    from llmnet.kernels.kv_write.triton import kv_write_triton  # Triton is imported when it runs

    kv_write_triton(k, v, k_cache, v_cache, slot_mapping)


def rope_kv_write(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cos: Tensor,
    sin: Tensor,
    positions: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    slot_mapping: Tensor,
    backend: str | None = None,
) -> Tensor:
    """Rotate queries and keys to their positions, keep keys and values in the caches, return the queries.

    ``q``: ``[tokens, num_heads, head_dim]``; ``k``, ``v``: ``[tokens, num_kv_heads, head_dim]``, in any
    float type (rounded to the cache's once, after the rotation); ``cos``, ``sin``: fp32 ``[context, head_dim
    / 2]``; ``positions``: int64 ``[tokens]``, rows of those tables; caches and ``slot_mapping`` as in
    :func:`kv_write`.

    Returns rotated queries ``[tokens, num_heads, head_dim]`` in the cache's dtype, for padding rows too.
    Raises: as :func:`kv_write`, and on a CPU :class:`LengthError` for a position outside the tables.
    """
    _check_write(k, v, k_cache, v_cache, slot_mapping)
    head_dim = k_cache.shape[3]
    if q.dim() != 3 or q.shape[0] != k.shape[0] or q.shape[2] != head_dim or q.shape[1] % k.shape[1]:
        raise ShapeError(
            f"q must be [{k.shape[0]}, a multiple of {k.shape[1]}, {head_dim}], got {tuple(q.shape)}"
        )
    if cos.shape != sin.shape or cos.dim() != 2 or cos.shape[1] != head_dim // 2:
        raise ShapeError(
            f"cos and sin must be [positions, {head_dim // 2}], got {tuple(cos.shape)} and {tuple(sin.shape)}"
        )
    if positions.shape != k.shape[:1]:
        raise ShapeError(f"positions must be [{k.shape[0]}], got {tuple(positions.shape)}")
    if q.dtype not in FLOAT_DTYPES or k.dtype not in FLOAT_DTYPES or v.dtype not in FLOAT_DTYPES:
        raise DtypeError(f"q, k and v must be of {FLOAT_DTYPES}, got {q.dtype}, {k.dtype} and {v.dtype}")
    if cos.dtype != torch.float32 or sin.dtype != torch.float32 or positions.dtype != torch.int64:
        raise DtypeError(
            f"cos and sin must be float32 and positions int64, got {cos.dtype}, {sin.dtype}, {positions.dtype}"
        )
    if not (cos.is_contiguous() and sin.is_contiguous() and positions.is_contiguous()):
        raise LayoutError("cos, sin and positions must be contiguous: call .contiguous()")
    check_rows("q", q)
    check_one_device(q, cos, sin, positions, k_cache)
    _check_positions(positions, cos.shape[0])
    arguments = (q, k, v, cos, sin, positions, k_cache, v_cache, slot_mapping)
    if choose_backend(backend, k_cache) == "reference":
        return rope_kv_write_reference(*arguments)
    from llmnet.kernels.kv_write.triton import rope_kv_write_triton  # Triton is imported when it runs

    return rope_kv_write_triton(*arguments)


def _check_write(k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, slot_mapping: Tensor) -> None:
    check_cache(k_cache, v_cache)
    if k.dim() != 3 or k.shape[1:] != k_cache.shape[2:] or k.shape != v.shape:
        raise ShapeError(
            f"k and v must be [tokens, {k_cache.shape[2]}, {k_cache.shape[3]}], got {k.shape}, {v.shape}"
        )
    if slot_mapping.shape != k.shape[:1] or slot_mapping.stride(0) != 1:
        raise ShapeError(f"slot_mapping must be dense [{k.shape[0]}], got {tuple(slot_mapping.shape)}")
    if slot_mapping.dtype != torch.int64:
        raise DtypeError(f"slot_mapping must be int64, got {slot_mapping.dtype}")
    check_rows("k", k)
    check_rows("v", v)
    check_one_device(k, v, k_cache, v_cache, slot_mapping)
    slots = k_cache.shape[0] * k_cache.shape[1]
    if k.shape[0] and not k.is_cuda and int(slot_mapping.max()) >= slots:
        raise LengthError(f"slot {int(slot_mapping.max())} is outside the cache of {slots} slots")


def _check_positions(positions: Tensor, limit: int) -> None:
    if positions.is_cuda or positions.shape[0] == 0:
        return
    lowest, highest = int(positions.min()), int(positions.max())
    if lowest < 0 or highest >= limit:
        raise LengthError(f"positions {lowest}..{highest} are outside the tables of {limit} positions")
