"""Prefill and decode of the default model, engine beside engine, against the bandwidth measured in the same run.

    OMP_NUM_THREADS=1 python -m bench.engine.speed --threads 1 --json bench/results/FILE.json
    OMP_NUM_THREADS=1 python -m bench.engine.speed --threads 1 --tasks decode-1 --rounds 20

Rounds of all engines alternate. Decoding one sequence reads every weight once a token, so its ceiling is bandwidth /
bytes of weights. `GB/s` are weights read. Two percentages of the ceiling: the best round of an engine against the best
reading of the whole run, and the median of each round against the readings right before and after it; the second is
what other work on the machine disturbs least. What an engine does once (recording a step, say) is done before the
rounds and told by itself.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench.engine.runners import RUNNERS, Runner, UnavailableError
from llmnet.engine import ModelFiles, ensure_default_model
from llmnet.engine.cpu import Kernels

PROMPT, DECODE = 512, 32
TASKS = ("prefill", "decode-1", "decode-4", "decode-16")
_WIDTHS = (576, 1024)


class Ceiling:
    """GB/s at which this process reads memory: the best of three loops over as many bytes as the model has.

    torch's sum, and our own product of one row, whose eight streams read faster, at two widths.
    """

    def __init__(self, size: int) -> None:
        numbers = torch.ones(size // 4 // _WIDTHS[1] * _WIDTHS[1])
        kernels = Kernels(torch.float32, torch.float32, 64, 1, threads=torch.get_num_threads())
        self._loops: list[Callable[[], object]] = [numbers.sum]
        for width in _WIDTHS:
            matrix = numbers[: len(numbers) // width * width].view(-1, width)
            self._loops.append(partial(kernels.linear, torch.ones(1, width), matrix))
        self._bytes = numbers.numel() * 4
        self.best = 0.0

    def read(self, rounds: int = 3) -> float:
        """The best of some rounds now; `best` is that of all."""
        now = self._bytes / min(_seconds(loop, rounds) for loop in self._loops) / 1e9
        self.best = max(self.best, now)
        return now


def _seconds(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def weight_bytes(files: ModelFiles) -> int:
    """Bytes that one decoding step has to read (the embedding is the output matrix as well)."""
    return sum(info.length for info in files.tensors.values())


def measure(files: ModelFiles, names: list[str], rounds: int, tasks: list[str]) -> dict[str, Any]:
    """All engines in turn; each round loads none of them anew."""
    runners, missing = _load(files, names)
    work = {task: _work(task) for task in tasks}
    warm_up = [
        {"task": task, "engine": runner.name, "seconds": run(runner)}
        for task, run in work.items()
        for runner in _able(runners, task)
    ]
    read = weight_bytes(files)
    ceiling = Ceiling(read)
    rates: dict[tuple[str, str], list[float]] = {}  # GB/s of weights, if each token read all of them
    shares: dict[tuple[str, str], list[float]] = {}
    before = ceiling.read()
    for _ in range(rounds):
        for task, run in work.items():
            for runner in _able(runners, task):
                rate = read * _steps(task) / run(runner) / 1e9
                after = ceiling.read()
                rates.setdefault((task, runner.name), []).append(rate)
                shares.setdefault((task, runner.name), []).append(rate / max(before, after))
                sys.stderr.write(
                    f"{task} {runner.name}: {rate:.1f} GB/s, memory {before:.1f} and {after:.1f}\n"
                )
                before = after
        gc.collect()
    rows = [_row(task, name, read, rates[task, name], shares[task, name]) for task, name in rates]
    report = {"bandwidth_gbps": ceiling.best, "weight_bytes": read, "rounds": rounds, "rows": rows}
    return report | {"warm_up": warm_up, "missing": missing}


def _row(task: str, name: str, read: int, rates: list[float], shares: list[float]) -> dict[str, Any]:
    """What was measured of one engine in one task."""
    decodes = task.startswith("decode")
    tokens = max(rates) * 1e9 / read * (_batch(task) if decodes else 1)
    row: dict[str, Any] = {"task": task, "engine": name, "tokens_per_second": tokens}
    row["gflops"] = 2 * read / 4 * tokens / 1e9
    if decodes:
        row |= {"weights_gbps": max(rates), "median_gbps": statistics.median(rates)}
        row["median_share"] = statistics.median(shares)
    return row


def _work(task: str) -> Callable[[Runner], float]:
    """What a round of a task is; seconds."""
    prompt = [(i * 7919) % 40_000 + 100 for i in range(PROMPT)]
    if task == "prefill":
        return lambda runner: runner.prefill(prompt)
    prompts = [prompt[i : i + 16] for i in range(_batch(task))]
    return lambda runner: runner.decode(prompts, DECODE)


def _steps(task: str) -> int:
    """Times that a round would read all weights if it read them once a step, or for each token of a prompt."""
    return DECODE if task.startswith("decode") else PROMPT


def _batch(task: str) -> int:
    return int(task.rpartition("-")[2]) if task.startswith("decode") else 1


def _able(runners: list[Runner], task: str) -> list[Runner]:
    return [runner for runner in runners if _batch(task) <= runner.max_batch]


def _load(files: ModelFiles, names: list[str]) -> tuple[list[Runner], list[str]]:
    runners, missing = [], []
    for name in names:
        try:
            runners.append(RUNNERS[name](files))
        except UnavailableError as error:
            missing.append(f"{name}: {error}")
    return runners, missing


def table(report: dict[str, Any]) -> str:
    """Lines for people."""
    ceiling = report["bandwidth_gbps"]
    lines = [
        f"{report['device']}, {report['threads']} thread(s), fp32; memory read at {ceiling:.1f} GB/s",
        f"{'task':12} {'engine':24} {'tokens/s':>9} {'GFLOP/s':>8} {'GB/s':>6} {'%':>4} {'median %':>9}",
    ]
    for row in sorted(report["rows"], key=lambda row: (row["task"], -row["tokens_per_second"])):
        share = ""
        if "weights_gbps" in row:
            rate = row["weights_gbps"]
            share = f"{rate:6.1f} {100 * rate / ceiling:4.0f} {100 * row['median_share']:9.0f}"
        lines.append(
            f"{row['task']:12} {row['engine']:24} {row['tokens_per_second']:9.1f} {row['gflops']:8.1f} {share}"
        )
    first = [f"{row['engine']} {row['task']} {row['seconds']:.2f} s" for row in report["warm_up"]]
    missing = [f"not measured: {item}" for item in report["missing"]]
    return "\n".join([*lines, f"first time: {', '.join(first)}", *missing])


def main() -> None:
    """Print the table; write JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.engine.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", default=",".join(RUNNERS))
    parser.add_argument("--tasks", default=",".join(TASKS), help="prefill, decode-N; separated by commas")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    report = measure(ensure_default_model(), args.engines.split(","), args.rounds, args.tasks.split(","))
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
