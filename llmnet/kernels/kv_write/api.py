"""Cache write: validate, then dispatch to Triton or to the reference."""

import torch
from torch import Tensor

from llmnet.kernels._checks import check_cache, check_one_device, check_rows
from llmnet.kernels._dispatch import choose_backend
from llmnet.kernels.errors import DtypeError, LengthError, ShapeError
from llmnet.kernels.kv_write.reference import kv_write_reference


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
    check_cache(k_cache, v_cache)
    if k.dim() != 3 or k.shape[1:] != k_cache.shape[2:] or k.shape != v.shape:
        raise ShapeError(
            f"k and v must be [tokens, {k_cache.shape[2]}, {k_cache.shape[3]}], got {k.shape}, {v.shape}"
        )
    if slot_mapping.shape != k.shape[:1] or slot_mapping.stride(0) != 1:
        raise ShapeError(f"slot_mapping must be dense [{k.shape[0]}], got {tuple(slot_mapping.shape)}")
    if slot_mapping.dtype != torch.int64 or k.dtype != k_cache.dtype or v.dtype != k_cache.dtype:
        raise DtypeError(
            f"slot_mapping must be int64 and k, v {k_cache.dtype}, "
            f"got {slot_mapping.dtype}, {k.dtype}, {v.dtype}"
        )
    check_rows("k", k)
    check_rows("v", v)
    check_one_device(k, v, k_cache, v_cache, slot_mapping)
    if k.shape[0] == 0:
        return
    slots = k_cache.shape[0] * k_cache.shape[1]
    if not k.is_cuda and int(slot_mapping.max()) >= slots:
        raise LengthError(f"slot {int(slot_mapping.max())} is outside the cache of {slots} slots")
    if choose_backend(backend, k) == "reference":
        kv_write_reference(k, v, k_cache, v_cache, slot_mapping)
        return
    from llmnet.kernels.kv_write.triton import kv_write_triton  # Triton is imported when it runs

    kv_write_triton(k, v, k_cache, v_cache, slot_mapping)
