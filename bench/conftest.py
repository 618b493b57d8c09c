"""One table for all suites, and the ceilings it is measured against."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from .ceilings import Ceiling, measure_ceiling


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.option.benchmark_quiet = True  # our table instead of the plugin's


@pytest.fixture(scope="session")
def ceiling() -> Iterator[Ceiling]:
    """What this machine does, measured before the first benchmark."""
    torch.set_num_threads(1)  # one thread: a number that a busy machine can repeat
    yield measure_ceiling()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    rows = [bench.extra_info for bench in session.benchmarks] if session else []
    rows = [row for row in rows if "tflops" in row]
    if not rows:
        return
    terminalreporter.section("attention")
    for line in table(rows):
        terminalreporter.write_line(line)


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of the table; percent is of the ceiling measured in the same run."""
    first = rows[0]
    yield f"{first['measured_on']}, {first['dtype']}"
    yield f"ceiling: {first['ceiling_tflops']:.3f} TFLOP/s (matmul), {first['ceiling_gbps']:.1f} GB/s (copy)"
    yield f"{'workload':32} {'implementation':22} {'ms':>9} {'TFLOP/s':>9} {'%':>5} {'GB/s':>8} {'%':>5}"
    for row in sorted(rows, key=lambda row: (row["workload"], row["milliseconds"])):
        yield (
            f"{row['workload']:32} {row['implementation']:22} {row['milliseconds']:9.3f} "
            f"{row['tflops']:9.3f} {row['tflops_percent']:5.1f} {row['gbps']:8.1f} {row['gbps_percent']:5.1f}"
        )
