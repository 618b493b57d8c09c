"""The operators of a forward pass by `llmnet.kernels`, for a GPU: batch-invariant in the classes of 16 bits.

On tensors of a CPU the same calls run the kernels' references, which is how this module is tested without a GPU.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)

from llmnet.engine.cache import Batch
from llmnet.engine.model_config import ModelConfig
from llmnet.engine.operators import Made, Operators, Plan, Precision
from llmnet.engine.rope import RopeTables
from llmnet.kernels import (
    add_rms_norm,
    attention_decode,
    attention_prefill,
    matmul,
    plan_decode,
    plan_prefill,
    rms_norm,
    rope_kv_write,
    swiglu,
)


class KernelOperators:
    """See `llmnet.engine.operators.Operators`. Plans are made once a batch; layers read no device value."""

    invariant = True
    page_size = 64  # whole tiles of keys: attention reads them by bulk copies
    reads_output = True

    def __init__(self, config: ModelConfig, precision: Precision, rope: RopeTables) -> None:
        self._config, self._precision, self._rope = config, precision, rope
        self.cache_dtype = precision.weights

    def plan(self, batch: Batch) -> Plan:
        """Plans of both kinds of attention for this batch."""
        n, room = batch.num_decode, batch.page_table.shape[1] * self.page_size
        decoding = plan_decode(batch.host_lens[:n], room) if n else None
        longer = None
        if n < len(batch.host_lens):
            longer = plan_prefill(
                batch.host_seqlens, batch.host_lens[n:], room, self._config.head_dim, batch.token_ids.device
            )
        return decoding, longer

    def embed(self, ids: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """[T, D] in the residual stream's type."""
        return F.embedding(ids, embedding).to(self._precision.residual)

    def norm(
        self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """RMS norm in the class's type; addition and norm are one kernel where the stream is fp32."""
        return self._norm(x, weight, added, self._precision.weights)

    def final_norm(self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        """RMS norm in fp32."""
        return self._norm(x, weight, added, torch.float32)[0]

    def _norm(
        self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor | None, kind: torch.dtype
    ) -> tuple[torch.Tensor, torch.Tensor]:
        epsilon = self._config.rms_norm_eps
        if added is not None and x.dtype == torch.float32:
            return add_rms_norm(added, x, weight, epsilon, out_dtype=kind)
        if added is not None:
            x = x + added
        return rms_norm(x, weight, epsilon, out_dtype=kind), x

    def norm_heads(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """RMS norm by head."""
        heads = x.view(-1, self._config.head_dim)
        return rms_norm(heads, weight, self._config.rms_norm_eps).view(x.shape)

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """In the class's type, summed in fp32."""
        return matmul(x, weight, None if bias is None else bias.to(weight.dtype))

    def rotate_and_store(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        batch: Batch,
        keys: torch.Tensor,
        values: torch.Tensor,
    ) -> torch.Tensor:
        """Rotation in fp32, results in the cache's type."""
        q, k, v = (x.view(len(x), -1, self._config.head_dim) for x in (q, k, v))
        tables = self._rope.cosines, self._rope.sines
        return rope_kv_write(q, k, v, *tables, batch.positions, keys, values, batch.slots).view(len(q), -1)

    def attend(
        self, q: torch.Tensor, batch: Batch, plan: Plan, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """Decoding rows first, then the longer chunks."""
        q = q.view(len(q), -1, self._config.head_dim)
        scale, n = self._config.head_dim**-0.5, batch.num_decode
        tables, lens = batch.page_table, batch.context_lens
        decoding, longer = plan
        parts = []
        if decoding is not None:
            parts.append(attention_decode(q[:n], keys, values, tables[:n], lens[:n], scale, plan=decoding))
        if longer is not None:
            rest = tables[n:], batch.cu_seqlens, lens[n:]
            parts.append(attention_prefill(q[n:], keys, values, *rest, scale, plan=longer))
        out = parts[0] if len(parts) == 1 else torch.cat(parts)
        return out.reshape(len(q), -1)

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """In the class's type."""
        return swiglu(gate, up)

    def logits(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """fp32 accumulation, and fp32 results."""
        return matmul(hidden.to(weight.dtype), weight, out_dtype=torch.float32)

    def record(self, work: Callable[[Operators], Made]) -> Callable[[], Made]:
        """A CUDA graph. Without a device the work is simply done again."""
        if not torch.cuda.is_available():
            work(self)
            return lambda: work(self)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # compiles and warms up what a graph may not
            work(self)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            made = work(self)

        def again() -> Made:
            graph.replay()
            return made

        return again
