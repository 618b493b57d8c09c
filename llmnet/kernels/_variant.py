"""One compiled form of a kernel, described well enough to be compiled without a GPU."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Variant:
    """Types, constants and options of one launch.

    ``pointers`` and ``scalars``: element type by argument name (``"bf16"``, ``"i32"``, ...); ``aligned``: the
    arguments that are multiples of 16 and that the launcher specialises for it; ``wgmma``: whether the dot
    products must compile to Hopper's warp-group instruction (they need at least 64 rows).
    """

    name: str
    kernel: Any
    pointers: Mapping[str, str]
    scalars: Mapping[str, str]
    aligned: frozenset[str]
    constants: Mapping[str, int]
    num_warps: int
    num_stages: int
    wgmma: bool
