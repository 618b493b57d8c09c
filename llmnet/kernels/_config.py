"""Pinned launch configurations: one static table per kernel, no autotuning.

``KV_TILE`` and ``KV_SPLIT`` fix the order of summation over keys, so changing either changes the bits of
every answer; the other fields of :class:`TileConfig` change only speed.
"""

from dataclasses import dataclass

KV_TILE = 64
"""Keys per tile, in tokens; tiles start at absolute position 0."""

KV_SPLIT = 512
"""Keys per split, in tokens: the unit of parallelism of decode and of merging in both kernels."""


@dataclass(frozen=True)
class TileConfig:
    """How one kernel is tiled and launched.

    ``block_m``: query rows a program; ``block_n``: keys a tile; ``split``: keys a split (a multiple of
    ``block_n``); ``num_warps`` and ``num_stages``: as Triton defines them.
    """

    block_m: int
    block_n: int
    split: int
    num_warps: int
    num_stages: int

    def __post_init__(self) -> None:
        if self.split % self.block_n:
            raise ValueError(f"split {self.split} must be a multiple of block_n {self.block_n}")


PREFILL: dict[int, TileConfig] = {
    16: TileConfig(128, KV_TILE, KV_SPLIT, num_warps=8, num_stages=3),
    32: TileConfig(128, KV_TILE, KV_SPLIT, num_warps=8, num_stages=3),
    64: TileConfig(128, KV_TILE, KV_SPLIT, num_warps=8, num_stages=3),
    128: TileConfig(128, KV_TILE, KV_SPLIT, num_warps=8, num_stages=2),
}
"""Prefill configuration by head dimension."""

DECODE: dict[int, TileConfig] = {
    dim: TileConfig(16, KV_TILE, KV_SPLIT, num_warps=4, num_stages=3) for dim in (16, 32, 64, 128)
}
"""Decode configuration by head dimension; ``block_m`` grows to the group size when that is larger."""

COMPILE_OPTIONS: dict[str, bool] = {"enable_fp_fusion": False}
"""Options every kernel is compiled with: contraction only where the source says ``tl.fma``."""
