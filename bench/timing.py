"""Time one implementation on one problem, after checking that it computes the right thing."""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from .adapters import Adapter, Timed, UnavailableError
from .ceilings import Ceiling, synchronise
from .problem import Problem


def bench(benchmark: BenchmarkFixture, ceiling: Ceiling, problem: Problem, adapter: Adapter) -> None:
    """Time ``adapter`` on ``problem`` and report GB/s and TFLOP/s beside the ceiling of this run."""
    try:
        run = adapter.prepare(problem)
    except UnavailableError as reason:
        pytest.skip(f"{adapter.name}: {reason}")
    found, expected = run(), problem.expected()
    torch.testing.assert_close(
        found, expected, atol=problem.tolerance, rtol=problem.tolerance, check_dtype=False
    )
    launches = 10 if problem.device == "cuda" else 1
    benchmark.group = problem.name
    benchmark.pedantic(lambda: _launch(run, launches, problem.device), rounds=10, warmup_rounds=2)
    if benchmark.stats is None:  # --benchmark-disable: run once, nothing timed
        return
    seconds = benchmark.stats.stats.median / launches
    tflops = problem.flops / seconds / 1e12
    gbps = problem.bytes / seconds / 1e9
    benchmark.extra_info.update(
        implementation=adapter.name,
        workload=problem.name,
        launches_per_round=launches,
        milliseconds=seconds * 1e3,
        tflops=tflops,
        gbps=gbps,
        ceiling_tflops=ceiling.tflops,
        ceiling_gbps=ceiling.gbps,
        tflops_percent=100 * tflops / ceiling.tflops,
        gbps_percent=100 * gbps / ceiling.gbps,
        dtype=str(problem.dtype).removeprefix("torch."),
        measured_on=ceiling.where,
    )


def _launch(run: Timed, launches: int, device: str) -> None:
    for _ in range(launches):
        run()
    synchronise(device)
