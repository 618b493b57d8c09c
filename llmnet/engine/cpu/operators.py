"""The operators of a forward pass on a CPU, batch-invariant, in every numerics class.

Classes of 16 bits are emulated: matrices are stored in 16 bits, everything else holds rounded values in fp32, and
each result is rounded where a GPU would store it. The order of sums is that of this processor's kernels, not a GPU's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch.nn import functional as F  # noqa: N812 (its usual name)

from llmnet.engine.cache import Batch
from llmnet.engine.cpu.attention import PAGE_SIZE
from llmnet.engine.cpu.kernels import Kernels, host
from llmnet.engine.cpu.lanes import LANES
from llmnet.engine.cpu.machine import Machine
from llmnet.engine.cpu.tape import Tape
from llmnet.engine.errors import UnsupportedModelError
from llmnet.engine.model_config import ModelConfig
from llmnet.engine.operators import Made, Operators, Plan, Precision
from llmnet.engine.rope import RopeTables


class CpuOperators:
    """See `llmnet.engine.operators.Operators`."""

    invariant = True
    page_size = PAGE_SIZE
    reads_output = False
    cache_dtype = torch.float32

    def __init__(
        self,
        config: ModelConfig,
        precision: Precision,
        rope: RopeTables,
        *,
        threads: int | None = None,
        machine: Machine | None = None,
    ) -> None:
        for name in ("hidden_size", "intermediate_size"):
            if getattr(config, name) % LANES:
                raise UnsupportedModelError(
                    f"{name} {getattr(config, name)}: the CPU kernels want a multiple of {LANES}"
                )
        self._config, self._precision, self._rope = config, precision, rope
        self.kernels = Kernels(
            precision.weights,
            precision.residual,
            config.head_dim,
            config.num_heads // config.num_kv_heads,
            threads=threads or torch.get_num_threads(),
            machine=machine,
        )

    def plan(self, batch: Batch) -> Plan:
        """Which sequence each row belongs to."""
        longer = batch.cu_seqlens.diff().to(torch.int64)
        counts = torch.cat((torch.ones(batch.num_decode, dtype=torch.int64), longer))
        return torch.repeat_interleave(torch.arange(len(counts)), counts)

    def embed(self, ids: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """[T, D] fp32."""
        return F.embedding(ids, embedding).float()

    def norm(
        self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """RMS norm, rounded to the class; x is changed."""
        return self.kernels.norm(x, weight, self._config.rms_norm_eps, added), x

    def final_norm(self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        """RMS norm, not rounded."""
        return self.kernels.final_norm(x, weight, self._config.rms_norm_eps, added)

    def norm_heads(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """RMS norm by head, in place."""
        self.kernels.norm_heads(x, weight, self._config.rms_norm_eps)
        return x

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """[T, N], rounded to the class."""
        return self.kernels.linear(x, weight, bias)

    def rotate_and_store(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        batch: Batch,
        keys: torch.Tensor,
        values: torch.Tensor,
    ) -> torch.Tensor:
        """q is rotated in place."""
        tables = self._rope.cosines, self._rope.sines
        self.kernels.rotate_and_store(q, k, v, tables, batch.positions, batch.slots, keys, values)
        return q

    def attend(
        self, q: torch.Tensor, batch: Batch, plan: Plan, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """One kernel for prefill and decode."""
        scale = self._config.head_dim**-0.5
        return self.kernels.attend(q, keys, values, batch.page_table, plan, batch.positions, scale)

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """Into `gate`."""
        return self.kernels.swiglu(gate, up)

    def logits(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """The hidden state is rounded to the class, the logits are not."""
        return self.kernels.logits(self.kernels.rounded(hidden), weight)

    def record(self, work: Callable[[Operators], Made]) -> Callable[[], Made]:
        """The kernels' calls with their arguments, launched again without Python between them."""
        tape = Tape()
        recording = copy.copy(self)
        recording.kernels = self.kernels.on(tape)
        made = work(recording)
        replay = tape.finish(host())

        def again() -> Made:
            replay()
            return made

        return again
