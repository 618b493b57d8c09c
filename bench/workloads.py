"""What is timed: one attention problem, on pages for us and contiguous for the peers."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

PAGE = 64
"""Tokens a page, as the engine has them on a GPU."""


@dataclass(frozen=True)
class Workload:
    """``batch`` sequences of ``context`` tokens, of which the last ``rows`` are queries (all of them, or
    one)."""

    name: str
    batch: int
    rows: int
    context: int
    heads: int
    kv_heads: int
    dim: int

    @property
    def scale(self) -> float:
        return float(self.dim**-0.5)

    @property
    def flops(self) -> int:
        """Two products of ``dim`` multiply-adds for every pair of a query and a key it sees."""
        hidden = self.rows * (self.rows - 1) // 2
        return 4 * self.batch * self.heads * self.dim * (self.rows * self.context - hidden)

    def bytes_moved(self, dtype: torch.dtype) -> int:
        """Queries, keys and values read once, output written once."""
        queries = 2 * self.batch * self.rows * self.heads * self.dim
        keys = 2 * self.batch * self.context * self.kv_heads * self.dim
        return (queries + keys) * dtype.itemsize


@dataclass(frozen=True)
class Tensors:
    """A workload in memory: ``q [batch, rows, heads, dim]``, ``k, v [batch, context, kv_heads, dim]``."""

    work: Workload
    q: Tensor
    k: Tensor
    v: Tensor

    @classmethod
    def make(cls, work: Workload, device: str, dtype: torch.dtype) -> "Tensors":
        generator = torch.Generator(device).manual_seed(0)

        def normal(rows: int, heads: int) -> Tensor:
            shape = (work.batch, rows, heads, work.dim)
            return torch.randn(shape, generator=generator, device=device, dtype=dtype)

        keys, values = (normal(work.context, work.kv_heads) for _ in range(2))
        return cls(work, normal(work.rows, work.heads), keys, values)

    @cached_property
    def pages(self) -> tuple[Tensor, Tensor, Tensor]:
        """``k_cache``, ``v_cache`` and ``page_table`` with the tokens scattered over shuffled pages."""
        work = self.work
        assert work.context % PAGE == 0, "workloads fill their pages"
        count = work.batch * work.context // PAGE
        order = torch.randperm(count, generator=torch.Generator().manual_seed(1)).to(self.q.device)
        caches = []
        for part in (self.k, self.v):
            cache = torch.empty((count, PAGE, work.kv_heads, work.dim), device=part.device, dtype=part.dtype)
            cache[order] = part.reshape(cache.shape)
            caches.append(cache)
        return caches[0], caches[1], order.to(torch.int32).view(work.batch, -1)

    @cached_property
    def lengths(self) -> tuple[Tensor, Tensor]:
        """``cu_seqlens_q`` and ``context_lens``."""
        work = self.work
        ends = torch.arange(work.batch + 1, dtype=torch.int32) * work.rows
        contexts = torch.full((work.batch,), work.context, dtype=torch.int32)
        return ends.to(self.q.device), contexts.to(self.q.device)
