"""Every operator beside its peers: serving sizes on a GPU, small ones of the reference path on a CPU."""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from .adapters import Adapter, adapters_for
from .ceilings import Ceiling
from .problem import Attention, Gate, Head, Norm, Problem, Product, Sampling
from .timing import bench
from .workloads import Workload

CUDA = ("cuda", torch.bfloat16)
CPU = ("cpu", torch.float32)


def attention(name: str, where: tuple[str, torch.dtype], *sizes: int) -> Attention:
    """``sizes``: batch, rows, context, heads, KV heads, head dimension."""
    batch, rows, context, heads, kv_heads, dim = sizes
    return Attention(name, *where, Workload(name, batch, rows, context, heads, kv_heads, dim))


ON_GPU: list[Problem] = [
    attention("prefill 16 x 1k, 32/8 x 128", CUDA, 16, 1024, 1024, 32, 8, 128),
    attention("prefill 2 x 8k, 32/8 x 128", CUDA, 2, 8192, 8192, 32, 8, 128),
    attention("prefill 1 x 16k, 32/8 x 128", CUDA, 1, 16384, 16384, 32, 8, 128),
    attention("prefill 8 x 2k, 9/3 x 64", CUDA, 8, 2048, 2048, 9, 3, 64),
    attention("decode 32 x 4k, 32/8 x 128", CUDA, 32, 1, 4096, 32, 8, 128),
    attention("decode 1 x 32k, 32/8 x 128", CUDA, 1, 1, 32768, 32, 8, 128),
    attention("decode 256 x 1k, 9/3 x 64", CUDA, 256, 1, 1024, 9, 3, 64),
    Product("product 4096 x 4096 x 4096", *CUDA, 4096, 4096, 4096),
    Product("product 8192 x 8192 x 8192", *CUDA, 8192, 8192, 8192),
    Product("product 1 x 4096 x 4096", *CUDA, 1, 4096, 4096),
    Product("product 16 x 14336 x 4096", *CUDA, 16, 14336, 4096),
    Product("product 64 x 4096 x 14336", *CUDA, 64, 4096, 14336),
    Norm("add, norm 8192 x 4096", *CUDA, 8192, 4096),
    Gate("gate 8192 x 14336", *CUDA, 8192, 14336),
    Head("output layer 16 x 128256 x 4096", *CUDA, 16, 128_256, 4096),
    Head("output layer 256 x 151936 x 1024", *CUDA, 256, 151_936, 1024),
    Sampling("sample 256 x 32", *CUDA, 256),
]
ON_CPU: list[Problem] = [
    attention("prefill 4 x 128, 9/3 x 64", CPU, 4, 128, 128, 9, 3, 64),
    attention("prefill 1 x 512, 9/3 x 64", CPU, 1, 512, 512, 9, 3, 64),
    attention("decode 1 x 1k, 9/3 x 64", CPU, 1, 1, 1024, 9, 3, 64),
    attention("decode 16 x 512, 9/3 x 64", CPU, 16, 1, 512, 9, 3, 64),
    Product("product 1 x 576 x 1536", *CPU, 1, 576, 1536),
    Product("product 128 x 1536 x 576", *CPU, 128, 1536, 576),
    Norm("add, norm 128 x 576", *CPU, 128, 576),
    Gate("gate 128 x 1536", *CPU, 128, 1536),
    Head("output layer 2 x 49152 x 576", *CPU, 2, 49_152, 576),
    Sampling("sample 16 x 32", *CPU, 16),
]
PROBLEMS = ON_GPU if torch.cuda.is_available() else ON_CPU
CASES = [
    pytest.param(problem, adapter, id=f"{problem.name}-{adapter.name}")
    for problem in PROBLEMS
    for adapter in adapters_for(problem)
]


@pytest.mark.parametrize(("problem", "adapter"), CASES)
def test_operator(benchmark: BenchmarkFixture, ceiling: Ceiling, problem: Problem, adapter: Adapter) -> None:
    bench(benchmark, ceiling, problem, adapter)
