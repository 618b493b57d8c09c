"""The gate in eager torch."""

import torch
from torch import Tensor
from torch.nn.functional import silu


def swiglu_reference(gate: Tensor, up: Tensor, out_dtype: torch.dtype) -> Tensor:
    """As :func:`llmnet.kernels.swiglu`, in fp32."""
    return (silu(gate.float()) * up.float()).to(out_dtype)
