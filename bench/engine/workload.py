"""End to end: many sequences of random lengths through the engine, with leaves and invariance on and off.

    python -m bench.engine.workload                                   # scaled down, for a CPU
    python -m bench.engine.workload --size 0.6B --sequences 256 --low 100 --high 1024 --device cuda --class bf16-fp32

Prompt and answer lengths are uniform in [low, high], weights and tokens are random with a fixed seed, every answer is
as long as asked for. "Off" means: torch's products instead of the invariant ones, and a plain argmax instead of leaves.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from llmnet.engine import (
    Engine,
    GenerationRequest,
    LlamaModel,
    ModelFiles,
    seal_model_dir,
    service_spec,
    write_tiny_model,
)
from llmnet.engine.leaves import Wanted
from llmnet.engine.model_config import expected_shapes, parse_config
from llmnet.engine.tensor_files import WEIGHTS
from llmnet.proof import Candidate, Leaf, NumericsClass

SIZES: dict[str, dict[str, Any]] = {
    "small": {"vocab_size": 8192, "hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 8,
              "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 32},
    "0.6B": {"vocab_size": 151_936, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28,
             "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128},
}  # fmt: skip
CLASSES = {
    "fp32": NumericsClass.FP32,
    "fp16": NumericsClass.FP16,
    "bf16-fp32": NumericsClass.BF16_FP32_RESIDUAL,
    "bf16": NumericsClass.BF16,
}


class Argmax:
    """Stands where leaves are made, and only picks the best token."""

    def build(self, hidden: torch.Tensor, logits: torch.Tensor, wanted: Sequence[Wanted]) -> list[Leaf]:
        """Leaves with one candidate and empty sketches."""
        return [
            Leaf(item.position, token, (Candidate(token, 0),), (0,) * 8, (0,) * 8)
            for item, token in zip(wanted, logits.argmax(dim=1).tolist(), strict=True)
        ]


def random_model(directory: Path, size: str, context: int) -> ModelFiles:
    """A sealed Qwen3-shaped directory with random weights and the tiny model's tokenizer."""
    from safetensors.numpy import save_file

    write_tiny_model(directory)
    path = directory / "config.json"
    changes = SIZES[size] | {"model_type": "qwen3", "max_position_embeddings": context, "eos_token_id": 2}
    raw = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(raw), encoding="utf-8")
    random, tensors = np.random.default_rng(0), {}
    for name, shape in expected_shapes(parse_config(raw, path)).items():
        noise = random.standard_normal(shape, dtype=np.float32)
        tensors[name] = (
            np.ones(shape, np.float32) if len(shape) == 1 else noise * np.float32(shape[-1] ** -0.5)
        )
    save_file(tensors, str(directory / WEIGHTS), metadata={"format": "pt"})
    files = seal_model_dir(directory)
    return dataclasses.replace(files, config=dataclasses.replace(files.config, eos_token_id=-1))


def requests(args: argparse.Namespace, vocabulary: int) -> list[GenerationRequest]:
    """The workload; the same for every run."""
    random = np.random.default_rng(1)
    lengths = random.integers(args.low, args.high + 1, (args.sequences, 2))
    return [
        GenerationRequest(
            str(i), tuple(random.integers(3, vocabulary, int(prompt)).tolist()), 0, int(answer), bytes(32)
        )
        for i, (prompt, answer) in enumerate(lengths)
    ]


def run(files: ModelFiles, args: argparse.Namespace, *, on: bool) -> dict[str, float]:
    """One pass over the workload."""
    numerics = CLASSES[args.numerics]
    model = LlamaModel.from_files(files, numerics, args.device, invariant=on)
    engine = Engine(
        files,
        service_spec(files, bytes(32), numerics),
        model=model,
        device=args.device,
        max_batch=args.max_batch,
        max_step_tokens=args.step_tokens,
        num_pages=args.pages,
        prefix_cache=False,
    )
    if not on:
        engine._leaves = Argmax()  # type: ignore[assignment]
    todo = requests(args, files.config.vocab_size)
    begin, said = time.perf_counter(), 0
    for request in todo:
        engine.add(request)
    while len(engine):
        said += sum(len(output.new_tokens) for output in engine.step())
    if args.device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - begin
    assert said == sum(request.max_tokens for request in todo)
    read = sum(len(request.prompt_ids) for request in todo)
    return {
        "seconds": seconds,
        "prompt_tokens": read,
        "answer_tokens": said,
        "answer_tokens_per_second": said / seconds,
        "tflops": 2 * _parameters(files) * (read + said) / seconds / 1e12,
        "preemptions": engine.num_preemptions,
    }


def _parameters(files: ModelFiles) -> int:
    return sum(int(np.prod(info.shape)) for info in files.tensors.values())


def main() -> None:
    """Print both passes and what leaves and invariance cost."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.engine.workload",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--sequences", type=int, default=24)
    parser.add_argument("--low", type=int, default=16)
    parser.add_argument("--high", type=int, default=96)
    parser.add_argument("--max-batch", type=int, default=16)
    parser.add_argument("--step-tokens", type=int, default=512)
    parser.add_argument("--pages", type=int, default=None)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--class", dest="numerics", choices=CLASSES, default="fp32")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="llmnet-bench-") as scratch:
        files = random_model(Path(scratch), args.size, 2 * args.high + 16)
        best: dict[bool, dict[str, float]] = {}
        for _ in range(args.rounds):
            for on in (True, False):
                made = run(files, args, on=on)
                best[on] = min(best.get(on, made), made, key=lambda row: row["seconds"])
    cost = best[True]["seconds"] / best[False]["seconds"] - 1
    report = {"on": best[True], "off": best[False], "cost": cost, "arguments": vars(args) | {"json": None}}
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name in ("on", "off"):
        row = report[name]
        sys.stdout.write(
            f"leaves and invariance {name:3}: {row['answer_tokens_per_second']:8.1f} answer tokens/s, "
            f"{row['tflops']:.3f} TFLOP/s, {row['seconds']:.1f} s\n"
        )
    sys.stdout.write(f"cost: {100 * cost:+.1f} %\n")


if __name__ == "__main__":
    main()
