"""Prefill and decode of the default model, engine beside engine, against the bandwidth measured in the same run.

    OMP_NUM_THREADS=1 python -m bench.engine.speed --threads 1 --json bench/results/FILE.json

Rounds of all engines alternate; the best of each counts. Decoding one sequence reads every weight once a token, so
its ceiling is bandwidth / bytes of weights. `achieved` is GB/s of weights read; the percentage is of the ceiling.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bench.engine.runners import RUNNERS, Runner, UnavailableError
from llmnet.engine import ModelFiles, ensure_default_model
from llmnet.engine.cpu import Kernels

PROMPT, DECODE = 512, 32
BATCHES = (1, 4, 16)


def bandwidth() -> float:
    """GB/s at which this process reads memory: the best of torch's sum and of our own product with one row."""
    numbers = torch.ones(1 << 27)  # 512 MB: sixteen times the last-level cache
    matrix, row = numbers.view(-1, 1024), torch.ones(1, 1024)
    kernels = Kernels(torch.float32, torch.float32, 64, 1, threads=torch.get_num_threads())
    best = min(_seconds(work) for work in (numbers.sum, lambda: kernels.linear(row, matrix)))
    return numbers.numel() * 4 / best / 1e9


def _seconds(work: Callable[[], object], rounds: int = 6) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def weight_bytes(files: ModelFiles) -> int:
    """Bytes that one decoding step has to read (the embedding is the output matrix as well)."""
    return sum(info.length for info in files.tensors.values())


def measure(files: ModelFiles, names: list[str], rounds: int) -> dict[str, Any]:
    """All engines in turn; each round loads none of them anew."""
    runners, missing = _load(files, names)
    prompt = [(i * 7919) % 40_000 + 100 for i in range(PROMPT)]
    work: dict[str, Callable[[Runner], float]] = {f"prefill {PROMPT}": lambda runner: runner.prefill(prompt)}
    for batch in BATCHES:
        prompts = [prompt[i : i + 16] for i in range(batch)]
        work[f"decode, batch {batch}"] = lambda runner, prompts=prompts: runner.decode(prompts, DECODE)
    tokens = {f"prefill {PROMPT}": PROMPT} | {f"decode, batch {b}": b * DECODE for b in BATCHES}
    times: dict[tuple[str, str], float] = {}
    ceilings = [bandwidth()]
    for _ in range(rounds):
        for task, run in work.items():
            for runner in runners:
                batch = int(task.rpartition(" ")[2]) if task.startswith("decode") else 1
                if batch <= runner.max_batch:
                    key = (task, runner.name)
                    times[key] = min(times.get(key, float("inf")), run(runner))
        ceilings.append(bandwidth())
        gc.collect()
    read = weight_bytes(files)
    rows = [
        {
            "task": task,
            "engine": name,
            "tokens_per_second": tokens[task] / seconds,
            "gflops": 2 * read / 4 * tokens[task] / seconds / 1e9,
            "weights_gbps": read * DECODE / seconds / 1e9 if task.startswith("decode") else None,
        }
        for (task, name), seconds in times.items()
    ]
    return {"bandwidth_gbps": max(ceilings), "weight_bytes": read, "rows": rows, "missing": missing}


def _load(files: ModelFiles, names: list[str]) -> tuple[list[Runner], list[str]]:
    runners, missing = [], []
    for name in names:
        try:
            runners.append(RUNNERS[name](files))
        except UnavailableError as error:
            missing.append(f"{name}: {error}")
    return runners, missing


def table(report: dict[str, Any]) -> str:
    """Lines for people; the percentage is of the bandwidth measured."""
    ceiling = report["bandwidth_gbps"]
    lines = [
        f"{report['device']}, {report['threads']} thread(s), fp32; memory read at {ceiling:.1f} GB/s",
        f"{'task':18} {'engine':24} {'tokens/s':>9} {'GFLOP/s':>8} {'GB/s':>6} {'%':>4}",
    ]
    for row in sorted(report["rows"], key=lambda row: (row["task"], -row["tokens_per_second"])):
        rate = row["weights_gbps"]
        share = "" if rate is None else f"{rate:6.1f} {100 * rate / ceiling:4.0f}"
        lines.append(
            f"{row['task']:18} {row['engine']:24} {row['tokens_per_second']:9.1f} {row['gflops']:8.1f} {share}"
        )
    return "\n".join([*lines, *(f"not measured: {item}" for item in report["missing"])])


def main() -> None:
    """Print the table; write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.engine.speed", description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", default=",".join(RUNNERS))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    report = measure(ensure_default_model(), args.engines.split(","), args.rounds)
    report |= {"device": _processor(), "threads": args.threads, "versions": versions}
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table(report) + "\n")


def _processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return f"{names[0] if names else platform.processor()} ({len(names)} cores)"


if __name__ == "__main__":
    main()
