"""The reference graph of every family that the engine runs gives the engine's leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from llmnet.engine import Engine, ModelFiles, seal_model_dir, write_tiny_model
from llmnet.engine.model_config import RopeScaling, expected_shapes, parse_config
from llmnet.proof import Leaf, distance
from llmnet.verifier import Reference, build_graph, spec_of
from llmnet.verifier.rope import rope_tables

SEED = bytes(range(32))
PROMPT = [(i * 37 + 11) % 274 for i in range(90)]
OUTPUT = [(i * 53 + 5) % 274 for i in range(40)]
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama with biases": {"attention_bias": True},
    "llama untied": {"tie_word_embeddings": False},
    "llama stretched": {"rope_scaling": LLAMA3},
    "qwen2": {"model_type": "qwen2"},
    "qwen2 untied": {"model_type": "qwen2", "tie_word_embeddings": False},
    "qwen3": {"model_type": "qwen3", "head_dim": 32},
}
Make = Callable[..., ModelFiles]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Writes a random model of a family."""

    def make(name: str, dtype: torch.dtype = torch.float32) -> ModelFiles:
        directory = write_tiny_model(tmp_path / name).path
        path = directory / "config.json"
        raw = json.loads(path.read_text()) | FAMILIES[name]
        path.write_text(json.dumps(raw), encoding="utf-8")
        random = torch.Generator().manual_seed(5)
        tensors = {}
        for tensor, shape in expected_shapes(parse_config(raw, path)).items():
            noise = torch.randn(shape, generator=random)
            grown = 1 + 0.3 * noise if len(shape) == 1 else noise * 2 * shape[-1] ** -0.5
            tensors[tensor] = grown.to(dtype)
        save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
        return seal_model_dir(directory)

    return make


def both(files: ModelFiles) -> tuple[list[Leaf], list[Leaf]]:
    """The engine's leaves and the reference's, of the same tokens."""
    spec = spec_of(files)
    theirs = Reference(files, spec).leaves(PROMPT, OUTPUT, range(len(OUTPUT)), SEED)
    return Engine(files, spec).score(PROMPT, OUTPUT, SEED), theirs


def farthest(ours: list[Leaf], theirs: list[Leaf]) -> int:
    """The largest squared distance of two sketches."""
    return max(
        max(distance(a.logit_sketch, b.logit_sketch), distance(a.hidden_sketch, b.hidden_sketch))
        for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_leaves_of_a_family_are_those_of_the_engine(made: Make, name: str) -> None:
    ours, theirs = both(made(name))
    assert farthest(ours, theirs) <= 8
    for a, b in zip(ours, theirs, strict=True):
        found = {candidate.id: candidate.logprob for candidate in a.candidates}
        steps = [abs(found[c.id] - c.logprob) for c in b.candidates if c.id in found]
        assert max(steps) <= 1
        assert len(steps) >= len(b.candidates) - 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_of_sixteen_bits_are_widened(made: Make, dtype: torch.dtype) -> None:
    """Matrices of a checkpoint are hardly ever stored in fp32."""
    files = made("qwen2", dtype)
    assert {info.dtype for info in files.tensors.values()} <= {"BF16", "F16"}
    assert farthest(*both(files)) <= 8


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("qwen2", {"qkv_bias": False}),
        ("llama with biases", {"o_bias": False}),
        ("qwen3", {"head_norm": False}),
        ("llama stretched", {"rope_scaling": None}),
        ("llama untied", {"tied": True}),
    ],
)
def test_a_graph_that_forgets_what_its_family_has_is_far_away(
    made: Make, name: str, change: dict[str, Any]
) -> None:
    """The inverse: each of these is in the graph, and matters."""
    files = made(name)
    forgetful = replace(files, config=replace(files.config, **change))
    assert build_graph(forgetful, 20) != build_graph(files, 20)
    spec = spec_of(forgetful)
    theirs = Reference(forgetful, spec).leaves(PROMPT, OUTPUT, range(len(OUTPUT)), SEED)
    assert farthest(Engine(files, spec_of(files)).score(PROMPT, OUTPUT, SEED), theirs) > 1000


def test_stretched_tables_are_the_engines() -> None:
    """Two ways to the same angles: decimals with addition theorems here, fp64 there."""
    from llmnet.engine.rope import _stretched

    scaling = RopeScaling(8.0, 1.0, 4.0, 64)
    frequencies = _stretched(500_000.0 ** -(torch.arange(0, 64, 2, dtype=torch.float64) / 64), scaling)
    angles = torch.outer(torch.arange(3000, dtype=torch.float64), frequencies)
    cosines, sines = rope_tables(64, 500_000.0, 3000, scaling)
    assert (torch.from_numpy(cosines[:, :32]).double() - angles.cos()).abs().max() < 1e-7
    assert (torch.from_numpy(sines[:, 32:]).double() - angles.sin()).abs().max() < 1e-7
    plain, _ = rope_tables(64, 500_000.0, 3000)
    assert abs(plain - cosines).max() > 1
