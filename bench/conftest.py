"""One table for all suites, and the ceilings it is measured against."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from .ceilings import Ceiling, measure_ceiling
from .report import table


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
    terminalreporter.section("operators")
    for line in table(rows):
        terminalreporter.write_line(line)
