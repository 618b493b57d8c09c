"""The kernels as functions on torch tensors."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]

from llmnet.engine.cpu import attention, choice, linear, rows, sketch
from llmnet.engine.cpu.attention import PAGE_SIZE
from llmnet.engine.cpu.lanes import LANES
from llmnet.engine.cpu.machine import CompiledKernel, Library, Machine, add_launcher
from llmnet.engine.cpu.tape import NOTHING_READ, Reads, Tape
from llmnet.engine.errors import UnsupportedModelError

# Rows of a weight that make up this many bytes are used by all rows of x before the next ones are fetched. Where one
# tile takes all rows of x nothing is used twice, and a thread's panel is all it has to do.
_PANEL_BYTES = 320 * 1024
_PANEL_ROWS = 8
_KINDS = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}
_MAX_HEAD = 256
_PARAMETERS = {
    "linear": linear.PARAMETERS,
    "logits": linear.PARAMETERS,
    "norm": rows.NORM_PARAMETERS,
    "final_norm": rows.NORM_PARAMETERS,
    "round": rows.ROUND_PARAMETERS,
    "rotate": rows.ROTATE_PARAMETERS,
    "attention": attention.PARAMETERS,
    "swiglu": rows.SWIGLU_PARAMETERS,
}


class Kernels:
    """CPU kernels of one precision and one shape of heads.

    `stored` is the type of matrices, and what results are rounded to; `residual` that of the running sum. All
    tensors that are not matrices are fp32, dense, and hold rounded values. Nothing here looks at the values of
    positions, slots and page tables: whoever calls has made them.
    """

    def __init__(
        self,
        stored: torch.dtype,
        residual: torch.dtype,
        head_dim: int,
        group: int,
        *,
        threads: int = 1,
        machine: Machine | None = None,
    ) -> None:
        if head_dim % LANES or not 0 < head_dim <= _MAX_HEAD:
            raise UnsupportedModelError(
                f"heads of {head_dim} numbers: the CPU kernels want a multiple of {LANES} up to {_MAX_HEAD}"
            )
        self.head_dim, self.group, self.threads = head_dim, group, threads
        self._tape: Tape | None = None
        machine = machine or host()
        self._tile_rows = max(_tiles(machine.wide))
        library = _library(_KINDS[stored], _KINDS[residual], head_dim, group, machine)
        made = {name: library.kernel(name, _PARAMETERS[name]) for name in _names(_KINDS[stored])}
        self._linear = made["linear"]
        self._logits = made.get("logits", self._linear)
        self._norm, self._final_norm = made["norm"], made["final_norm"]
        self._round = made.get("round")
        self._rotate, self._attention = made["rotate"], made["attention"]
        self._swiglu = made["swiglu"]

    def on(self, tape: Tape) -> Kernels:
        """The same kernels; what they are called with is written down as well."""
        other = copy.copy(self)
        other._tape = tape
        return other

    def _new(self, *shape: int) -> torch.Tensor:
        return torch.empty(shape) if self._tape is None else self._tape.memory(shape)

    def _call(self, kernel: CompiledKernel, threads: int, *values: float, reads: Reads | None = None) -> None:
        """`reads` is for kernels whose last two parameters are where they are told what is read after them."""
        if reads is None:
            kernel(threads, *values)
        else:
            kernel(threads, *values, *NOTHING_READ)
        if self._tape is not None:
            self._tape.add(kernel, threads, values, reads)

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """x [M, K] times weight [N, K] transposed, plus bias [N]: [M, N]."""
        y = self._new(x.shape[0], weight.shape[0])
        self._multiply(self._linear, x, weight, bias, y)
        return y

    def logits(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """As `linear`, in fp32 whatever the class; rows are padded to whole vectors, as `sketch` wants them."""
        y = self._new(x.shape[0], _padded(weight.shape[0]))[:, : weight.shape[0]]
        self._multiply(self._logits, x, weight, None, y)
        return y

    def rounded(self, x: torch.Tensor) -> torch.Tensor:
        """x [M, K] as the class holds it; in fp32 x itself."""
        if self._round is None:
            return x
        out = self._new(*x.shape)
        self._call(self._round, 1, x.data_ptr(), out.data_ptr(), x.numel())
        return out

    def _multiply(
        self,
        kernel: CompiledKernel,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        y: torch.Tensor,
    ) -> None:
        n, k = weight.shape
        panel = self._panel(x.shape[0], n, k * weight.itemsize)
        bias_at = 0 if bias is None else bias.data_ptr()
        self._call(
            kernel,
            self.threads,
            *(x.data_ptr(), k, weight.data_ptr(), bias_at, y.data_ptr(), y.stride(0)),
            *(x.shape[0], n, k, panel),
            reads=Reads(weight.data_ptr(), panel * k * weight.itemsize, x.data_ptr()),
        )

    def _panel(self, rows: int, n: int, row_bytes: int) -> int:
        """Rows of a weight [n, ...] in a unit of work for `rows` rows of x."""
        share = -(-n // self.threads)
        panel = share if rows <= self._tile_rows else min(_PANEL_BYTES // row_bytes, share)
        return max(_PANEL_ROWS, -(-panel // _PANEL_ROWS) * _PANEL_ROWS)

    def norm(
        self, x: torch.Tensor, weight: torch.Tensor, epsilon: float, added: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Root mean square norm of rows [T, D]; with `added`, x becomes x + added first."""
        return self._normed(self._norm, x, weight, epsilon, added, self._new(*x.shape))

    def final_norm(
        self, x: torch.Tensor, weight: torch.Tensor, epsilon: float, added: torch.Tensor
    ) -> torch.Tensor:
        """As `norm`, in fp32 whatever the class."""
        return self._normed(self._final_norm, x, weight, epsilon, added, self._new(*x.shape))

    def norm_heads(self, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> None:
        """Norm of every head of x [T, heads * head_dim] by itself, in place."""
        heads = x.view(-1, self.head_dim)
        self._normed(self._norm, heads, weight, epsilon, None, heads)

    def _normed(
        self,
        kernel: CompiledKernel,
        x: torch.Tensor,
        weight: torch.Tensor,
        epsilon: float,
        added: torch.Tensor | None,
        out: torch.Tensor,
    ) -> torch.Tensor:
        count, size = x.shape
        added_at = 0 if added is None else added.data_ptr()
        self._call(
            kernel,
            self._team(count),
            *(x.data_ptr(), added_at, weight.data_ptr(), out.data_ptr(), count, size, epsilon),
        )
        return out

    def rotate_and_store(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        tables: tuple[torch.Tensor, torch.Tensor],
        positions: torch.Tensor,
        slots: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
    ) -> None:
        """Rotate q [T, H * head_dim] in place; put rotated k and v into the caches [pages, 16, HK, head_dim].

        `tables`: cosines and sines [context, head_dim / 2]; positions, slots: int64 [T].
        """
        count, kv_heads = q.shape[0], keys.shape[2]
        self._call(
            self._rotate,
            self._team(count),
            *(q.data_ptr(), k.data_ptr(), v.data_ptr(), tables[0].data_ptr(), tables[1].data_ptr()),
            *(positions.data_ptr(), slots.data_ptr(), keys.data_ptr(), values.data_ptr()),
            *(count, kv_heads * self.group, kv_heads),
        )

    def attend(
        self,
        q: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        table: torch.Tensor,
        owners: torch.Tensor,
        positions: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        """Causal attention of rows q [T, H * head_dim]; row i belongs to row owners[i] of the page table.

        `table`: int32 [B, pages]; owners, positions: int64 [T].
        """
        out, width = self._new(*q.shape), table.shape[1]
        scores = self._new(self.threads, self.group * width * PAGE_SIZE)
        self._call(
            self._attention,
            self.threads,
            *(q.data_ptr(), keys.data_ptr(), values.data_ptr(), out.data_ptr()),
            *(table.data_ptr(), width, owners.data_ptr(), positions.data_ptr(), q.shape[0], keys.shape[2]),
            *(scores.data_ptr(), scores.stride(0), scale),
        )
        return out

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """silu(gate) * up, into `gate`."""
        self._call(self._swiglu, self._team(gate.shape[0]), gate.data_ptr(), up.data_ptr(), gate.numel())
        return gate

    def _team(self, count: int) -> int:
        """Threads for so many rows."""
        return min(self.threads, count)


class Sketcher:
    """The kernel of `sketch.py`: what a leaf says about all numbers of a row."""

    def __init__(self, *, threads: int = 1, machine: Machine | None = None) -> None:
        self.threads = threads
        self._sketch = _sketch_library(machine or host()).kernel("sketch", sketch.PARAMETERS)

    def sketch(self, z: torch.Tensor, octets: Sequence[torch.Tensor], *, centred: bool) -> torch.Tensor:
        """Of each row of z [S, N], padded to whole vectors: maximum, sum of e^(z - maximum), mean, 8 lanes: [S, 11].

        `octets`: for each row uint8 [N], padded alike, bit j set where lane j's sign is -1. `centred`: lanes of
        z - mean.
        """
        results = torch.empty(z.shape[0], sketch.RESULTS)
        addresses = torch.tensor([signs.data_ptr() for signs in octets])
        self._sketch(
            min(self.threads, z.shape[0]),
            *(z.data_ptr(), z.stride(0), addresses.data_ptr(), results.data_ptr(), *z.shape, int(centred)),
        )
        return results


class Chooser:
    """The kernel of `choice.py`: what a leaf says about single tokens, and its sketches in whole steps.

    Of each row come the best `top_k` tokens by (log-prob in steps of 1/256 nat, lower id). `shifts` say how many steps of
    the sketches make a unit: 2^shift.
    """

    def __init__(
        self,
        top_k: int,
        sizes: tuple[int, int],
        shifts: tuple[int, int],
        *,
        threads: int = 1,
        machine: Machine | None = None,
    ) -> None:
        """`sizes`: of the vocabulary and of the hidden state."""
        if not 1 <= top_k <= min(choice.MOST, sizes[0]):
            raise ValueError(f"{top_k} candidates of {sizes[0]}: there may be 1 to {choice.MOST}")
        self.threads, self._top_k = threads, top_k
        self._vocabulary = sizes[0]
        self._scales = *(size**-0.5 for size in sizes), *(2.0**shift for shift in shifts)
        self._choose = _sketch_library(machine or host()).kernel("choice", choice.PARAMETERS)

    def choose(
        self,
        z: torch.Tensor,
        normalisers: Sequence[float],
        orders: Sequence[Sequence[int]],
        sums: tuple[torch.Tensor, torch.Tensor],
    ) -> list[list[int]]:
        """For each row of z [S, N], padded to whole vectors: token, `top_k` ids, as many log-probs, 8 + 8 sketch numbers.

        `normalisers`: log-sum-exps. `orders`: position, temperature (1/256, 0 for the best candidate) and both words of
        the request's key. `sums`: what `Sketcher.sketch` made of the logits and of the hidden states, all finite.
        """
        count = z.shape[0]
        shifts, words = torch.tensor(normalisers), torch.tensor(orders)
        results = torch.empty(count, choice.numbers(self._top_k), dtype=torch.int32)
        # Of each call by itself: an answer may be scored in one thread while others are made in another.
        steps, ids = torch.empty(2, self.threads, _padded(self._vocabulary))
        self._choose(
            min(self.threads, count),
            *(z.data_ptr(), z.stride(0), shifts.data_ptr(), words.data_ptr()),
            *(sums[0].data_ptr(), sums[1].data_ptr(), *self._scales),
            *(results.data_ptr(), count, self._vocabulary, self._top_k),
            *(steps.data_ptr(), ids.data_ptr(), steps.stride(0)),
        )
        numbers: list[list[int]] = results.tolist()
        return numbers


def padded_rows(count: int, size: int) -> torch.Tensor:
    """Uninitialised rows [count, size] that lie whole vectors apart."""
    return torch.empty(count, _padded(size))[:, :size]


def _padded(size: int) -> int:
    return -(-size // LANES) * LANES


@lru_cache(maxsize=1)
def host() -> Machine:
    """The processor this runs on."""
    return Machine()


def source_digest(stored: torch.dtype, residual: torch.dtype, head_dim: int, group: int) -> bytes:
    """SHA-256 of the kernels' source: two machines with the same digest compute the same bits."""
    module = _module(_KINDS[stored], _KINDS[residual], head_dim, group, True)
    return hashlib.sha256(f"{module}{_sketch_module()}".encode()).digest()


@lru_cache(maxsize=16)
def _library(stored: str, residual: str, head_dim: int, group: int, machine: Machine) -> Library:
    return machine.library(_module, stored, residual, head_dim, group, machine.wide)


def _tiles(wide: bool) -> dict[int, int]:
    return linear.WIDE_TILES if wide else linear.NARROW_TILES


def _names(stored: str) -> list[str]:
    """In fp32 logits are a product as any other, and nothing is rounded."""
    return [name for name in _PARAMETERS if stored != "fp32" or name not in ("logits", "round")]


def _module(stored: str, residual: str, head_dim: int, group: int, wide: bool) -> Any:
    module, tiles, names = ir.Module("llmnet"), _tiles(wide), _names(stored)
    linear.emit_linear(module, "linear", stored, stored, tiles)
    if "logits" in names:
        linear.emit_linear(module, "logits", stored, "fp32", tiles)
        rows.emit_round(module, "round", stored)
    rows.emit_norm(module, "norm", residual, stored)
    rows.emit_norm(module, "final_norm", residual, "fp32")
    rows.emit_rotate(module, "rotate", head_dim, stored)
    attention.emit_attention(module, "attention", head_dim, group, stored)
    rows.emit_swiglu(module, "swiglu", stored)
    for name in names:
        add_launcher(module, name)
    return module


@lru_cache(maxsize=4)
def _sketch_library(machine: Machine) -> Library:
    return machine.library(_sketch_module)


def _sketch_module() -> Any:
    module = ir.Module("llmnet_sketch")
    sketch.emit_sketch(module, "sketch")
    choice.emit_choice(module, "choice")
    for name in ("sketch", "choice"):
        add_launcher(module, name)
    return module
