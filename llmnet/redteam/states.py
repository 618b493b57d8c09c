"""The final normed hidden states of a model over a given text."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch

from llmnet.engine.blocks import BlockManager
from llmnet.engine.cache import PAGE_SIZE, make_batch
from llmnet.engine.model import LlamaModel
from llmnet.engine.scheduler import Chunk
from llmnet.engine.scheduler import Sequence as Scheduled


def states(model: LlamaModel, tokens: Sequence[int]) -> torch.Tensor:
    """[T, D], fp32: row t is the state after token t, from which token t + 1 is drawn."""
    blocks = BlockManager(-(-len(tokens) // PAGE_SIZE), PAGE_SIZE)
    blocks.grow("states", len(tokens))
    batch = make_batch([Chunk(Scheduled("states", list(tokens), 1), len(tokens))], blocks, model.device)
    every = dataclasses.replace(batch, sample_rows=torch.arange(len(tokens)))
    return model.forward(every, model.new_cache(blocks.num_pages))[0]
