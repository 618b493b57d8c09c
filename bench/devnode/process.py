"""What the benchmarks ask the operating system."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def resident_bytes(pid: int | None = None) -> int:
    """The memory that a process (None: this one) has in RAM."""
    pages = int(Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def settled_resident_bytes() -> int:
    """This process's memory after a garbage collection."""
    gc.collect()
    return resident_bytes()


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown"
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def best_of(count: int, function: Callable[[], float]) -> dict[str, float]:
    """Runs a measurement several times: least, median and greatest of its seconds."""
    seconds = sorted(function() for _ in range(count))
    return {"min": seconds[0], "median": seconds[len(seconds) // 2], "max": seconds[-1]}


def timed(function: Callable[[], object]) -> float:
    """How many seconds a call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child process with its output in a file, ended at the end."""
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)
