"""Decode attention: one new token a sequence over its context."""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from .adapters import ADAPTERS
from .ceilings import Ceiling
from .timing import bench_attention
from .workloads import Workload

ON_GPU = [
    Workload("decode 32 x 4k, 32/8 x 128", 32, 1, 4096, heads=32, kv_heads=8, dim=128),
    Workload("decode 1 x 32k, 32/8 x 128", 1, 1, 32768, heads=32, kv_heads=8, dim=128),
    Workload("decode 256 x 1k, 9/3 x 64", 256, 1, 1024, heads=9, kv_heads=3, dim=64),
]
ON_CPU = [
    Workload("decode 1 x 1k, 9/3 x 64", 1, 1, 1024, heads=9, kv_heads=3, dim=64),
    Workload("decode 16 x 512, 9/3 x 64", 16, 1, 512, heads=9, kv_heads=3, dim=64),
]


@pytest.mark.parametrize("work", ON_GPU if torch.cuda.is_available() else ON_CPU, ids=lambda work: work.name)
@pytest.mark.parametrize("name", ADAPTERS)
def test_attention_decode(benchmark: BenchmarkFixture, ceiling: Ceiling, work: Workload, name: str) -> None:
    bench_attention(benchmark, ceiling, work, name)
