"""Cache write in eager torch."""

from torch import Tensor


def kv_write_reference(k: Tensor, v: Tensor, k_cache: Tensor, v_cache: Tensor, slot_mapping: Tensor) -> None:
    """As :func:`llmnet.kernels.kv_write`: one indexed store a cache, rows with a negative slot left out."""
    padding = slot_mapping < 0
    if bool(padding.any()):
        kept = ~padding
        k, v, slot_mapping = k[kept], v[kept], slot_mapping[kept]
    k_cache.flatten(0, 1).index_copy_(0, slot_mapping, k)
    v_cache.flatten(0, 1).index_copy_(0, slot_mapping, v)
