"""A tiny random model in the layout of a real one: what tests and quick trials run instead of the default
model.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from llmnet.engine.bpe import merge_pair, write_tokenizer
from llmnet.engine.convert import llama_config
from llmnet.engine.files import write_json
from llmnet.engine.model_config import expected_shapes, parse_config
from llmnet.engine.tensor_files import WEIGHTS
from llmnet.engine.tokenizer import CHATML_TEMPLATE, printable_bytes
from llmnet.engine.weights import TEMPLATE, ModelFiles, seal_model_dir

_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_MERGES = "Ġ+t h+e i+n Ġt+he e+r o+n a+n r+e s+t Ġ+a o+u i+s s+y Ġ+s u+s"


def write_tiny_model(
    directory: Path | str, seed: int = 0, *, layers: int = 2, context: int = 512
) -> ModelFiles:
    """Write and seal a random Llama (d=64, 4 heads, 2 KV heads, vocabulary 274) with a working byte-level
    tokenizer.

    Weights are large enough for distributions that are neither flat nor certain. Same seed, same bytes.
    """
    from safetensors.numpy import save_file

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    vocab = _vocab()
    raw = llama_config(
        vocab=len(vocab),
        hidden=64,
        intermediate=128,
        layers=layers,
        heads=4,
        kv_heads=2,
        context=context,
        rope_theta=10_000.0,
    )
    write_json(directory / "config.json", raw)
    (directory / TEMPLATE).write_text(CHATML_TEMPLATE, encoding="utf-8")
    write_tokenizer(
        directory, vocab, [merge_pair(pair.replace("+", " ")) for pair in _MERGES.split()], _SPECIAL
    )
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in expected_shapes(parse_config(raw, directory)).items():
        noise = random.standard_normal(shape, dtype=np.float32)
        tensors[name] = (1 + 0.1 * noise) if len(shape) == 1 else noise * np.float32(2.0 / np.sqrt(shape[-1]))
    save_file(tensors, str(directory / WEIGHTS), metadata={"format": "pt"})
    return seal_model_dir(directory)


def _vocab() -> dict[str, int]:
    tokens = (
        _SPECIAL
        + [char for _, char in sorted(printable_bytes().items())]
        + [pair.replace("+", "") for pair in _MERGES.split()]
    )
    return {token: index for index, token in enumerate(tokens)}
