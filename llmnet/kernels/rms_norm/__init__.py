"""Root-mean-square norm of rows, by itself or with the residual stream it follows."""

from llmnet.kernels.rms_norm.api import add_rms_norm, rms_norm

__all__ = ["add_rms_norm", "rms_norm"]
