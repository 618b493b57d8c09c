# Kernels are written in Triton's language, which has no static types.
# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""Tiles of row-major matrices: through a tensor descriptor where the machine has bulk copies, else through
pointers.

Both give the same numbers: rows and columns past the end read as zero.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from llmnet.kernels._checks import Geometry
from llmnet.kernels._config import Tables, TileConfig
from llmnet.kernels.errors import LayoutError

ALIGNMENT = 16
"""Bytes on which a descriptor's base and rows must start."""


@triton.jit
def load_tile(p, i_row, i_col, rows, cols, s_row, BR: tl.constexpr, BC: tl.constexpr, TMA: tl.constexpr):
    """Read ``[BR, BC]`` at (``i_row``, ``i_col``) of a matrix ``[rows, cols]`` with rows ``s_row`` apart."""
    if TMA:
        b_tile = p.load([i_row, i_col])  # [BR, BC]
    else:
        o_row = i_row + tl.arange(0, BR)  # [BR]
        o_col = i_col + tl.arange(0, BC)  # [BC]
        m_tile = (o_row < rows)[:, None] & (o_col < cols)[None, :]  # [BR, BC]
        b_tile = tl.load(p + o_row[:, None].to(tl.int64) * s_row + o_col[None, :], mask=m_tile, other=0.0)
    return b_tile


def descriptor(name: str, matrix: Tensor, tile: tuple[int, int]) -> Any:
    """A descriptor of ``matrix [rows, cols]`` for tiles of ``tile``.

    Raises: :class:`LayoutError` when the machine's bulk copies cannot address it.
    """
    from triton.tools.tensor_descriptor import TensorDescriptor

    row_bytes = matrix.stride(0) * matrix.element_size()
    if matrix.stride(1) != 1 or row_bytes % ALIGNMENT or matrix.data_ptr() % ALIGNMENT:
        raise LayoutError(
            f"{name} must have dense rows that start on {ALIGNMENT} bytes, got strides "
            f"{tuple(matrix.stride())} of {matrix.element_size()} bytes: call .contiguous() or pad its columns"
        )
    return TensorDescriptor(matrix, list(matrix.shape), list(matrix.stride()), list(tile))


def uses_tma(pinned: Tables, geometry: Geometry, config: TileConfig) -> bool:
    """Whether a tile of keys lies in one page, and so is one bulk copy on a machine that has them."""
    return pinned.tma and geometry.page_size % config.block_n == 0


def cache_argument(name: str, cache: Tensor, config: TileConfig, tma: bool) -> Any:
    """A cache ``[pages, page_size, num_kv_heads, head_dim]`` as a kernel takes it."""
    if not tma:
        return cache
    return descriptor(name, cache.flatten(2).flatten(0, 1), (config.block_n, cache.shape[3]))


def programs(device: torch.device, tiles: int) -> int:
    """How many persistent programs a launch over ``tiles`` tiles has: one a multiprocessor at most.

    The number changes who computes a tile, never how. The interpreter runs its programs one after the other,
    so there two are as good as many.
    """
    if device.type != "cuda":
        return min(tiles, 2)
    return min(tiles, torch.cuda.get_device_properties(device).multi_processor_count)
