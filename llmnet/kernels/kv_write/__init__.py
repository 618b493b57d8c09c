"""Write new keys and values into their slots of the paged cache, rotated to their positions if asked."""

from llmnet.kernels.kv_write.api import kv_write, rope_kv_write

__all__ = ["kv_write", "rope_kv_write"]
