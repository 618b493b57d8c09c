"""Matrix product with a weight, with bits that do not depend on the number of rows."""

from llmnet.kernels.matmul.api import matmul

__all__ = ["matmul"]
