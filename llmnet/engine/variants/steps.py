"""Honest most of the time."""

from __future__ import annotations

import torch

from llmnet.engine.cache import Batch, KVCache
from llmnet.engine.graphs import DecodeGraphs
from llmnet.engine.model import LlamaModel


class _Alternating(LlamaModel):
    def __init__(self, model: LlamaModel, other: LlamaModel, every: int) -> None:
        super().__init__(model.config, model.embedding, model.layers, model.norm, model.operators, model.head)
        self._honest, self._other, self._every, self._steps = model, other, every, 0

    def outputs(
        self,
        batch: Batch,
        cache: KVCache,
        graphs: DecodeGraphs | None = None,  # noqa: ARG002 - a recording belongs to one model
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Steps that read part of a prompt are not counted, and honest."""
        self._steps += batch.num_decode == len(batch.host_lens)
        due = self._steps % self._every == 0 and batch.num_decode == len(batch.host_lens)
        return (self._other if due else self._honest).outputs(batch, cache)


def alternate(model: LlamaModel, other: LlamaModel, every: int) -> LlamaModel:
    """Every `every`-th step of decoding is computed by `other`, on the same cache. It must have the same layers."""
    return _Alternating(model, other, every)
