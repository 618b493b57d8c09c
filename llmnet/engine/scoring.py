"""Leaves for tokens that are already there: one prefill, as a verifier would do it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence as SequenceOf

import torch

from llmnet.engine.blocks import BlockManager
from llmnet.engine.cache import make_batch
from llmnet.engine.errors import NumericsError, RequestError
from llmnet.engine.leaves import LeafBuilder, Wanted
from llmnet.engine.model import LlamaModel
from llmnet.engine.scheduler import Chunk, Sequence
from llmnet.proof import Leaf


def score(
    model: LlamaModel,
    leaves: LeafBuilder,
    prompt_ids: SequenceOf[int],
    output_ids: SequenceOf[int],
    request_seed: bytes,
    *,
    chunk_tokens: int = 128,
) -> list[Leaf]:
    """Prefill prompt and output, and build the leaf of every output position with the token that stands
    there.

    The tokens need not be what this model would have sampled. A cache of its own is used, so this may run
    beside an engine. Raises `NumericsError` at the first non-finite position, `RequestError` for an empty
    prompt or output.
    """
    if not prompt_ids or not output_ids:
        raise RequestError("scoring needs a prompt and at least one output token")
    tokens = [*prompt_ids, *output_ids[:-1]]
    first = len(prompt_ids) - 1  # the row after which output token 0 stands
    page_size = model.operators.page_size
    blocks = BlockManager(-(-len(tokens) // page_size), page_size)
    blocks.grow("score", len(tokens))
    cache = model.new_cache(blocks.num_pages)
    sequence = Sequence("score", tokens, 1)
    result: list[Leaf] = []
    for start in range(0, len(tokens), chunk_tokens):
        count = min(chunk_tokens, len(tokens) - start)
        rows = range(min(max(first - start, 0), count), count)
        batch = make_batch([Chunk(sequence, count)], blocks, model.device)
        sampled = torch.tensor(list(rows), dtype=torch.int64, device=model.device)
        hidden, logits = model.outputs(dataclasses.replace(batch, sample_rows=sampled), cache)
        sequence.num_computed += count
        positions = [start + row - first for row in rows]
        wanted = [Wanted(position, request_seed, token=output_ids[position]) for position in positions]
        result += _checked(leaves.build(hidden, logits, wanted)) if wanted else []
    return result


def _checked(built: SequenceOf[Leaf | NumericsError]) -> list[Leaf]:
    leaves = []
    for item in built:
        if isinstance(item, NumericsError):
            raise item
        leaves.append(item)
    return leaves
