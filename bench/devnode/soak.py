"""A long run: does memory stay flat, and what does the file consist of?

python -m bench.devnode.soak --blocks 5000 --transfers 20 --json bench/results/devnode-soak.json
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from llmnet.devnode import ChainSpec, Runtime, read_code
from llmnet.devnode.executor import default_cache_dir
from tests.devnode.support import artifact

from .process import machine, settled_resident_bytes
from .runners import Ours, ours

# Memory may grow by so much from a fifth of the way to the end and still be called flat.
TOLERANCE_BYTES = 8_000_000


def bytes_by_table(base: Path) -> dict[str, int]:
    """The pages of a chain's file by table and index, in bytes."""
    (path,) = base.glob("*.sqlite")
    sizes: dict[str, int] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        try:
            rows = database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
            sizes = {str(name): int(size) for name, size in rows}
        except sqlite3.OperationalError:  # this SQLite was built without dbstat: the contents, without pages
            sizes = {f"{table} (contents)": _contents(database, table) for table in _tables(database)}
    sizes["file"] = path.stat().st_size
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def _tables(database: sqlite3.Connection) -> list[str]:
    return [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _contents(database: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info('{table}')")]
    total = " + ".join(f"ifnull(sum(length({column})), 0)" for column in columns)
    return int(database.execute(f"SELECT {total} FROM '{table}'").fetchone()[0])


def soak(runner: Ours, blocks: int, transfers: int) -> dict[str, Any]:
    """Makes the blocks; returns memory and time at twenty points on the way."""
    curve = []
    started = time.perf_counter()
    step = max(1, blocks // 20)
    making = 0.0
    for number in range(1, blocks + 1):
        making += runner.block(transfers)
        if number % step == 0 or number == 1:
            curve.append(
                {
                    "block": number,
                    "memory_mb": round(settled_resident_bytes() / 1e6, 2),
                    "ms_a_block": round(1e3 * making / (1 if number == 1 else step), 3),
                }
            )
            making = 0.0
    return {"curve": curve, "seconds": time.perf_counter() - started}


def growth(curve: list[dict[str, Any]]) -> float:
    """Bytes of growth from a fifth of the way to the end."""
    early = curve[len(curve) // 5]["memory_mb"]
    return float(1e6 * (curve[-1]["memory_mb"] - early))


def run(blocks: int, transfers: int, keep: int) -> dict[str, Any]:
    """The whole soak on a fresh file."""
    code = read_code(artifact())
    spec = ChainSpec.from_preset(code, Runtime(code, cache_dir=default_cache_dir()))
    with tempfile.TemporaryDirectory() as name:
        base = Path(name) / "chain"
        with ours(spec, base, keep=keep) as runner:
            report = soak(runner, blocks, transfers)
            head = runner.node.best
            root = runner.node.chain.state.root()
        report["file_bytes"] = bytes_by_table(base)
        with ours(spec, base, keep=keep) as runner:
            again = runner.node.best.hash == head.hash and runner.node.chain.state.root() == root
        report |= {"blocks": blocks, "transfers": transfers, "keep_states": keep, "reopened_equal": again}
    report["growth_bytes"] = growth(report["curve"])
    report["flat"] = report["growth_bytes"] < TOLERANCE_BYTES
    return {"machine": machine(), **report}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--blocks", type=int, default=5000)
    parser.add_argument("--transfers", type=int, default=20, help="in each block (default 20)")
    parser.add_argument("--keep", type=int, default=256, help="states kept (default 256)")
    parser.add_argument("--json", type=Path, help="write the report here as well")
    options = parser.parse_args()
    report = run(options.blocks, options.transfers, options.keep)
    for row in report["curve"]:
        line = f"block {row['block']:6}  {row['memory_mb']:8.2f} MB  {row['ms_a_block']:7.2f} ms a block\n"
        sys.stdout.write(line)
    for table, size in report["file_bytes"].items():
        sys.stdout.write(f"{table:32} {size / 1e6:9.2f} MB\n")
    verdict = "flat" if report["flat"] else "GROWING"
    sys.stdout.write(f"memory {verdict}: {report['growth_bytes'] / 1e6:+.2f} MB after the first fifth; ")
    sys.stdout.write(f"{report['seconds']:.0f} s; reopened equal: {report['reopened_equal']}\n")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if report["flat"] and report["reopened_equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
