"""The gate of the feed-forward layer."""

from llmnet.kernels.swiglu.api import swiglu

__all__ = ["swiglu"]
