"""Pinned launch configurations: one static table per architecture, no autotuning.

The tables are JSON files beside this module (``configs/sm_90.json``), written by hand or by ``python -m
llmnet.kernels.tune``. The constants that fix an order of summation stand here, and a table is refused in
which bits could depend on the batch; that another table may give other bits is why it is part of the numeric
policy.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from llmnet.kernels.errors import BackendError

KV_TILE = 64
"""Keys per tile, in tokens; tiles start at absolute position 0."""

KV_SPLIT = 512
"""Keys per split, in tokens: the unit of parallelism of decode and of merging in both kernels."""

BLOCK_K = 64
"""Depth of one step of a matrix product; steps are added in ascending order, never split."""

VOCAB_BLOCK = 256
"""Tokens of the vocabulary that one program of ``lm_head_leaf`` reduces."""

HEAD_DIMS = (16, 32, 64, 128)
"""Head dimensions that the attention kernels are made for."""

ARCHITECTURES = ("sm_90", "sm_80")
"""Tables that exist: Hopper, and everything from Ampere on that has none of its own."""

COMPILE_OPTIONS: dict[str, bool] = {"enable_fp_fusion": False}
"""Options every kernel is compiled with: contraction only where the source says ``tl.fma``."""

FOLDER = Path(__file__).with_name("configs")


@dataclass(frozen=True)
class TileConfig:
    """How one attention kernel is tiled and launched.

    ``block_m``: query rows a program; ``num_warps`` and ``num_stages``: as Triton defines them; ``block_n``:
    keys a tile; ``split``: keys a split (a multiple of ``block_n``).
    """

    block_m: int
    num_warps: int
    num_stages: int
    block_n: int = KV_TILE
    split: int = KV_SPLIT

    def __post_init__(self) -> None:
        if self.split % self.block_n:
            raise ValueError(f"split {self.split} must be a multiple of block_n {self.block_n}")


@dataclass(frozen=True)
class ProductConfig:
    """How a matrix product is tiled for up to ``max_rows`` rows (None: any number).

    ``block_m`` rows by ``block_n`` columns a tile; ``swap``: compute the transposed tile, so that few rows
    still fill the narrow side of Hopper's warp-group product; ``group``: row tiles visited together.
    """

    max_rows: int | None
    block_m: int
    block_n: int
    swap: bool
    group: int
    num_warps: int
    num_stages: int


@dataclass(frozen=True)
class RowConfig:
    """Warps of a kernel that works row by row."""

    num_warps: int


@dataclass(frozen=True)
class Tables:
    """All configurations of one architecture. Attention is keyed by head dimension, products are listed by
    ascending ``max_rows``, row kernels are keyed by name. ``tma``: tiles come through tensor descriptors.
    """

    arch: str
    chosen: str
    tma: bool
    prefill: dict[int, TileConfig]
    decode: dict[int, TileConfig]
    matmul: tuple[ProductConfig, ...]
    lm_head: tuple[ProductConfig, ...]
    rows: dict[str, RowConfig]

    def __post_init__(self) -> None:
        for dim, config in self.prefill.items():
            if self.decode[dim].block_m * config.num_warps != config.block_m * self.decode[dim].num_warps:
                raise ValueError(
                    f"head dimension {dim}: prefill and decode need the same rows a warp, "
                    "or the same token gets other bits from one than from the other"
                )
        if len({config.num_warps for config in self.lm_head}) != 1:
            raise ValueError(
                "lm_head_leaf reduces over its warps: every bucket needs the same number of them"
            )

    @property
    def number(self) -> int:
        """The architecture as Triton counts it: 90 for sm_90."""
        return int(self.arch.removeprefix("sm_"))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Tables":
        """Read a table. Raises: KeyError, TypeError or ValueError for anything that is not one."""

        def attention(name: str) -> dict[int, TileConfig]:
            found = {int(dim): TileConfig(**row) for dim, row in data[name].items()}
            if tuple(sorted(found)) != HEAD_DIMS:
                raise ValueError(f"{name} needs the head dimensions {HEAD_DIMS}, has {sorted(found)}")
            return found

        return cls(
            arch=data["arch"],
            chosen=data["chosen"],
            tma=bool(data["tma"]),
            prefill=attention("attention_prefill"),
            decode=attention("attention_decode"),
            matmul=_buckets(data["matmul"]),
            lm_head=_buckets(data["lm_head_leaf"]),
            rows={name: RowConfig(**row) for name, row in data["rows"].items()},
        )


def _buckets(rows: list[dict[str, Any]]) -> tuple[ProductConfig, ...]:
    found = tuple(ProductConfig(**row) for row in rows)
    bounds = [config.max_rows for config in found]
    if not bounds or bounds[-1] is not None or None in bounds[:-1]:
        raise ValueError(f"exactly the last of the row buckets must be open, got {bounds}")
    closed = [bound for bound in bounds if bound is not None]
    if closed != sorted(set(closed)):
        raise ValueError(f"row buckets must ascend, got {bounds}")
    return found


def bucket(configs: tuple[ProductConfig, ...], rows: int) -> ProductConfig:
    """The configuration for a product of ``rows`` rows: the first that is wide enough."""
    return next(config for config in configs if config.max_rows is None or rows <= config.max_rows)


def config_file(arch: str) -> Path:
    """Where the table of ``arch`` lies."""
    return FOLDER / f"{arch}.json"


@lru_cache
def tables(arch: str) -> Tables:
    """The pinned table of ``arch``.

    Raises: :class:`BackendError` for an architecture without one, or a file that is none.
    """
    if arch not in ARCHITECTURES:
        raise BackendError(f"no pinned configurations for {arch}: there are {', '.join(ARCHITECTURES)}")
    try:
        found = Tables.from_json(json.loads(config_file(arch).read_text()))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BackendError(f"{config_file(arch)} is no configuration table: {error!r}") from error
    if found.arch != arch:
        raise BackendError(f"{config_file(arch)} is the table of {found.arch}")
    return found


@lru_cache
def arch_of(device: torch.device) -> str:
    """The table that ``device`` uses: its own, the generic ``sm_80``, or ``sm_90`` for the interpreter.

    Raises: :class:`BackendError` for a GPU older than Ampere.
    """
    if device.type != "cuda":
        return ARCHITECTURES[0]
    major, minor = torch.cuda.get_device_capability(device)
    if major < 8:
        raise BackendError(f"compute capability {major}.{minor} is older than 8.0: use backend='reference'")
    return "sm_90" if (major, minor) == (9, 0) else "sm_80"


_tried: ContextVar[Tables | None] = ContextVar("tried", default=None)


def tables_of(device: torch.device) -> Tables:
    """The pinned table for tensors on ``device``."""
    return _tried.get() or tables(arch_of(device))


@contextmanager
def trying(candidate: Tables) -> Iterator[None]:
    """Launch with another table in this context: for the tuner, which measures before it pins."""
    token = _tried.set(candidate)
    try:
        yield
    finally:
        _tried.reset(token)
