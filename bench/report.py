"""One table from the numbers of a bench run.

python -m bench.report FILE.json        print a saved run again (``--benchmark-json``, or bench/results)
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of the table; percent is of the ceiling measured in the same run."""
    first = rows[0]
    yield f"{first['measured_on']}, {first['dtype']}"
    yield f"ceiling: {first['ceiling_tflops']:.3f} TFLOP/s (matmul), {first['ceiling_gbps']:.1f} GB/s (copy)"
    yield f"{'workload':34} {'implementation':20} {'ms':>9} {'TFLOP/s':>9} {'%':>5} {'GB/s':>8} {'%':>5}"
    for row in sorted(rows, key=lambda row: (row["workload"], row["milliseconds"])):
        yield (
            f"{row['workload']:34} {row['implementation']:20} {row['milliseconds']:9.3f} "
            f"{row['tflops']:9.3f} {row['tflops_percent']:5.1f} {row['gbps']:8.1f} {row['gbps_percent']:5.1f}"
        )


def rows_of(saved: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a saved run: ours (``rows``) or the benchmark plugin's. Raises: ValueError."""
    rows: list[dict[str, Any]] = saved.get("rows") or [
        item["extra_info"] for item in saved.get("benchmarks", [])
    ]
    rows = [row for row in rows if "tflops" in row]
    if not rows:
        raise ValueError("no timed operator in this file")
    return rows


def main(arguments: list[str]) -> int:
    """Print each file's table; exit status 2 for wrong usage, 1 for a file without one."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m bench.report FILE.json...\n")
        return 2
    for name in arguments:
        try:
            saved = json.loads(Path(name).read_text())
            lines = list(table(rows_of(saved)))
        except (OSError, ValueError, KeyError) as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 1
        sys.stdout.write("\n".join([name, *lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
