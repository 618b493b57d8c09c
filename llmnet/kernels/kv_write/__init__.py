"""Write new keys and values into their slots of the paged cache."""

from llmnet.kernels.kv_write.api import kv_write

__all__ = ["kv_write"]
