"""Where the time of a transfer goes: host functions by name, instances, the rest.

    python -m bench.devnode.profile --json bench/results/devnode-profile.json

The clock around each host function costs time itself (about 0.2 µs a call), so the sum is a little above
that of `bench.devnode.compare`.
"""

from __future__ import annotations

import argparse
import collections
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmnet.devnode import ChainSpec, Runtime, read_code
from llmnet.devnode.executor import Runtime as Executor
from llmnet.devnode.executor import default_cache_dir
from llmnet.devnode.host import HOST_FUNCTIONS
from llmnet.devnode.host.registry import HostFunction, arity
from tests.devnode.support import artifact

from .process import machine
from .runners import ours

TRANSFERS = 200


class Clock:
    """Seconds and calls by name."""

    def __init__(self) -> None:
        self.seconds: collections.Counter[str] = collections.Counter()
        self.calls: collections.Counter[str] = collections.Counter()

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with a clock around it."""

        def run(*arguments: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds[name] += time.perf_counter() - started
                self.calls[name] += 1

        return run


# A host function is known by how many parameters it has, so a wrapper must have as many.
_WITH_ARITY: dict[int, Callable[[HostFunction], HostFunction]] = {
    0: lambda run: lambda host: run(host),
    1: lambda run: lambda host, a: run(host, a),
    2: lambda run: lambda host, a, b: run(host, a, b),
    3: lambda run: lambda host, a, b, c: run(host, a, b, c),
    4: lambda run: lambda host, a, b, c, d: run(host, a, b, c, d),
}


@contextmanager
def clocked() -> Iterator[Clock]:
    """Puts a clock around all host functions and around the making of instances."""
    clock, functions, make = Clock(), dict(HOST_FUNCTIONS), Executor._instance
    for name, function in functions.items():
        if arity(function) in _WITH_ARITY:
            HOST_FUNCTIONS[name] = _WITH_ARITY[arity(function)](clock.around(name, function))
    Executor._instance = clock.around("a fresh instance", make)  # type: ignore[method-assign]
    try:
        yield clock
    finally:
        HOST_FUNCTIONS.update(functions)
        Executor._instance = make  # type: ignore[method-assign]


def run() -> dict[str, Any]:
    """The profile of one block of transfers."""
    code = read_code(artifact())
    spec = ChainSpec.from_preset(code, Runtime(code, cache_dir=default_cache_dir()))
    with tempfile.TemporaryDirectory() as folder, clocked() as clock, ours(spec, Path(folder)) as runner:
        runner.block(TRANSFERS)
        rows: collections.Counter[str] = collections.Counter()
        counts: collections.Counter[str] = collections.Counter()
        total, rounds = 0.0, 3
        for _ in range(rounds):
            # Validation runs before the clock is read, the block after it.
            for extrinsic in runner.transfers.take(TRANSFERS):
                runner.node.submit(extrinsic)
            before, calls = clock.seconds.copy(), clock.calls.copy()
            total += runner.node.produce_block().seconds
            rows.update({name: clock.seconds[name] - before[name] for name in clock.seconds})
            counts.update({name: clock.calls[name] - calls[name] for name in clock.calls})
    scale = rounds * TRANSFERS
    table = [
        {"what": name, "calls": counts[name] / scale, "us": 1e6 * seconds / scale}
        for name, seconds in rows.most_common()
        if counts[name]
    ]
    rest = 1e6 * total / scale - sum(row["us"] for row in table)
    table.append({"what": "WASM, crossings, the author's loop, storing the block", "calls": 1.0, "us": rest})
    return {"machine": machine(), "transfer_us": 1e6 * total / scale, "rows": table}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the report here as well")
    options = parser.parse_args()
    report = run()
    for row in sorted(report["rows"], key=lambda row: -row["us"]):
        sys.stdout.write(f"{row['what']:56} {row['calls']:7.1f} calls {row['us']:8.1f} µs\n")
    sys.stdout.write(f"a transfer: {report['transfer_us']:.0f} µs\n")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
