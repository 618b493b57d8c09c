"""The output layer in eager torch: the oracle of the Triton kernels and the path on a CPU."""

import torch
from torch import Tensor
from torch.nn.functional import linear

from llmnet.kernels.lm_head_leaf.parts import LANES, MIN_LOGPROB, STEPS, LeafParts

BATCH = 1 << 22
"""Elements whose signs are unpacked together: bounds the memory of a wide batch."""


def lm_head_leaf_reference(
    hidden: Tensor, weight: Tensor, logit_octets: Tensor, hidden_octets: Tensor, top_k: int, keep: bool
) -> LeafParts:
    """As :func:`llmnet.kernels.lm_head_leaf`, with the logits in memory: candidates are always exact."""
    logits = linear(hidden.to(weight.dtype).float(), weight.float())  # [S, V]
    normaliser = torch.logsumexp(logits, dim=1)
    ids, logprobs = best_candidates(logits, normaliser, top_k)
    return LeafParts(
        logsumexp=normaliser,
        ids=ids,
        logprobs=logprobs,
        logit_lanes=lanes(logits - logits.mean(dim=1, keepdim=True), logit_octets),
        hidden_lanes=lanes(hidden.float(), hidden_octets),
        exact=torch.ones(len(logits), dtype=torch.bool, device=logits.device),
        logits=logits if keep else None,
    )


def best_candidates(logits: Tensor, normaliser: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
    """The ``top_k`` best of ``logits [S, V]`` by (rounded log-prob descending, id ascending), exactly."""
    steps = quantise(logits - normaliser[:, None])
    size = logits.shape[1]
    order = steps.long() * size - torch.arange(size, device=logits.device)  # distinct: the id breaks ties
    ids = torch.topk(order, top_k, dim=1).indices
    return ids, steps.gather(1, ids)


def quantise(logprobs: Tensor) -> Tensor:
    """Log-probs in nat to int16 in 1/256 nat: half to even, clamped; what is no number becomes the lowest."""
    steps = torch.round(logprobs * STEPS).clamp(MIN_LOGPROB, 0)
    return steps.nan_to_num(MIN_LOGPROB).to(torch.int16)


def lanes(values: Tensor, octets: Tensor) -> Tensor:
    """``n^-1/2 * sum_v s(j, v) * x_v`` for j = 0..7: ``values [S, n]``, ``octets [S, n]`` to fp32 ``[S, 8]``."""
    size = values.shape[1]
    bits = torch.arange(LANES, device=octets.device, dtype=torch.uint8)
    rows = max(1, BATCH // (LANES * size))
    parts = []
    for start in range(0, len(values), rows):
        chunk = octets[start : start + rows]
        signs = 1.0 - 2.0 * (chunk[:, :, None] >> bits & 1).float()  # [rows, n, 8]
        parts.append(torch.einsum("rn,rnj->rj", values[start : start + rows], signs))
    found = torch.cat(parts) if parts else values.new_zeros((0, LANES))
    return found * float(size**-0.5)
