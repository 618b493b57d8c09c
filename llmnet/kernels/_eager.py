"""Eager attention of one sequence over its pages: the arithmetic of both references.

One sequence at a time, so that no bit of a row can depend on what it was batched with.
"""

import torch
from torch import Tensor

from llmnet.kernels.errors import LengthError

QUERY_BLOCK = 256
"""Query rows per score matrix: bounds the memory of a long prefill."""


def gather_pages(cache: Tensor, pages: Tensor, length: int) -> Tensor:
    """Read the first ``length`` tokens of a sequence: ``[length, num_kv_heads, head_dim]`` in fp32.

    ``cache``: ``[num_pages, page_size, num_kv_heads, head_dim]``; ``pages``: int32 ``[max_pages]``, of which
    only the entries that hold tokens are read.

    Raises: :class:`LengthError` when one of those entries is not a page of the cache.
    """
    used = pages[: -(-length // cache.shape[1])]
    try:
        rows = cache.index_select(0, used)  # [pages, page_size, num_kv_heads, head_dim]
    except IndexError as error:
        raise LengthError(f"page table names a page outside 0..{cache.shape[0] - 1}") from error
    return rows.flatten(0, 1)[:length].float()


def attend(q: Tensor, k: Tensor, v: Tensor, sm_scale: float) -> Tensor:
    """``softmax(q k^T * sm_scale) v``, causal, with the queries being the *last* positions of the keys.

    ``q``: ``[rows, num_heads, head_dim]``; ``k``, ``v``: fp32 ``[length, num_kv_heads, head_dim]``, ``length
    >= rows``. Returns fp32 ``[rows, num_heads, head_dim]``.
    """
    first = k.shape[0] - q.shape[0]
    blocks = []
    for start in range(0, q.shape[0], QUERY_BLOCK):
        q_block = q[start : start + QUERY_BLOCK]
        end = first + start + q_block.shape[0]  # no later key is visible to this block
        blocks.append(_attend_block(q_block, k[:end], v[:end], sm_scale))
    return blocks[0] if len(blocks) == 1 else torch.cat(blocks)


def _attend_block(q: Tensor, k: Tensor, v: Tensor, sm_scale: float) -> Tensor:
    rows, num_heads, head_dim = q.shape
    length, num_kv_heads, _ = k.shape
    group = num_heads // num_kv_heads
    packed = (q.float() * sm_scale).view(rows, num_kv_heads, group, head_dim).permute(1, 2, 0, 3)
    packed = packed.reshape(num_kv_heads, group * rows, head_dim)  # [HK, group * rows, D]
    scores = torch.bmm(packed, k.permute(1, 2, 0))  # [HK, group * rows, length]
    if rows > 1:
        hidden = torch.ones(rows, length, dtype=torch.bool, device=q.device).triu_(length - rows + 1)
        scores.view(num_kv_heads, group, rows, length).masked_fill_(hidden, float("-inf"))
    out = torch.bmm(scores.softmax(dim=-1), v.transpose(0, 1))  # [HK, group * rows, D]
    out = out.view(num_kv_heads, group, rows, head_dim).permute(2, 0, 1, 3)  # [rows, HK, group, D]
    return out.reshape(rows, num_heads, head_dim)
