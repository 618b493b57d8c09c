"""The norm in eager torch."""

import torch
from torch import Tensor
from torch.nn.functional import rms_norm as torch_rms_norm


def rms_norm_reference(x: Tensor, weight: Tensor, eps: float, out_dtype: torch.dtype) -> Tensor:
    """As :func:`llmnet.kernels.rms_norm`, in fp32."""
    return torch_rms_norm(x.float(), weight.shape, weight.float(), eps).to(out_dtype)
