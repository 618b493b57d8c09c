"""Run as a program, without ``TRITON_INTERPRET``: does the gate compile what the launchers launch?

Calls each launcher with serving-like tensors and a recorder in place of its kernels, specialises the recorded
arguments as Triton would on a GPU, and prints as JSON where that differs from the variants of the gate.
"""

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from triton._C.libtriton import native_specialize_impl
from triton.backends.nvidia.compiler import CUDABackend
from triton.tools.tensor_descriptor import TensorDescriptor

from llmnet.kernels._config import ARCHITECTURES, COMPILE_OPTIONS, tables
from llmnet.kernels._variant import MODELS, WIDTHS, Variant
from llmnet.kernels.aot import all_variants
from llmnet.kernels.attention_decode import triton as decode
from llmnet.kernels.attention_prefill import triton as prefill
from llmnet.kernels.attention_prefill.plan import make_plan
from llmnet.kernels.kv_write import triton as write
from llmnet.kernels.lm_head_leaf import triton as head
from llmnet.kernels.matmul import triton as product
from llmnet.kernels.rms_norm import triton as norm
from llmnet.kernels.sample import triton as sampler
from llmnet.kernels.sign_octets import triton as signs
from llmnet.kernels.swiglu import triton as gate

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
ARCH = ARCHITECTURES[0]
GUARDS = ("check_triton_dtype", "check_interpreter_dtype", "check_integer_backend")


class Recorder:
    """Stands in for a kernel and keeps what it was launched with."""

    def __init__(self) -> None:
        self.args: tuple[Any, ...] = ()
        self.options: dict[str, Any] = {}

    def __getitem__(self, grid: Any) -> "Recorder":
        return self

    def __call__(self, *args: Any, **options: Any) -> None:
        self.args, self.options = args, options


@contextlib.contextmanager
def recorded(module: ModuleType) -> Iterator[dict[str, Recorder]]:
    """Recorders in place of the kernels of ``module``, by name, its guards off, and ``ARCH``'s tables."""
    genuine = {
        name: value for name, value in vars(module).items() if name.endswith("_kernel") or name in GUARDS
    }
    recorders = {name: Recorder() for name in genuine if name.endswith("_kernel")}
    stubs = {name: lambda *_: None for name in genuine if name in GUARDS}
    vars(module).update(recorders | stubs | {"tables_of": lambda _device: tables(ARCH)})
    yield recorders
    vars(module).update(genuine)


def differences(variant: Variant, recorder: Recorder) -> list[str]:
    """Arguments and options in which a launch and its variant differ."""
    found = []
    signature = variant.signature()
    for (name, wanted), value, param in zip(
        signature.items(), recorder.args, variant.kernel.params, strict=False
    ):
        if isinstance(value, TensorDescriptor):
            dtype, tile = variant.descriptors.get(name, ("", (0, 0)))
            if (DTYPES.get(dtype), list(tile)) != (value.base.dtype, value.block_shape):
                found.append(
                    f"{name}: launched as {value.base.dtype} {value.block_shape}, gate compiles {wanted}"
                )
            continue
        specialise = not param.do_not_specialize
        kind, key = native_specialize_impl(CUDABackend, value, False, specialise, specialise)
        if kind != wanted:
            found.append(f"{name}: launched as {kind}, gate compiles {wanted}")
        if ("D" in (key or "")) != (name in variant.aligned):
            found.append(f"{name}: launched with key {key!r}, gate has aligned {sorted(variant.aligned)}")
    pinned = {"num_warps": variant.num_warps, "num_stages": variant.num_stages}
    expected = {**variant.constants, **pinned, **COMPILE_OPTIONS}
    if recorder.options != expected:
        found.append(f"options: launched {recorder.options}, gate compiles {expected}")
    if len(recorder.args) + len(variant.constants) != len(signature):
        found.append(f"{len(recorder.args)} arguments launched for {list(signature)}")
    return found


def unaligned(*shape: int, dtype: torch.dtype) -> Tensor:
    """Index tensors are slices of larger ones, so that no launch may count on where they start."""
    count = torch.Size(shape).numel()
    return torch.zeros(count + 1, dtype=dtype)[1:].view(shape)


def attention(name: str, model: str, page: str, dtype: str) -> Recorder:
    geometry = dataclasses.replace(MODELS[model], page_size=int((page or "page16").removeprefix("page")))
    heads, kv_heads, dim = geometry.num_heads, geometry.num_kv_heads, geometry.head_dim
    cache = torch.zeros(4, geometry.page_size, kv_heads, dim, dtype=DTYPES[dtype])
    table, ends, contexts = (unaligned(*shape, dtype=torch.int32) for shape in ((2, 16), (3,), (2,)))
    q = torch.zeros(2, heads + 2 * kv_heads, dim, dtype=DTYPES[dtype])[:, :heads]
    if name == "attention_prefill":
        plan = make_plan([1, 1], [1, 1], dim, torch.device("cpu"), tables(ARCH).prefill[dim])
        with recorded(prefill) as kernels:
            prefill.attention_prefill_triton(q, cache, cache, table, ends, contexts, 1.0, geometry, plan)
        return kernels["prefill_kernel"]
    with recorded(decode) as kernels:
        decode.attention_decode_triton(q, cache, cache, table, contexts, 1.0, geometry, 16)
    return kernels["split_kernel" if name.endswith("split") else "merge_kernel"]


def cache_write(name: str, model: str) -> Recorder:
    geometry = MODELS[model]
    heads, kv_heads, dim = geometry.num_heads, geometry.num_kv_heads, geometry.head_dim
    cache = torch.zeros(4, 16, kv_heads, dim, dtype=torch.bfloat16)
    fused = torch.zeros(2, heads + 2 * kv_heads, dim, dtype=torch.bfloat16)
    q, k, v = fused.split([heads, kv_heads, kv_heads], 1)
    slots, positions = unaligned(2, dtype=torch.int64), unaligned(2, dtype=torch.int64)
    angles = torch.zeros(8, dim // 2)
    with recorded(write) as kernels:
        write.kv_write_triton(k, v, cache, cache, slots)
        write.rope_kv_write_triton(q, k, v, angles, angles, positions, cache, cache, slots)
    return kernels["rope_kernel" if name.endswith("rope") else "write_kernel"]


def matrix_product(rows: str, kinds: str) -> Recorder:
    dtype, result, *bias = kinds.split("-")
    count = 200 if rows == "rowsany" else int(rows.removeprefix("rows"))
    x, weight = (torch.zeros(size, 64, dtype=DTYPES[dtype]) for size in (count, 96))
    with recorded(product) as kernels:
        product.matmul_triton(x, weight, weight[:, 0].contiguous() if bias else None, DTYPES[result])
    return kernels["matmul_kernel"]


def row_norm(name: str, model: str) -> Recorder:
    width, add = WIDTHS[model], name.endswith("add")
    x = torch.zeros(2, width, dtype=torch.bfloat16 if add else torch.float32)
    with recorded(norm) as kernels:
        norm.rms_norm_triton(x, x.float() if add else None, torch.ones(width), 1e-5, torch.bfloat16)
    return kernels["norm_kernel"]


def output_layer(name: str, model: str, kinds: str) -> Recorder:
    merging = name.endswith("merge")
    vocab, width = (head.VOCABULARIES[model], WIDTHS[model]) if merging else (1024, 64)
    dtype, *logits = kinds.split("-")
    rows = 5 if model == "rows16" else 40
    octets = torch.zeros(2, vocab, dtype=torch.uint8), torch.zeros(2, width, dtype=torch.uint8)
    hidden, weight = torch.zeros(rows, width), torch.zeros(vocab, width, dtype=DTYPES[dtype or "bf16"])
    slots = unaligned(rows, dtype=torch.int64)
    with recorded(head) as kernels:
        head.lm_head_leaf_triton(hidden, weight, *octets, slots, 32, bool(logits))
    return kernels["merge_kernel" if merging else "block_kernel"]


def elementwise(dtype: str) -> Recorder:
    gates = torch.zeros(2, 128, dtype=DTYPES[dtype])
    with recorded(gate) as kernels:
        gate.swiglu_triton(gates[:, :64], gates[:, 64:], DTYPES[dtype])
    return kernels["swiglu_kernel"]


def integers(name: str, what: str) -> Recorder:
    if name == "sign_octets":
        with recorded(signs) as kernels:
            signs.sign_octets_triton(torch.zeros(2, 2, dtype=torch.int64), 4096, what)
        return kernels["octets_kernel"]
    rows, words = torch.zeros(2, 32, dtype=torch.int16), torch.zeros(2, dtype=torch.int64)
    with recorded(sampler) as kernels:
        sampler.sample_triton(rows, rows.long(), words, torch.zeros(2, 2, dtype=torch.int64), words)
    return kernels["sample_kernel"]


def launch(variant: Variant) -> Recorder:
    """What the launcher of ``variant`` launches for the case that its name describes."""
    name, *parts = variant.name.split("/")
    operator = name.split(".")[0]
    launchers: dict[str, Callable[[], Recorder]] = {
        "attention_prefill": lambda: attention(name, *parts),
        "attention_decode": lambda: attention(name, parts[0], parts[1] if len(parts) == 3 else "", parts[-1]),
        "kv_write": lambda: cache_write(name, parts[0]),
        "matmul": lambda: matrix_product(*parts),
        "rms_norm": lambda: row_norm(name, parts[0]),
        "lm_head_leaf": lambda: output_layer(name, parts[0], parts[1] if len(parts) == 2 else ""),
        "swiglu": lambda: elementwise(*parts),
        "sign_octets": lambda: integers(name, *parts),
        "sample": lambda: integers(name, *parts),
    }
    return launchers[operator]()


def main() -> None:
    global ARCH
    found = {}
    for ARCH in ARCHITECTURES:
        for variant in all_variants(ARCH):
            found[f"{ARCH}/{variant.name}"] = differences(variant, launch(variant))
    # The probe itself must be able to see a difference.
    wrong = dataclasses.replace(variant, num_warps=variant.num_warps * 2, aligned=frozenset())
    assert len(differences(wrong, launch(variant))) > 1
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
