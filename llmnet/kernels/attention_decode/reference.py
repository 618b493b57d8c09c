"""Decode attention in eager torch: the oracle of the Triton kernels and the path on a CPU."""

import torch
from torch import Tensor

from llmnet.kernels._eager import attend, gather_pages


def attention_decode_reference(
    q: Tensor, k_cache: Tensor, v_cache: Tensor, page_table: Tensor, context_lens: list[int], sm_scale: float
) -> Tensor:
    """As :func:`llmnet.kernels.attention_decode`, with checked lengths on the host; sums are in fp32."""
    out = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    for i_b, context_len in enumerate(context_lens):
        if context_len:
            k = gather_pages(k_cache, page_table[i_b], context_len)
            v = gather_pages(v_cache, page_table[i_b], context_len)
            out[i_b] = attend(q[i_b : i_b + 1], k, v, sm_scale)[0]
        else:
            out[i_b] = 0
    return out
