"""Prefill attention: a whole prompt at once, causal."""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from .adapters import ADAPTERS
from .ceilings import Ceiling
from .timing import bench_attention
from .workloads import Workload

ON_GPU = [
    Workload("prefill 16 x 1k, 32/8 x 128", 16, 1024, 1024, heads=32, kv_heads=8, dim=128),
    Workload("prefill 2 x 8k, 32/8 x 128", 2, 8192, 8192, heads=32, kv_heads=8, dim=128),
    Workload("prefill 1 x 16k, 32/8 x 128", 1, 16384, 16384, heads=32, kv_heads=8, dim=128),
    Workload("prefill 8 x 2k, 9/3 x 64", 8, 2048, 2048, heads=9, kv_heads=3, dim=64),
]
ON_CPU = [
    Workload("prefill 4 x 128, 9/3 x 64", 4, 128, 128, heads=9, kv_heads=3, dim=64),
    Workload("prefill 1 x 512, 9/3 x 64", 1, 512, 512, heads=9, kv_heads=3, dim=64),
]


@pytest.mark.parametrize("work", ON_GPU if torch.cuda.is_available() else ON_CPU, ids=lambda work: work.name)
@pytest.mark.parametrize("name", ADAPTERS)
def test_attention_prefill(benchmark: BenchmarkFixture, ceiling: Ceiling, work: Workload, name: str) -> None:
    bench_attention(benchmark, ceiling, work, name)
