"""Steps in which every sequence decodes, recorded once for each number of sequences and replayed.

A step over few rows is so short that preparing its launches costs as much as a good part of them. A recording has its
own index tensors; a step's are copied into them, and what does not fill the recording are rows of padding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from llmnet.engine.cache import Batch, KVCache
from llmnet.engine.operators import Operators, Plan

if TYPE_CHECKING:
    from llmnet.engine.model import LlamaModel

Outputs = tuple[torch.Tensor, torch.Tensor | None]
"""Hidden states and logits."""
BUCKETS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Numbers of rows that are recorded on a GPU."""
MAX_ROWS_CPU = 16
"""On a CPU every number up to this one is recorded, without padding; larger steps hardly gain."""


@dataclasses.dataclass(frozen=True)
class _Recording:
    model: LlamaModel  # its weights and the cache are where recorded calls look for them, as in the rest
    cache: KVCache
    batch: Batch
    plan: Plan
    x: torch.Tensor
    again: Callable[[], Outputs]


class DecodeGraphs:
    """The recordings of one model with one cache. `max_pages` bounds the pages of a sequence."""

    def __init__(self, max_pages: int) -> None:
        self._max_pages = max_pages
        self._recordings: dict[int, _Recording] = {}

    def takes(self, batch: Batch) -> bool:
        """Whether all of the batch decodes and wants a token, and is not too large."""
        count = len(batch.host_lens)
        return (
            batch.num_decode == count == len(batch.sample_rows)
            and _bucket(count, batch.token_ids.is_cuda) is not None
        )

    def run(self, model: LlamaModel, batch: Batch, cache: KVCache) -> Outputs:
        """As `model.outputs`, for a batch that it takes. The result is overwritten by the next run."""
        x, count = model.operators.embed(batch.token_ids, model.embedding), len(batch.host_lens)
        bucket = _bucket(count, x.is_cuda)
        assert bucket is not None
        recording = self._recordings.get(bucket)
        if recording is None or recording.model is not model or recording.cache is not cache:
            recording = self._recordings[bucket] = self._record(model, x, batch, cache, bucket)
        self._fill(recording, x, batch, count)
        hidden, logits = recording.again()
        return hidden[:count], None if logits is None else logits[:count]

    def _record(
        self, model: LlamaModel, x: torch.Tensor, batch: Batch, cache: KVCache, bucket: int
    ) -> _Recording:
        device, room = x.device, self._max_pages * model.operators.page_size
        fixed = Batch(
            token_ids=torch.zeros(bucket, dtype=torch.int64, device=device),
            positions=torch.zeros(bucket, dtype=torch.int64, device=device),
            slots=torch.full((bucket,), -1, dtype=torch.int64, device=device),
            page_table=torch.zeros(bucket, self._max_pages, dtype=torch.int32, device=device),
            context_lens=torch.zeros(bucket, dtype=torch.int32, device=device),
            cu_seqlens=torch.zeros(1, dtype=torch.int32, device=device),
            sample_rows=torch.arange(bucket, device=device),
            num_decode=bucket,
            host_lens=torch.full((bucket,), room, dtype=torch.int32),  # planned for the longest there may be
            host_seqlens=torch.zeros(1, dtype=torch.int32),
        )
        stream = torch.zeros(bucket, x.shape[1], dtype=x.dtype, device=device)
        plan = model.operators.plan(fixed)
        empty = _Recording(model, cache, fixed, plan, stream, lambda: (stream, None))
        self._fill(empty, x, batch, len(x))  # recording runs the step, so it has to be a true one

        def step(ops: Operators) -> Outputs:
            return model.finish(ops, *model.run_layers(ops, stream, fixed, plan, cache))

        again = model.operators.record(step)
        return dataclasses.replace(empty, again=again)

    @staticmethod
    def _fill(recording: _Recording, x: torch.Tensor, batch: Batch, count: int) -> None:
        fixed = recording.batch
        recording.x[:count] = x
        fixed.positions[:count] = batch.positions
        fixed.slots[:count] = batch.slots
        fixed.slots[count:] = -1
        fixed.page_table[:count, : batch.page_table.shape[1]] = batch.page_table
        fixed.context_lens[:count] = batch.context_lens
        fixed.context_lens[count:] = 0


def _bucket(count: int, on_gpu: bool) -> int | None:
    if not on_gpu:
        return count if count <= MAX_ROWS_CPU else None
    return next((bucket for bucket in BUCKETS if bucket >= count), None)
