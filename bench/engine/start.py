"""How long a worker takes from its first instruction to an open door, the first time and later.

    python -m bench.engine.start --starts 3

A development node and `llmnet-worker` as processes of their own; kernels are compiled in a cache that begins empty.
So is the place where Python keeps the bytecode of modules; an environment that forbids it to keep any is not heeded
(`--no-bytecode`: is).
The door answers `/healthz` when the worker has its bond, its offer, its model and its engine: it answers questions
from then on. The first start includes all that is done once a machine or once an account: compiling, bonding,
registering, the self-test. Processor time is that of the worker alone: on a busy machine it says more than the clock.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmnet.engine import cache_dir, ensure_default_model

_PATIENCE = 180.0


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(module: str, *arguments: str, log: Path, environment: dict[str, str]) -> Iterator[int]:
    """A daemon as a process; its id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdout=output, stderr=output, env=environment
        )
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def until_open(port: int, log: Path, path: str | None = None) -> None:
    """Wait until a port takes connections, or answers at `path`. Raises TimeoutError with the end of the log."""
    end = time.perf_counter() + _PATIENCE
    while time.perf_counter() < end:
        door = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            door.connect()
            if path is None:
                return
            door.request("GET", path)
            if door.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
        finally:
            door.close()
    raise TimeoutError(f"nothing answers at port {port}: {log.read_text()[-2000:]}")


def cpu_seconds(process: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(starts: int, *, bytecode: bool = True) -> list[dict[str, float]]:
    """Seconds and processor seconds of each start."""
    with tempfile.TemporaryDirectory(prefix="llmnet-bench-") as scratch:
        folder, node = Path(scratch), free_port()
        environment = os.environ | {"OMP_NUM_THREADS": "1", "LLMNET_HOME": scratch}
        kernels = folder / "cache"
        kernels.mkdir()
        ensure_default_model()
        (kernels / "models").symlink_to(cache_dir() / "models")
        environment["LLMNET_CACHE"] = str(kernels)
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        environment["PYTHONDONTWRITEBYTECODE"] = "" if bytecode else "1"
        log, place = folder / "node.log", ("--dev", "--port", str(node))
        with running("llmnet.cli.node", *place, log=log, environment=dict(os.environ)):
            until_open(node, log)
            return [_start(folder, node, environment) for _ in range(starts)]


def _start(folder: Path, node: int, environment: dict[str, str]) -> dict[str, float]:
    port, log = free_port(), folder / "worker.log"
    arguments = ["--node", f"ws://127.0.0.1:{node}", "--dev-key", "Worker1", "--store", str(folder / "w")]
    arguments += ["--bond", "1000", "--register-spec", "--port", str(port)]
    arguments += ["--endpoint", "http://127.0.0.1:1"]  # one offer for all starts
    begin = time.perf_counter()
    with running("llmnet.cli.worker", *arguments, log=log, environment=environment) as process:
        until_open(port, log, "/healthz")
        return {"seconds": time.perf_counter() - begin, "cpu_seconds": cpu_seconds(process)}


def main() -> None:
    """Print one line a start; write JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.engine.start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--no-bytecode", action="store_true", help="compile all modules at every start")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows: list[dict[str, Any]] = list(measure(args.starts, bytecode=not args.no_bytecode))
    for number, row in enumerate(rows):
        sys.stdout.write(
            f"start {number}: {row['seconds']:.2f} s, {row['cpu_seconds']:.2f} s of processor time, "
            f"load {os.getloadavg()[0]:.1f}\n"
        )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
