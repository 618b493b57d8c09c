"""The paged KV cache: tensors, and the index tensors that tell the kernels where a step's tokens lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from llmnet.engine.blocks import BlockManager
from llmnet.engine.scheduler import Chunk

PAGE_SIZE = 16
"""Tokens a page, for operators that have no reason to ask for another size."""


class KVCache:
    """Keys and values of all layers: `k[layer]`, `v[layer]` are [num_pages, page_size, kv_heads,
    head_dim].
    """

    def __init__(
        self,
        num_layers: int,
        num_pages: int,
        kv_heads: int,
        head_dim: int,
        dtype: torch.dtype,
        device: torch.device,
        page_size: int = PAGE_SIZE,
    ) -> None:
        shape = (num_layers, num_pages, page_size, kv_heads, head_dim)
        self.k = _zeros(shape, dtype, device)
        self.v = _zeros(shape, dtype, device)
        self.num_pages = num_pages


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Zeros, not empty: a stray read is not a NaN from last week. On a CPU the operating system hands them out
    page by page as they are used, which it does for numpy and not for torch.
    """
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    octets = np.zeros(math.prod(shape) * dtype.itemsize, np.uint8)
    return torch.from_numpy(octets).view(dtype).view(shape)


@dataclass(frozen=True)
class Batch:
    """One step's tokens, flat. The first `num_decode` sequences bring one token each, the others several.

    token_ids, positions, slots: int64 [T]; page_table: int32 [B, pages]; context_lens: int32 [B], this step
    included; cu_seqlens: int32 [B - num_decode + 1], offsets of the longer chunks counted from row
    `num_decode`; sample_rows: int64 [S], rows after which a token is wanted. `host_lens` and `host_seqlens` are
    context_lens and cu_seqlens where plans are made: reading them costs no synchronisation.
    """

    token_ids: torch.Tensor
    positions: torch.Tensor
    slots: torch.Tensor
    page_table: torch.Tensor
    context_lens: torch.Tensor
    cu_seqlens: torch.Tensor
    sample_rows: torch.Tensor
    num_decode: int
    host_lens: torch.Tensor
    host_seqlens: torch.Tensor


def make_batch(chunks: Sequence[Chunk], blocks: BlockManager, device: torch.device) -> Batch:
    """Index tensors for chunks that have their pages; chunks of one token must come first."""
    ids: list[int] = []
    positions: list[int] = []
    slots: list[int] = []
    ends: list[int] = []
    for chunk in chunks:
        start, end = chunk.sequence.num_computed, chunk.sequence.num_computed + chunk.count
        ids += chunk.sequence.tokens[start:end]
        positions += range(start, end)
        slots += [blocks.slot(chunk.sequence.request_id, position) for position in range(start, end)]
        ends.append(len(ids))
    num_decode = sum(chunk.count == 1 for chunk in chunks)
    tables = [blocks.table(chunk.sequence.request_id) for chunk in chunks]
    width = max(map(len, tables))
    lens = torch.tensor([c.sequence.num_computed + c.count for c in chunks], dtype=torch.int32)
    seqlens = torch.tensor([0, *(end - num_decode for end in ends[num_decode:])], dtype=torch.int32)
    padded = [[*table, *[0] * (width - len(table))] for table in tables]
    wanted = [end - 1 for c, end in zip(chunks, ends, strict=True) if c.reaches_end]
    return Batch(
        token_ids=torch.tensor(ids, device=device),
        positions=torch.tensor(positions, device=device),
        slots=torch.tensor(slots, device=device),
        page_table=torch.tensor(padded, dtype=torch.int32, device=device),
        context_lens=lens.to(device),
        cu_seqlens=seqlens.to(device),
        sample_rows=torch.tensor(wanted, dtype=torch.int64, device=device),
        num_decode=num_decode,
        host_lens=lens,
        host_seqlens=seqlens,
    )
