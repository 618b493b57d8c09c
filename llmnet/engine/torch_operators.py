"""Operators by torch's own libraries. Which routine they choose, and so the last bits, depends on the batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)

from llmnet.engine.cache import PAGE_SIZE, Batch
from llmnet.engine.model_config import ModelConfig
from llmnet.engine.operators import Made, Operators, Plan, Precision
from llmnet.engine.rope import RopeTables
from llmnet.kernels import attention_decode, attention_prefill, kv_write

# With so few rows the CPU library packs the whole weight matrix first; the transposed product does not, and a
# step over two to four sequences takes a fifth to a third less time.
_FEW_ROWS = 4


class TorchOperators:
    """See `llmnet.engine.operators.Operators`; attention is that of `llmnet.kernels`."""

    invariant = False
    page_size = PAGE_SIZE
    reads_output = False

    def __init__(self, config: ModelConfig, precision: Precision, rope: RopeTables) -> None:
        self._config, self._precision, self._rope = config, precision, rope
        self.cache_dtype = precision.weights

    def plan(self, batch: Batch) -> Plan:  # noqa: ARG002 (others look at it)
        """Nothing to prepare."""
        return None

    def embed(self, ids: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """[T, D] in the residual stream's type."""
        return F.embedding(ids, embedding).to(self._precision.residual)

    def norm(
        self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """RMS norm, fp32; x is changed."""
        if added is not None:
            x += added.to(x.dtype)
        return F.rms_norm(x.float(), weight.shape, weight, self._config.rms_norm_eps), x

    def final_norm(self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        """RMS norm, fp32."""
        return self.norm(x, weight, added)[0]

    def norm_heads(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """RMS norm by head, in the type of x."""
        heads = x.view(len(x), -1, self._config.head_dim)
        return self.norm(heads, weight)[0].to(x.dtype).view(x.shape)

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """In the weight's type."""
        x = x.to(weight.dtype)
        if 1 < len(x) <= _FEW_ROWS and not x.is_cuda and bias is None:
            return torch.mm(weight, x.t()).t().contiguous()
        return F.linear(x, weight, None if bias is None else bias.to(weight.dtype))

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
        cosines, sines = self._rope.at(batch.positions)
        q, k, v = (x.view(len(x), -1, self._config.head_dim) for x in (q, k, v))
        rotated = _rotate(k, cosines, sines).to(keys.dtype)
        kv_write(rotated, v, keys, values, batch.slots)
        return _rotate(q, cosines, sines).to(keys.dtype).view(len(q), -1)

    def attend(
        self,
        q: torch.Tensor,
        batch: Batch,
        plan: Plan,  # noqa: ARG002 (there is none)
        keys: torch.Tensor,
        values: torch.Tensor,
    ) -> torch.Tensor:
        """Decoding rows first, then the longer chunks."""
        q = q.view(len(q), -1, self._config.head_dim)
        scale, n = self._config.head_dim**-0.5, batch.num_decode
        parts = []
        if n:
            parts.append(
                attention_decode(q[:n], keys, values, batch.page_table[:n], batch.context_lens[:n], scale)
            )
        if n < len(batch.context_lens):
            tables, lens = batch.page_table[n:], batch.context_lens[n:]
            parts.append(attention_prefill(q[n:], keys, values, tables, batch.cu_seqlens, lens, scale))
        out = parts[0] if len(parts) == 1 else torch.cat(parts)
        return out.reshape(len(q), -1)

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """In the type of the gate."""
        return F.silu(gate) * up

    def logits(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """fp32 accumulation, and fp32 results."""
        if weight.dtype == torch.float32:
            return self.linear(hidden, weight)
        if hidden.is_cuda:
            return torch.mm(hidden.to(weight.dtype), weight.t(), out_dtype=torch.float32)
        return F.linear(hidden.to(weight.dtype).float(), weight.float())

    def record(self, work: Callable[[Operators], Made]) -> Callable[[], Made]:
        """Nothing is remembered: the work is done again."""
        work(self)
        return lambda: work(self)


def _rotate(x: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """Rotate halves: x [T, heads, head_dim]; cosines, sines [T, 1, head_dim / 2], fp32."""
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat((first * cosines - second * sines, second * cosines + first * sines), dim=-1)
