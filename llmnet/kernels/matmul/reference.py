"""Matrix product in eager torch: the oracle of the Triton kernel and the path on a CPU."""

import torch
from torch import Tensor
from torch.nn.functional import linear


def matmul_reference(x: Tensor, weight: Tensor, bias: Tensor | None, out_dtype: torch.dtype) -> Tensor:
    """As :func:`llmnet.kernels.matmul`: products and sums in fp32, one rounding at the end."""
    product = linear(x.float(), weight.float(), None if bias is None else bias.float())
    return product.to(out_dtype)
