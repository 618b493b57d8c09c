"""Time one implementation on one workload, after checking that it computes the right thing."""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from .adapters import ADAPTERS, Timed, UnavailableError, ours
from .ceilings import Ceiling, synchronise
from .workloads import Tensors, Workload


def bench_attention(benchmark: BenchmarkFixture, ceiling: Ceiling, work: Workload, name: str) -> None:
    """Time adapter ``name`` on ``work`` and report GB/s and TFLOP/s beside the ceiling of this run."""
    tensors = Tensors.make(work, ceiling.device, ceiling.dtype)
    try:
        run = ADAPTERS[name](tensors)
    except UnavailableError as reason:
        pytest.skip(f"{name}: {reason}")
    tolerance = 2e-2 if ceiling.dtype == torch.bfloat16 else 1e-4
    torch.testing.assert_close(run(), ours("reference")(tensors)(), atol=tolerance, rtol=tolerance)
    launches = 10 if ceiling.device == "cuda" else 1
    benchmark.group = work.name
    benchmark.pedantic(lambda: _launch(run, launches, ceiling.device), rounds=10, warmup_rounds=2)
    if benchmark.stats is None:  # --benchmark-disable: run once, nothing timed
        return
    seconds = benchmark.stats.stats.median / launches
    tflops = work.flops / seconds / 1e12
    gbps = work.bytes_moved(ceiling.dtype) / seconds / 1e9
    benchmark.extra_info.update(
        implementation=name,
        workload=work.name,
        launches_per_round=launches,
        milliseconds=seconds * 1e3,
        tflops=tflops,
        gbps=gbps,
        ceiling_tflops=ceiling.tflops,
        ceiling_gbps=ceiling.gbps,
        tflops_percent=100 * tflops / ceiling.tflops,
        gbps_percent=100 * gbps / ceiling.gbps,
        dtype=str(ceiling.dtype).removeprefix("torch."),
        measured_on=ceiling.where,
    )


def _launch(run: Timed, launches: int, device: str) -> None:
    for _ in range(launches):
        run()
    synchronise(device)
