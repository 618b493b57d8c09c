"""Run as a program, without ``TRITON_INTERPRET``: does the gate compile what the launchers launch?

Calls each launcher with serving-like tensors and a recorder in place of its kernels, specialises the recorded
arguments as Triton would on a GPU, and prints as JSON where that differs from the variants of the gate.
"""

import json
import sys
from types import ModuleType
from typing import Any

import torch
from triton._C.libtriton import native_specialize_impl
from triton.backends.nvidia.compiler import CUDABackend

from llmnet.kernels._checks import Geometry
from llmnet.kernels._config import COMPILE_OPTIONS
from llmnet.kernels._variant import Variant
from llmnet.kernels.attention_decode import triton as decode
from llmnet.kernels.attention_prefill import triton as prefill
from llmnet.kernels.attention_prefill.plan import make_plan
from llmnet.kernels.kv_write import triton as write

GEOMETRIES = {"llama-8b": Geometry(32, 8, 128, 16), "smollm2-135m": Geometry(9, 3, 64, 16)}


class Recorder:
    """Stands in for a kernel and keeps what it was launched with."""

    def __init__(self) -> None:
        self.args: tuple[Any, ...] = ()
        self.options: dict[str, Any] = {}

    def __getitem__(self, grid: Any) -> "Recorder":
        return self

    def __call__(self, *args: Any, **options: Any) -> None:
        self.args, self.options = args, options


def recorded(module: ModuleType, names: list[str], launch: Any) -> dict[str, Recorder]:
    genuine = {name: getattr(module, name) for name in names}
    module.check_triton_dtype = lambda tensor: None
    recorders = {name: Recorder() for name in names}
    for name, recorder in recorders.items():
        setattr(module, name, recorder)
    launch()
    for name, kernel in genuine.items():
        setattr(module, name, kernel)
    return recorders


def differences(variant: Variant, recorder: Recorder) -> list[str]:
    """Arguments and options in which a launch and its variant differ."""
    found = []
    names = [param.name for param in variant.kernel.params]
    for name, value, param in zip(names, recorder.args, variant.kernel.params, strict=False):
        specialise = not param.do_not_specialize
        kind, key = native_specialize_impl(CUDABackend, value, False, specialise, specialise)
        types = {name: f"*{kind}" for name, kind in variant.pointers.items()} | dict(variant.scalars)
        if kind != types[name]:
            found.append(f"{name}: launched as {kind}, gate compiles {types[name]}")
        if ("D" in (key or "")) != (name in variant.aligned):
            found.append(f"{name}: launched with key {key!r}, gate has aligned {sorted(variant.aligned)}")
    pinned = {"num_warps": variant.num_warps, "num_stages": variant.num_stages}
    expected = {**variant.constants, **pinned, **COMPILE_OPTIONS}
    if recorder.options != expected:
        found.append(f"options: launched {recorder.options}, gate compiles {expected}")
    if len(recorder.args) + len(variant.constants) != len(names):
        found.append(f"{len(recorder.args)} arguments launched for {names}")
    return found


def launches(model: str, dtype: torch.dtype) -> dict[str, Recorder]:
    """What each operator launches for ``model``; index tensors are unaligned on purpose."""
    geometry = GEOMETRIES[model]
    heads, kv_heads, dim = geometry.num_heads, geometry.num_kv_heads, geometry.head_dim
    cache = torch.zeros(4, 16, kv_heads, dim, dtype=dtype)
    index = torch.zeros(64, dtype=torch.int32)[1:]
    table, ends, contexts = index[:32].view(2, 16), index[:3], index[:2]
    fused = torch.zeros(2, heads + 2 * kv_heads, dim, dtype=dtype)
    q, k, v = fused.split([heads, kv_heads, kv_heads], 1)
    plan = make_plan([1, 1], [1, 1], dim, torch.device("cpu"))
    tail = (1.0, geometry)

    def run_prefill() -> None:
        prefill.attention_prefill_triton(q, cache, cache, table, ends, contexts, *tail, plan)

    def run_decode() -> None:
        decode.attention_decode_triton(q, cache, cache, table, contexts, *tail, 16)

    def run_write() -> None:
        write.kv_write_triton(k, v, cache, cache, torch.zeros(3, dtype=torch.int64)[1:])

    decoded = recorded(decode, ["split_kernel", "merge_kernel"], run_decode)
    return {
        "attention_prefill": recorded(prefill, ["prefill_kernel"], run_prefill)["prefill_kernel"],
        "attention_decode.split": decoded["split_kernel"],
        "attention_decode.merge": decoded["merge_kernel"],
        "kv_write": recorded(write, ["write_kernel"], run_write)["write_kernel"],
    }


def main() -> None:
    found: dict[str, list[str]] = {}
    for module in (prefill, decode, write):
        for variant in module.variants():
            operator, model, kind = variant.name.split("/")
            dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[kind]
            found[variant.name] = differences(variant, launches(model, dtype)[operator])
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
