"""Prefill attention in eager torch: the oracle of the Triton kernel and the path on a CPU."""

import torch
from torch import Tensor

from llmnet.kernels._eager import attend, gather_pages


def attention_prefill_reference(
    q: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    page_table: Tensor,
    q_lens: list[int],
    context_lens: list[int],
    sm_scale: float,
) -> Tensor:
    """As :func:`llmnet.kernels.attention_prefill`, with checked lengths on the host; sums are in fp32."""
    out = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    start = 0
    for i_b, (q_len, context_len) in enumerate(zip(q_lens, context_lens, strict=True)):
        if q_len:
            k = gather_pages(k_cache, page_table[i_b], context_len)
            v = gather_pages(v_cache, page_table[i_b], context_len)
            out[start : start + q_len] = attend(q[start : start + q_len], k, v, sm_scale)
        start += q_len
    return out
