"""What is timed: one problem with its tensors, the arithmetic it needs and the bytes it has to move."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from llmnet.kernels import (
    add_rms_norm,
    attention_decode,
    attention_prefill,
    lm_head_leaf,
    matmul,
    sample,
    sign_octets,
    swiglu,
)

from .workloads import PAGE, Tensors, Workload

EPS = 1e-5
KEYS = 1 << 32


@dataclass
class Problem(ABC):
    """One problem on one device. ``flops`` and ``bytes`` count what the problem needs, each input read and each
    output written once, whatever an implementation does; tensors are made when they are first asked for.
    """

    name: str
    device: str = "cpu"
    dtype: torch.dtype = torch.float32

    @property
    @abstractmethod
    def flops(self) -> int:
        """Multiplications and additions; 0 for a problem of integers."""

    @property
    @abstractmethod
    def bytes(self) -> int:
        """Bytes in and out."""

    @abstractmethod
    def expected(self) -> Tensor:
        """The right answer, from the eager reference."""

    @property
    def tolerance(self) -> float:
        """How far from it an implementation may be."""
        return 2e-2 if self.dtype == torch.bfloat16 else 1e-4

    def normal(self, seed: int, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        """Random numbers on the device."""
        generator = torch.Generator(self.device).manual_seed(seed)
        return torch.randn(shape, generator=generator, device=self.device, dtype=dtype or self.dtype)


@dataclass
class Attention(Problem):
    """Causal attention over a paged cache: one query a sequence (decode) or a whole prompt (prefill)."""

    work: Workload | None = None

    @property
    def sizes(self) -> Workload:
        """The workload, which every attention problem has."""
        assert self.work is not None
        return self.work

    @property
    def flops(self) -> int:
        return self.sizes.flops

    @property
    def bytes(self) -> int:
        return self.sizes.bytes_moved(self.dtype)

    @cached_property
    def tensors(self) -> Tensors:
        """Queries, keys and values, plain and in pages."""
        return Tensors.make(self.sizes, self.device, self.dtype)

    def expected(self) -> Tensor:
        work, tensors = self.sizes, self.tensors
        q, (ends, contexts) = tensors.q.flatten(0, 1), tensors.lengths
        if work.rows == 1:
            return attention_decode(q, *tensors.pages, contexts, work.scale, "reference")
        return attention_prefill(q, *tensors.pages, ends, contexts, work.scale, "reference")

    @property
    def max_tokens(self) -> int:
        """Tokens that the page table can name."""
        return self.tensors.pages[2].shape[1] * PAGE


@dataclass
class Product(Problem):
    """``x [rows, depth]`` times ``weight [out, depth]`` transposed."""

    rows: int = 1
    out: int = 1
    depth: int = 1

    @property
    def flops(self) -> int:
        return 2 * self.rows * self.out * self.depth

    @property
    def bytes(self) -> int:
        elements = self.rows * self.depth + self.out * self.depth + self.rows * self.out
        return elements * self.dtype.itemsize

    @cached_property
    def x(self) -> Tensor:
        """Rows, scaled so that results are of size one."""
        return self.normal(1, self.rows, self.depth) / self.depth**0.5

    @cached_property
    def weight(self) -> Tensor:
        """The weight."""
        return self.normal(2, self.out, self.depth)

    def expected(self) -> Tensor:
        return matmul(self.x, self.weight, backend="reference")


@dataclass
class Norm(Problem):
    """A branch added to the fp32 residual stream, and the sum normed."""

    rows: int = 1
    width: int = 1

    @property
    def flops(self) -> int:
        return 5 * self.rows * self.width

    @property
    def bytes(self) -> int:
        return self.rows * self.width * (2 * self.dtype.itemsize + 8) + 4 * self.width

    @cached_property
    def arguments(self) -> tuple[Tensor, Tensor, Tensor]:
        """Branch, residual, weight."""
        shape, wide = (self.rows, self.width), torch.float32
        return (
            self.normal(1, *shape),
            self.normal(2, *shape, dtype=wide),
            self.normal(3, self.width, dtype=wide),
        )

    def expected(self) -> Tensor:
        return add_rms_norm(*self.arguments, EPS, "reference")[0]


@dataclass
class Gate(Problem):
    """``silu(gate) * up``."""

    rows: int = 1
    width: int = 1

    @property
    def flops(self) -> int:
        return 5 * self.rows * self.width

    @property
    def bytes(self) -> int:
        return 3 * self.rows * self.width * self.dtype.itemsize

    @cached_property
    def arguments(self) -> tuple[Tensor, Tensor]:
        """Gate and up."""
        return self.normal(1, self.rows, self.width), self.normal(2, self.rows, self.width)

    def expected(self) -> Tensor:
        return swiglu(*self.arguments, "reference")


@dataclass
class Head(Problem):
    """The output layer with everything a leaf needs of it. The answer compared is the log-sum-exp."""

    rows: int = 1
    vocab: int = 1
    width: int = 1

    @property
    def flops(self) -> int:
        return 2 * self.rows * self.vocab * self.width

    @property
    def bytes(self) -> int:
        return (self.vocab + self.rows) * self.width * self.dtype.itemsize + self.rows * self.vocab

    @cached_property
    def arguments(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Hidden states, weight and both sign tables."""
        generator = torch.Generator().manual_seed(3)
        keys = torch.randint(0, KEYS, (self.rows, 2), generator=generator).to(self.device)
        hidden = self.normal(1, self.rows, self.width, dtype=torch.float32) / self.width**0.5
        octets = sign_octets(keys, self.vocab, "LOGI"), sign_octets(keys, self.width, "HIDN")
        return hidden, self.normal(2, self.vocab, self.width), *octets

    def expected(self) -> Tensor:
        return lm_head_leaf(*self.arguments, backend="reference").logsumexp


@dataclass
class Sampling(Problem):
    """The winner of 32 candidates a row, with the protocol's noise."""

    rows: int = 1

    @property
    def flops(self) -> int:
        return 0

    @property
    def bytes(self) -> int:
        return self.rows * (32 * (2 + 8) + 8 + 16 + 8 + 16)

    @cached_property
    def arguments(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Log-probs, ids, temperatures, keys, positions."""
        generator = torch.Generator().manual_seed(1)
        logprobs = -torch.randint(0, 3000, (self.rows, 32), generator=generator).short()
        ids = torch.arange(32).repeat(self.rows, 1) * 977
        keys = torch.randint(0, KEYS, (self.rows, 2), generator=generator)
        rows = torch.arange(self.rows)
        parts = (logprobs, ids, rows % 512, keys, rows)
        return tuple(part.to(self.device) for part in parts)  # type: ignore[return-value]

    def expected(self) -> Tensor:
        return sample(*self.arguments, "reference")[1]
