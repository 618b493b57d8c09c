"""Paged batches to test with: every sequence is made from its own seed, so it can be put into any batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

NO_PAGE = 1 << 30
"""Fills page table entries that nobody may read."""


@dataclass(frozen=True)
class Shape:
    """Heads and head dimension of a case."""

    heads: int
    kv_heads: int
    dim: int
    page: int = 16

    @property
    def scale(self) -> float:
        return float(self.dim**-0.5)


@dataclass(frozen=True)
class Seq:
    """One sequence: its tokens come from ``seed``, its queries are the last ``q_len`` of ``context``
    positions."""

    seed: int
    q_len: int
    context: int

    def tokens(self, shape: Shape) -> tuple[Tensor, Tensor, Tensor]:
        """``q [q_len, heads, dim]`` and ``k, v [context, kv_heads, dim]``; position p depends on seed and p
        alone."""
        rows: list[list[Tensor]] = [[], [], []]
        for kind, heads in enumerate((shape.heads, shape.kv_heads, shape.kv_heads)):
            generator = torch.Generator().manual_seed(1000 * self.seed + kind)
            rows[kind].append(torch.randn(self.context, heads, shape.dim, generator=generator))
        q, k, v = (parts[0] for parts in rows)
        return q[self.context - self.q_len :], k, v


@dataclass(frozen=True)
class Batch:
    """Arguments of the attention operators, plus the plain tokens for an oracle that knows no pages."""

    shape: Shape
    q: Tensor
    k_cache: Tensor
    v_cache: Tensor
    page_table: Tensor
    cu_seqlens_q: Tensor
    context_lens: Tensor
    plain: list[tuple[Tensor, Tensor, Tensor]]

    def prefill_args(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, float]:
        return (
            self.q,
            self.k_cache,
            self.v_cache,
            self.page_table,
            self.cu_seqlens_q,
            self.context_lens,
            self.shape.scale,
        )

    def decode_args(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, float]:
        return self.q, self.k_cache, self.v_cache, self.page_table, self.context_lens, self.shape.scale


def make_batch(
    sequences: Sequence[Seq],
    shape: Shape,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    layout_seed: int = 0,
    spare_pages: int = 3,
) -> Batch:
    """Scatter sequences over shuffled pages. Slots that hold no token are NaN, unused table entries are no
    page."""
    counts = [-(-seq.context // shape.page) for seq in sequences]
    num_pages = sum(counts) + spare_pages
    order = torch.randperm(num_pages, generator=torch.Generator().manual_seed(layout_seed)).tolist()
    caches = [
        torch.full((num_pages, shape.page, shape.kv_heads, shape.dim), float("nan"), dtype=dtype)
        for _ in range(2)
    ]
    table = torch.full((len(sequences), max([*counts, 1]) + 2), NO_PAGE, dtype=torch.int32)
    plain = []
    for i_b, (seq, count) in enumerate(zip(sequences, counts, strict=True)):
        pages = torch.tensor([order.pop() for _ in range(count)], dtype=torch.int64)
        table[i_b, :count] = pages.to(torch.int32)
        q, k, v = (part.to(dtype) for part in seq.tokens(shape))
        position = torch.arange(seq.context)
        for cache, part in zip(caches, (k, v), strict=True):
            cache[pages[position // shape.page], position % shape.page] = part
        plain.append((q, k, v))
    ends = torch.tensor([0, *(seq.q_len for seq in sequences)]).cumsum(0).to(torch.int32)
    contexts = torch.tensor([seq.context for seq in sequences], dtype=torch.int32)
    q = torch.cat([part[0] for part in plain])
    return Batch(
        shape,
        *(part.to(device) for part in (q, *caches, table, ends, contexts)),
        plain,
    )


def oracle(batch: Batch) -> Tensor:
    """Attention by torch's own operator, in fp64, sequence by sequence, without pages: fp64 ``[tokens, heads,
    dim]``."""
    group = batch.shape.heads // batch.shape.kv_heads
    rows = []
    for q, k, v in batch.plain:
        q_t, k_t, v_t = (part.double().transpose(0, 1) for part in (q, k, v))
        position = torch.arange(k.shape[0] - q.shape[0], k.shape[0])
        visible = torch.arange(k.shape[0])[None, :] <= position[:, None]
        out = torch.nn.functional.scaled_dot_product_attention(
            q_t,
            k_t.repeat_interleave(group, 0),
            v_t.repeat_interleave(group, 0),
            attn_mask=visible,
            scale=batch.shape.scale,
        )
        rows.append(out.transpose(0, 1))
    return torch.cat(rows)


def same_bits(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors are equal bit for bit (NaN equals the same NaN, 0.0 differs from -0.0)."""
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    return bool(torch.equal(left.contiguous().view(torch.uint8), right.contiguous().view(torch.uint8)))
