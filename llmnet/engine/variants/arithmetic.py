"""The promised weights in coarser arithmetic. Run these with `graphs=False`: nothing of them is worth recording."""

from __future__ import annotations

from collections.abc import Callable

import torch

from llmnet.engine.cache import Batch
from llmnet.engine.model import LlamaModel
from llmnet.engine.operators import Made, Operators, Plan
from llmnet.engine.variants.weights import FP8, FP8_MAX, quantise_int8_rows

_TINY = torch.finfo(torch.float32).tiny


def int8_activations(model: LlamaModel) -> LlamaModel:
    """W8A8: int8 weights (a scale per output channel) times int8 activations (a scale per token)."""
    return _with_operators(quantise_int8_rows(model), Int8Activations(model.operators))


def fp8_cache(model: LlamaModel) -> LlamaModel:
    """Keys and values are kept as e4m3."""
    return _with_operators(model, Fp8Cache(model.operators))


def _with_operators(model: LlamaModel, operators: Operators) -> LlamaModel:
    return LlamaModel(model.config, model.embedding, model.layers, model.norm, operators, model.head)


class Bent:
    """Operators that do what others do; a subclass bends one of them."""

    def __init__(self, straight: Operators) -> None:
        self._straight = straight
        self.cache_dtype, self.invariant = straight.cache_dtype, straight.invariant
        self.page_size, self.reads_output = straight.page_size, straight.reads_output

    def plan(self, batch: Batch) -> Plan:
        """As the others."""
        return self._straight.plan(batch)

    def embed(self, ids: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """As the others."""
        return self._straight.embed(ids, embedding)

    def norm(
        self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As the others."""
        return self._straight.norm(x, weight, added)

    def final_norm(self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        """As the others."""
        return self._straight.final_norm(x, weight, added)

    def norm_heads(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """As the others."""
        return self._straight.norm_heads(x, weight)

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """As the others."""
        return self._straight.linear(x, weight, bias)

    def rotate_and_store(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        batch: Batch,
        keys: torch.Tensor,
        values: torch.Tensor,
    ) -> torch.Tensor:
        """As the others."""
        return self._straight.rotate_and_store(q, k, v, batch, keys, values)

    def attend(
        self, q: torch.Tensor, batch: Batch, plan: Plan, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """As the others."""
        return self._straight.attend(q, batch, plan, keys, values)

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """As the others."""
        return self._straight.swiglu(gate, up)

    def logits(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """As the others."""
        return self._straight.logits(hidden, weight)

    def record(self, work: Callable[[Operators], Made]) -> Callable[[], Made]:
        """Nothing is recorded: the work is done again."""
        return lambda: work(self)


class Int8Activations(Bent):
    """What goes into a projection is rounded to 8 bits, token by token."""

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Products of int8 numbers, scaled."""
        scale = x.abs().amax(dim=1, keepdim=True).clamp_min(_TINY) / 127
        return self._straight.linear((x / scale).round() * scale, weight, bias)


class Fp8Cache(Bent):
    """What is written into the cache is rounded to e4m3."""

    def rotate_and_store(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        batch: Batch,
        keys: torch.Tensor,
        values: torch.Tensor,
    ) -> torch.Tensor:
        """As the others, then what was written goes through fp8."""
        q = self._straight.rotate_and_store(q, k, v, batch, keys, values)
        for cache in (keys, values):
            flat = cache.view(-1, *cache.shape[2:])
            flat[batch.slots] = _fp8(flat[batch.slots])
        return q


def _fp8(x: torch.Tensor) -> torch.Tensor:
    return x.float().clamp(-FP8_MAX, FP8_MAX).to(FP8).to(x.dtype)
