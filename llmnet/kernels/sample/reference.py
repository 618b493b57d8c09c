"""The sampler in eager torch, in 64-bit integers."""

import torch
from torch import Tensor

from llmnet.kernels._philox import GUMBEL_TAG, philox
from llmnet.kernels.sample.logarithm import gumbel_q16


def scores_reference(
    logprobs: Tensor, ids: Tensor, temperatures: Tensor, keys: Tensor, positions: Tensor
) -> Tensor:
    """Score of every candidate in Q16.16: int64 ``[rows, k]``. Arguments as in
    :func:`llmnet.kernels.sample`."""
    zero = torch.zeros_like(ids)
    counter = (positions[:, None], ids, zero, torch.full_like(ids, GUMBEL_TAG))
    noise = gumbel_q16(philox(counter, (keys[:, :1], keys[:, 1:]))[0])
    scale, cost = temperatures[:, None], -logprobs.long()
    sampled = noise - (cost << 16) // scale.clamp(min=1)
    return torch.where(scale == 0, -cost << 8, sampled)


def sample_reference(
    logprobs: Tensor, ids: Tensor, temperatures: Tensor, keys: Tensor, positions: Tensor
) -> tuple[Tensor, Tensor]:
    """As :func:`llmnet.kernels.sample`."""
    points = scores_reference(logprobs, ids, temperatures, keys, positions)
    best = points == points.max(dim=1, keepdim=True).values
    winners = torch.where(best, ids, 1 << 32).argmin(dim=1)
    return winners, ids.gather(1, winners[:, None])[:, 0]
