"""Signs in eager torch."""

import torch
from torch import Tensor

from llmnet.kernels._philox import SIGN_TAGS, philox

PER_BLOCK = 16
"""Signs that one evaluation of the generator yields: four words of four bytes."""


def sign_octets_reference(keys: Tensor, n: int, lane_set: str) -> Tensor:
    """As :func:`llmnet.kernels.sign_octets`, with rows of a multiple of 16 bytes."""
    blocks = torch.arange(-(-n // PER_BLOCK), device=keys.device)[None, :]  # [1, blocks]
    zero = torch.zeros_like(blocks)
    counter = (blocks, zero, zero, torch.full_like(blocks, SIGN_TAGS[lane_set]))
    words = torch.stack(philox(counter, (keys[:, :1], keys[:, 1:])), dim=-1)  # [rows, blocks, 4]
    octets = words[..., None] >> torch.arange(0, 32, 8, device=keys.device) & 0xFF  # [rows, blocks, 4, 4]
    return octets.to(torch.uint8).flatten(1)
