"""One compiled form of a kernel, described well enough to be compiled without a GPU."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmnet.kernels._checks import Geometry

MODELS: dict[str, Geometry] = {
    "llama-8b": Geometry(32, 8, 128, 16),
    "smollm2-135m": Geometry(9, 3, 64, 16),
}
"""Attention shapes that the gate compiles for; sizes of the cache's pages are chosen beside them."""

WIDTHS: dict[str, int] = {"llama-8b": 4096, "smollm2-135m": 576}
"""Hidden sizes of the same models."""


@dataclass(frozen=True)
class Variant:
    """Types, constants and options of one launch.

    ``pointers`` and ``scalars``: element type by argument name (``"bf16"``, ``"i32"``, ...); ``descriptors``:
    type and tile of those that arrive as tensor descriptors; ``aligned``: the arguments that are multiples of
    16 and that the launcher specialises for it; ``wgmma`` and ``tma``: whether the dot products must compile
    to Hopper's warp-group instruction (they need at least 64 rows), and loads to its bulk copies.
    """

    name: str
    kernel: Any
    pointers: Mapping[str, str]
    scalars: Mapping[str, str]
    aligned: frozenset[str]
    constants: Mapping[str, int]
    num_warps: int
    num_stages: int
    wgmma: bool = False
    tma: bool = False
    descriptors: Mapping[str, tuple[str, tuple[int, int]]] = field(default_factory=dict)

    def signature(self) -> dict[str, str]:
        """Type of each argument as Triton's compiler spells it."""
        types = {name: f"*{kind}" for name, kind in self.pointers.items()} | dict(self.scalars)
        for name, (kind, tile) in self.descriptors.items():
            types[name] = f"tensordesc<{kind}[{tile[0]}, {tile[1]}]>"
        return {param.name: types.get(param.name, "constexpr") for param in self.kernel.params}

    def attributes(self) -> dict[tuple[int], list[list[object]]]:
        """Divisibility of the aligned arguments, by place."""
        return {
            (index,): [["tt.divisibility", 16]]
            for index, param in enumerate(self.kernel.params)
            if param.name in self.aligned
        }
