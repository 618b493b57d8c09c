"""The sampler: an integer function of candidates, seed and position, equal bit for bit everywhere."""

from llmnet.kernels.sample.api import sample

__all__ = ["sample"]
