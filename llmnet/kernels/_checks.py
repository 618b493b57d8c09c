"""Argument checks that the attention operators share. Shapes and layouts only: no device value is read."""

from dataclasses import dataclass

import torch
from torch import Tensor

from llmnet.kernels._config import HEAD_DIMS
from llmnet.kernels._dispatch import FLOAT_DTYPES
from llmnet.kernels.errors import DtypeError, LayoutError, LengthError, ShapeError


@dataclass(frozen=True)
class Geometry:
    """Sizes of one attention call: query heads, KV heads, head dimension, tokens a page."""

    num_heads: int
    num_kv_heads: int
    head_dim: int
    page_size: int

    @property
    def group(self) -> int:
        """Query heads that read the same KV head."""
        return self.num_heads // self.num_kv_heads


def check_attention(
    q: Tensor, k_cache: Tensor, v_cache: Tensor, page_table: Tensor, context_lens: Tensor, sm_scale: float
) -> Geometry:
    """Check everything about an attention call that can be known without reading values.

    Raises: :class:`ShapeError`, :class:`DtypeError`, :class:`LayoutError`.
    """
    check_cache(k_cache, v_cache)
    page_size, num_kv_heads, head_dim = k_cache.shape[1:]
    if q.dim() != 3 or q.shape[2] != head_dim:
        raise ShapeError(f"q must be [rows, heads, {head_dim}], got {tuple(q.shape)}")
    if q.shape[1] == 0 or q.shape[1] % num_kv_heads:
        raise ShapeError(f"{q.shape[1]} query heads are no multiple of {num_kv_heads} KV heads")
    if page_table.dim() != 2 or context_lens.shape != page_table.shape[:1]:
        raise ShapeError(
            f"page_table must be [batch, max_pages] and context_lens [batch], "
            f"got {tuple(page_table.shape)} and {tuple(context_lens.shape)}"
        )
    if q.dtype != k_cache.dtype:
        raise DtypeError(f"q is {q.dtype}, the cache is {k_cache.dtype}")
    check_rows("q", q)
    for name, tensor in (("page_table", page_table), ("context_lens", context_lens)):
        check_int32(name, tensor)
    check_one_device(q, k_cache, v_cache, page_table, context_lens)
    if not 0.0 < sm_scale < float("inf"):
        raise ShapeError(f"sm_scale must be positive and finite, got {sm_scale}")
    return Geometry(q.shape[1], num_kv_heads, head_dim, page_size)


def check_cache(k_cache: Tensor, v_cache: Tensor) -> None:
    """Check that both caches are ``[num_pages, page_size, num_kv_heads, head_dim]``, contiguous and alike."""
    if k_cache.dim() != 4 or k_cache.shape != v_cache.shape:
        raise ShapeError(
            f"caches must both be [num_pages, page_size, num_kv_heads, head_dim], "
            f"got {tuple(k_cache.shape)} and {tuple(v_cache.shape)}"
        )
    page_size, num_kv_heads, head_dim = k_cache.shape[1:]
    if head_dim not in HEAD_DIMS:
        raise ShapeError(f"head_dim {head_dim} has no pinned configuration: supported are {list(HEAD_DIMS)}")
    if page_size < 1 or page_size & (page_size - 1) or num_kv_heads < 1:
        raise ShapeError(
            f"page_size must be a power of two and num_kv_heads positive, got {page_size}, {num_kv_heads}"
        )
    if k_cache.dtype != v_cache.dtype or k_cache.dtype not in FLOAT_DTYPES:
        raise DtypeError(f"caches must share one of {FLOAT_DTYPES}, got {k_cache.dtype} and {v_cache.dtype}")
    if not (k_cache.is_contiguous() and v_cache.is_contiguous()):
        raise LayoutError("k_cache and v_cache must be contiguous: give each layer its own contiguous block")


def check_rows(name: str, tensor: Tensor) -> None:
    """Rows may be strided (a slice of a fused projection); inside a row ``[heads, head_dim]`` must be
    dense."""
    if tensor.stride(2) != 1 or (tensor.shape[1] > 1 and tensor.stride(1) != tensor.shape[2]):
        raise LayoutError(f"{name} must be dense in its last two dimensions: call .contiguous()")


def check_int32(name: str, tensor: Tensor) -> None:
    """Index tensors are int32 with a dense last dimension."""
    if tensor.dtype != torch.int32:
        raise DtypeError(f"{name} must be int32, got {tensor.dtype}")
    if tensor.numel() and tensor.stride(-1) != 1:
        raise LayoutError(f"{name} must be dense in its last dimension: call .contiguous()")


def check_one_device(*tensors: Tensor) -> None:
    """All tensors of a call live on one device."""
    devices = {tensor.device for tensor in tensors}
    if len(devices) != 1:
        raise LayoutError(f"arguments are spread over {sorted(map(str, devices))}: move them to one device")


def check_lengths(q_lens: list[int], context_lens: list[int], max_tokens: int) -> None:
    """Check host lengths: a context holds its own queries and fits the page table.

    Raises: :class:`LengthError` naming the first sequence at fault.
    """
    for i_b, (q_len, context_len) in enumerate(zip(q_lens, context_lens, strict=True)):
        if q_len < 0:
            raise LengthError(f"sequence {i_b}: cu_seqlens_q decreases")
        if context_len < q_len:
            raise LengthError(
                f"sequence {i_b}: context of {context_len} tokens is shorter than its {q_len} queries"
            )
        if context_len > max_tokens:
            raise LengthError(
                f"sequence {i_b}: context of {context_len} tokens, the page table holds {max_tokens}"
            )


def check_matrix(name: str, tensor: Tensor) -> None:
    """A matrix has two dimensions and dense rows, which may lie apart."""
    if tensor.dim() != 2:
        raise ShapeError(f"{name} must have two dimensions, got {tuple(tensor.shape)}")
    if tensor.shape[1] > 1 and tensor.stride(1) != 1:
        raise LayoutError(f"{name} must be dense in its last dimension: call .contiguous()")
    if tensor.shape[0] > 1 and tensor.stride(0) < tensor.shape[1]:
        raise LayoutError(f"{name} has rows that overlap: call .contiguous()")


def check_keys(keys: Tensor) -> None:
    """Keys of random streams are int64 ``[rows, 2]`` of 32-bit words; their values are looked at on a CPU
    only."""
    if keys.dim() != 2 or keys.shape[1] != 2:
        raise ShapeError(f"keys must be [rows, 2], got {tuple(keys.shape)}")
    if keys.dtype != torch.int64:
        raise DtypeError(f"keys must be int64, got {keys.dtype}")
    if not keys.is_contiguous():
        raise LayoutError("keys must be contiguous: call .contiguous()")
    check_word_range("keys", keys)


def check_word_range(name: str, values: Tensor) -> None:
    """Integers that stand for unsigned 32-bit words; looked at on a CPU only."""
    if values.is_cuda or values.numel() == 0:
        return
    lowest, highest = int(values.min()), int(values.max())
    if lowest < 0 or highest >= 1 << 32:
        raise LengthError(f"{name} must be 32-bit words, got {lowest}..{highest}")
