"""What a forward pass is made of. Three sets of operators compute it: `cpu.operators` on a CPU, `kernel_operators` with
our kernels on a GPU, `torch_operators` with whatever library torch calls.

The first two are batch-invariant: a row's bits do not depend on the rows beside it. The last is not, and is there
to be compared with: in speed, and by the test that has to fail on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch

from llmnet.engine.cache import Batch
from llmnet.proof import NumericsClass


@dataclass(frozen=True)
class Precision:
    """What a numerics class means here: `weights` is the type of matrices and KV, `residual` that of the
    running sum.

    Sums inside norms, attention and products are fp32 in every class, and so are RoPE and logits.
    """

    weights: torch.dtype
    residual: torch.dtype


PRECISIONS = {
    NumericsClass.FP32: Precision(torch.float32, torch.float32),
    NumericsClass.FP16: Precision(torch.float16, torch.float16),
    NumericsClass.BF16_FP32_RESIDUAL: Precision(torch.bfloat16, torch.float32),
    NumericsClass.BF16: Precision(torch.bfloat16, torch.bfloat16),
}


Plan = Any
"""Belongs to the operators that made it."""
Made = TypeVar("Made")
"""Whatever tensors the work of a recording gives."""
Streams = tuple[torch.Tensor, torch.Tensor]
"""The residual stream after the last layer, and what is still to be added to it; both [T, D]."""


class Operators(Protocol):
    """Operators over the rows of one step. T rows, D hidden size, H query heads and HK KV heads of `head_dim`."""

    cache_dtype: torch.dtype
    invariant: bool
    page_size: int  # tokens a page of the cache
    reads_output: (
        bool  # leaves are read off the output layer itself (`output_layer.py`): no logits are written
    )

    def plan(self, batch: Batch) -> Plan:
        """What `attend` of every layer wants to know about a batch; made once."""
        ...

    def embed(self, ids: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """The residual stream's first state [T, D]."""
        ...

    def norm(
        self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """RMS norm [T, D] of the stream and the stream itself; `added` goes into it first (x may be changed)."""
        ...

    def final_norm(self, x: torch.Tensor, weight: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        """The same, in fp32 whatever the class: what the hidden sketch is taken of."""
        ...

    def norm_heads(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """RMS norm of every head of x [T, heads * head_dim] by itself."""
        ...

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """x [T, K] times weight [N, K] transposed, plus bias [N]."""
        ...

    def rotate_and_store(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        batch: Batch,
        keys: torch.Tensor,
        values: torch.Tensor,
    ) -> torch.Tensor:
        """Rotated q [T, H * head_dim]; rotated k and v are put into one layer's cache."""
        ...

    def attend(
        self, q: torch.Tensor, batch: Batch, plan: Plan, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """Causal attention [T, H * head_dim] over the cache."""
        ...

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """silu(gate) * up; may overwrite `gate`."""
        ...

    def logits(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """fp32 logits [S, V] of fp32 hidden states [S, D]."""
        ...

    def record(self, work: Callable[[Operators], Made]) -> Callable[[], Made]:
        """Do `work` and remember what it launches: calling the result does it again, on the same memory."""
        ...
