"""Cache writes in eager torch."""

import torch
from torch import Tensor


def kv_write_reference(k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, slot_mapping: Tensor) -> None:
    """As :func:`llmnet.kernels.kv_write`: one indexed store a cache, rows with a negative slot left out."""
    padding = slot_mapping < 0
    if bool(padding.any()):
        kept = ~padding
        k, v, slot_mapping = k[kept], v[kept], slot_mapping[kept]
    k_cache.flatten(0, 1).index_copy_(0, slot_mapping, k)
    v_cache.flatten(0, 1).index_copy_(0, slot_mapping, v)


def rope_kv_write_reference(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cos: Tensor,
    sin: Tensor,
    positions: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    slot_mapping: Tensor,
) -> Tensor:
    """As :func:`llmnet.kernels.rope_kv_write`."""
    angles = cos[positions, None, :], sin[positions, None, :]  # [tokens, 1, D / 2]
    kind = k_cache.dtype
    kv_write_reference(rotate(k, *angles).to(kind), v.to(kind), k_cache, v_cache, slot_mapping)
    return rotate(q, *angles).to(kind)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the halves of ``x [tokens, heads, D]`` by angles ``[tokens, 1, D / 2]``, in fp32 (Su et al.
    2021, with the halves of a head as the two coordinates)."""
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
