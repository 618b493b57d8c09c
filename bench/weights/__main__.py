"""Measures all weights and writes them into the pallets.

    python -m bench.weights [--times 41] [--check] [--out bench/results/weights.json]

`--check` writes nothing. After writing, build the artifact (`make wasm`) and generate `llmnet.pallets` again.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.weights.lab import Fit, Lab, Piece, weigh
from bench.weights.pieces import PIECES
from bench.weights.render import SAFETY, render
from bench.weights.scene import Cast, Stage
from bench.weights.store import store_cost
from llmnet.devnode import Node, NodeConfig

ROOT = Path(__file__).resolve().parents[2]
WASM = ROOT / "runtime_spec/artifacts/llmnet_runtime.compact.compressed.wasm"
PALLETS = ROOT / "runtime_spec/pallets"


def measure(times: int) -> dict[Piece, Fit]:
    """All pieces, in the committed blob."""
    node = Node.from_preset(WASM, config=NodeConfig())
    try:
        lab = Lab(Stage(node), Cast(), times)
        found = {}
        for piece in PIECES:
            found[piece] = weigh(lab, piece)
            _tell(f"{piece.pallet}.{piece.name}: {_line(found[piece])}")
        return found
    finally:
        node.close()


def _line(found: Fit) -> str:
    base = found.base
    told = f"{base.nanoseconds / 1_000:.1f} us, {base.reads} reads, {base.writes} writes, {base.proof} bytes of proof"
    if found.component is None:
        return told
    each = found.each
    more = f"{each.nanoseconds / 1_000:.1f} us, {each.reads} reads, {each.writes} writes, {each.proof} bytes"
    return f"{told}; for each {found.component} {more}"


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def machine() -> str:
    """What measured, in words."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")),
        platform.processor(),
    )
    return f"{model}, Python {platform.python_version()}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def as_json(found: dict[Piece, Fit], times: int) -> dict[str, Any]:
    """What was measured, with the machine and the cost of the store."""
    with tempfile.TemporaryDirectory() as folder:
        store = store_cost(WASM, Path(folder))
    _tell(f"store: {store.read / 1_000:.1f} us a read, {store.write / 1_000:.1f} us a write")
    pieces = {
        f"{piece.pallet}.{piece.name}": {
            "points": {str(value): asdict(point) for value, point in fit.points} or {"": asdict(fit.base)},
            "base": asdict(fit.base),
            "each": asdict(fit.each) if fit.component else None,
            "component": fit.component,
        }
        for piece, fit in found.items()
    }
    measured = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"machine": machine(), "measured": measured, "times": times, "safety": SAFETY}
    return {**facts, "store_nanoseconds": asdict(store), "pieces": pieces}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=41, help="how often each piece is timed")
    parser.add_argument("--check", action="store_true", help="measure, write nothing")
    parser.add_argument("--out", type=Path, default=ROOT / "bench/results/weights.json")
    parser.add_argument("--pallets", type=Path, default=PALLETS, help="where the weights are written")
    args = parser.parse_args()
    found = measure(args.times)
    if args.check:
        return 0
    args.out.write_text(json.dumps(as_json(found, args.times), indent=1) + "\n")
    for pallet in dict.fromkeys(piece.pallet for piece in found):
        fits = {piece: fit for piece, fit in found.items() if piece.pallet == pallet}
        (args.pallets / pallet / "src/weights.rs").write_text(render(pallet, fits, machine()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
