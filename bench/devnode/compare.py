"""Side by side: the same runtime, the same transfers, three nodes.

    python -m bench.devnode.compare --json bench/results/devnode-compare.json --chopsticks FOLDER

LLMNET_POLKADOT_NODE names polkadot-sdk's node, FOLDER is one in which `npm install
@acala-network/chopsticks@1.1.0` has run; what is missing is left out and said to be.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from llmnet.devnode import ChainSpec, Runtime, read_code
from llmnet.devnode.executor import default_cache_dir
from tests.devnode.peer import available
from tests.devnode.support import artifact

from .process import machine, timed
from .runners import Runner, chopsticks, ours, polkadot

TRANSFERS = 200
_START = """
import sys
from pathlib import Path
from llmnet.devnode import Node
node = Node.from_preset(Path(sys.argv[1]))
node.call("Core_version")
node.close()
"""


def measure(runner: Runner, empty: int, full: int) -> dict[str, Any]:
    """Seconds of empty blocks and of full ones (medians), and memory afterwards."""
    runner.block(1)  # warm
    empties = [runner.block(0) for _ in range(empty)]
    fulls = [runner.block(TRANSFERS) for _ in range(full)]
    return {
        "empty_ms": 1e3 * statistics.median(empties),
        "full_ms": 1e3 * statistics.median(fulls),
        "transfer_ms": 1e3 * (statistics.median(fulls) - statistics.median(empties)) / TRANSFERS,
        "samples": {"empty": [1e3 * s for s in empties], "full": [1e3 * s for s in fulls]},
        "memory_mb": runner.memory() / 1e6,
    }


def start_from_cache() -> dict[str, float]:
    """Seconds from starting a Python process to a node that has answered a runtime call, modules cached.

    By the clock and of processor time, the least of five each.
    """
    command = [sys.executable, "-c", _START, str(artifact())]
    subprocess.run(command, check=True)
    wall, processor = [], []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(timed(lambda: subprocess.run(command, check=True)))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"wall": min(wall), "processor": min(processor)}


def run(chopsticks_folder: Path | None, rounds: int) -> dict[str, Any]:
    """All measurements of one run."""
    code = read_code(artifact())
    spec = ChainSpec.from_preset(code, Runtime(code, cache_dir=default_cache_dir()))
    results: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        for check in (False, True):
            with ours(spec, folder / f"ours-{check}", self_check=check) as runner:
                results[runner.name] = measure(runner, 20, rounds)
                submit = 1e3 * runner.submit_seconds / TRANSFERS
                results[runner.name]["validate_ms"] = submit
        if available():
            peer = stack.enter_context(polkadot(spec, folder))
            results[peer.name] = measure(peer, 5, rounds)
        else:
            left_out["polkadot-sdk"] = "LLMNET_POLKADOT_NODE names no binary"
        if chopsticks_folder is not None:
            other = stack.enter_context(chopsticks(spec, folder, chopsticks_folder))
            results[other.name] = measure(other, 3, 1)
        else:
            left_out["chopsticks"] = "no --chopsticks folder given"
    return {
        "machine": machine(),
        "transfers": TRANSFERS,
        "start_from_cache_s": start_from_cache(),
        "nodes": results,
        "left_out": left_out,
        "ratios": _ratios(results),
    }


def _ratios(results: dict[str, Any]) -> dict[str, float]:
    """Ours in units of each other node: full blocks and empty ones."""
    mine = results["llmnet.devnode"]
    return {
        f"{kind} block, ours / {name}": mine[f"{kind}_ms"] / result[f"{kind}_ms"]
        for name, result in results.items()
        if not name.startswith("llmnet")
        for kind in ("empty", "full")
    }


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"{'node':42} {'empty':>9} {'200 transfers':>14} {'a transfer':>11} {'memory':>9}"]
    for name, row in report["nodes"].items():
        cells = f"{row['empty_ms']:6.2f} ms {row['full_ms']:11.1f} ms {row['transfer_ms']:8.3f} ms"
        lines.append(f"{name:42} {cells} {row['memory_mb']:6.0f} MB")
    lines += [f"{name}: {ratio:.2f}" for name, ratio in report["ratios"].items()]
    start = report["start_from_cache_s"]
    lines.append(f"start from cache: {start['wall']:.2f} s ({start['processor']:.2f} s of processor time)")
    lines += [f"left out: {name} ({reason})" for name, reason in report["left_out"].items()]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the report here as well")
    parser.add_argument("--rounds", type=int, default=5, help="blocks of 200 transfers (default 5)")
    folder = os.environ.get("LLMNET_CHOPSTICKS")
    parser.add_argument("--chopsticks", type=Path, default=Path(folder) if folder else None)
    options = parser.parse_args()
    report = run(options.chopsticks, options.rounds)
    sys.stdout.write(table(report) + "\n")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
