"""The reference is what an honest worker computes, of exactly the registered model, and a fixed graph."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from llmnet.engine.errors import TamperedModelError
from llmnet.engine.tiny import write_tiny_model
from llmnet.engine.tokenizer import CHATML_TEMPLATE
from llmnet.engine.weights import ModelFiles, load_model_dir, seal_model_dir
from llmnet.proof import Leaf, ServiceSpec, distance
from llmnet.verifier import (
    ModelMismatch,
    Reference,
    ReferenceFailed,
    build_graph,
    check_spec,
    spec_of,
)
from llmnet.verifier import reference as reference_module
from llmnet.verifier.rope import rope_tables

from .answers import Answered, Asker

SEED = bytes(range(32))
Gap = tuple[int, int, int, int]


def gaps(reference: Reference, item: Answered) -> list[Gap]:
    """Of each position: squared distances of both sketches, the largest difference of a lane and of a log-prob."""
    tokens = [leaf.token for leaf in item.leaves]
    theirs = reference.leaves(item.prompt_ids, tokens, range(len(tokens)), item.request_seed)
    return [_gap(a, b) for a, b in zip(item.leaves, theirs, strict=True)]


def _gap(a: Leaf, b: Leaf) -> Gap:
    sketches = [(a.logit_sketch, b.logit_sketch), (a.hidden_sketch, b.hidden_sketch)]
    logit, hidden = (distance(x, y) for x, y in sketches)
    lane = max(abs(x - y) for pair in sketches for x, y in zip(*pair, strict=True))
    known = {candidate.id: candidate.logprob for candidate in b.candidates}
    steps = [abs(c.logprob - known[c.id]) for c in a.candidates if c.id in known]
    return logit, hidden, lane, max(steps, default=1 << 15)


@pytest.mark.parametrize("temperature", [0, 256, 700])
def test_engine_leaves_equal_reference_leaves_within_a_step(
    asker: Asker, reference: Reference, temperature: int
) -> None:
    answers = [
        asker.ask(text, index=index, temperature=temperature, max_tokens=24)
        for index, text in enumerate(["", "the sea", "on a stone house in the sun " * 4])
    ]
    found = [gap for item in answers for gap in gaps(reference, item)]
    assert len(found) == sum(item.receipt.n_out for item in answers)
    logit, hidden, lane, step = map(max, zip(*found, strict=True))
    assert max(lane, step) <= 1
    assert max(logit, hidden) <= 8


def test_another_model_is_far_away(reference: Reference, answered: Answered, tmp_path: Path) -> None:
    """The inverse test: the distances do tell models apart."""
    other = write_tiny_model(tmp_path, seed=8)
    stranger = Reference(other, spec_of(other))
    assert min(gap[0] for gap in gaps(stranger, answered)) > 1000


def test_any_choice_and_order_of_positions_gives_the_same_leaves(
    reference: Reference, answered: Answered
) -> None:
    tokens = answered.material.tokens
    everything = reference.leaves(answered.prompt_ids, tokens, range(len(tokens)), answered.request_seed)
    chosen = [len(tokens) - 1, 0, 3]
    some = reference.leaves(answered.prompt_ids, tokens, chosen, answered.request_seed)
    assert [leaf.position for leaf in some] == chosen
    for leaf in some:
        whole = everything[leaf.position]
        assert (leaf.token, [c.id for c in leaf.candidates]) == (
            whole.token,
            [c.id for c in whole.candidates],
        )
        assert distance(leaf.logit_sketch, whole.logit_sketch) <= 8
    again = reference.leaves(answered.prompt_ids, tokens, chosen, answered.request_seed)
    assert again == some


def test_another_seed_gives_other_sketches(reference: Reference, answered: Answered) -> None:
    one, other = (
        reference.leaves(answered.prompt_ids, answered.material.tokens, [0], seed)[0]
        for seed in (SEED, SEED[::-1])
    )
    assert one.candidates == other.candidates
    assert one.logit_sketch != other.logit_sketch
    assert one.hidden_sketch != other.hidden_sketch


@pytest.mark.parametrize(
    ("prompt", "output", "positions", "words"),
    [
        ([], [5], [0], "needs a prompt"),
        ([5], [], [0], "needs a prompt"),
        ([5], [5], [], "at least one position"),
        ([5], [5, 6], [2], "must be in 0..1"),
        ([5], [5, 6], [-1], "must be in 0..1"),
        ([5], [274], [0], "outside the vocabulary"),
        ([5, -1], [5], [0], "outside the vocabulary"),
        ([5] * 500, [5] * 13, [0], "do not fit a context of 512"),
    ],
)
def test_what_cannot_be_run_is_refused(
    reference: Reference, prompt: list[int], output: list[int], positions: list[int], words: str
) -> None:
    with pytest.raises(ReferenceFailed, match=words):
        reference.leaves(prompt, output, positions, SEED)


def flip(path: Path, offset: int) -> None:
    """Change one byte of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def test_one_changed_byte_of_the_weights_is_seen(spec: ServiceSpec, tmp_path: Path) -> None:
    files = write_tiny_model(tmp_path / "m", seed=7)
    check_spec(files, spec)
    flip(files.path / "model.safetensors", files.tensors["model.norm.weight"].offset + 4)
    with pytest.raises(TamperedModelError, match=r"model\.safetensors"):
        load_model_dir(files.path)
    resealed = seal_model_dir(files.path)  # what somebody would do who means to pass it off
    with pytest.raises(ModelMismatch, match=r"is not the registered model 'tiny\d+': weights_root differ"):
        Reference(resealed, spec)


def test_a_changed_tokenizer_or_layout_is_named(spec: ServiceSpec, tmp_path: Path) -> None:
    files = write_tiny_model(tmp_path / "m", seed=7)
    path = files.path / "tokenizer.json"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ModelMismatch, match=": tokenizer_hash differ"):
        Reference(seal_model_dir(files.path), spec)
    with pytest.raises(ModelMismatch, match=": template_hash differ"):
        Reference(write_tiny_model(tmp_path / "n", seed=7), replace(spec, template_hash=bytes(32)))
    with pytest.raises(ModelMismatch, match="weights_root, graph_hash differ"):
        Reference(write_tiny_model(tmp_path / "o", seed=7, layers=3), spec)
    assert CHATML_TEMPLATE  # the template that the specs above name


def test_what_the_worker_promises_is_not_the_files_business(tiny: ModelFiles, spec: ServiceSpec) -> None:
    check_spec(tiny, replace(spec, name=b"other", context_length=100, logit_shift=3))


def poison(files: ModelFiles, name: str, value: float) -> ModelFiles:
    """Put one number into a tensor of a sealed model."""
    with (files.path / "model.safetensors").open("r+b") as file:
        file.seek(files.tensors[name].offset)
        file.write(np.float32(value).tobytes())
    return files  # sealed before: a manifest is not written for such numbers


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["model.norm.weight", "model.layers.0.self_attn.q_proj.weight"])
def test_a_non_finite_number_is_an_error_never_a_leaf(tmp_path: Path, name: str, value: float) -> None:
    files = poison(write_tiny_model(tmp_path / "m", seed=7), name, value)
    broken = Reference(files, spec_of(files))
    with pytest.raises(ReferenceFailed, match="non-finite"):
        broken.leaves([5, 6, 7], [8, 9], [0, 1], SEED)


def test_a_provider_that_is_not_there_is_said_so(tiny: ModelFiles, spec: ServiceSpec) -> None:
    with pytest.raises(ReferenceFailed, match="no CUDAExecutionProvider here"):
        Reference(tiny, spec, provider="CUDAExecutionProvider")


def test_a_provider_that_silently_falls_back_is_seen(
    tiny: ModelFiles, spec: ServiceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = reference_module.onnxruntime
    monkeypatch.setattr(runtime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    session = runtime.InferenceSession
    monkeypatch.setattr(
        runtime,
        "InferenceSession",
        lambda graph, options, providers: session(graph, options, ["CPUExecutionProvider"]),
    )
    with pytest.raises(ReferenceFailed, match="would have used CPUExecutionProvider"):
        Reference(tiny, spec, provider="CUDAExecutionProvider")


# The graph


def test_the_graph_is_valid_and_holds_no_weights(tiny: ModelFiles, tmp_path: Path) -> None:
    data = build_graph(tiny, 20)
    (tmp_path / "graph.onnx").write_bytes(data)
    (tmp_path / "model.safetensors").symlink_to(tiny.path / "model.safetensors")
    (tmp_path / "real").mkdir()
    model = onnx.load_model_from_string(data)
    assert {item.key for tensor in model.graph.initializer for item in tensor.external_data} == {
        "location",
        "offset",
        "length",
    }
    outside = {tensor.name for tensor in model.graph.initializer if tensor.external_data}
    assert outside == set(tiny.tensors)
    assert [item.name for item in model.graph.output] == ["ids", "logprobs", "logit_lanes", "hidden_lanes"]


def test_the_graph_follows_from_shapes_and_layout_alone(tmp_path: Path) -> None:
    one, other = write_tiny_model(tmp_path / "a", seed=1), write_tiny_model(tmp_path / "b", seed=2)
    assert build_graph(one, 20) == build_graph(other, 20)
    assert build_graph(one, 20) != build_graph(one, 19)
    assert build_graph(one, 20) != build_graph(write_tiny_model(tmp_path / "c", seed=1, context=256), 20)


def test_the_graph_has_not_changed(tiny: ModelFiles) -> None:
    """A new graph is a new hash, under which no model is registered: change it only on purpose."""
    digest = hashlib.sha256(build_graph(tiny, 20)).hexdigest()
    assert digest == "8e1454ff130f32ac45116e5d0f062e8c756004b5e6c83a562c28440be5371221"


@pytest.mark.parametrize(("width", "theta", "length"), [(16, 10_000.0, 512), (64, 100_000.0, 2048)])
def test_rope_tables_are_cosines_and_sines(width: int, theta: float, length: int) -> None:
    inverse = 1.0 / theta ** (np.arange(0, width, 2) / width)
    angles = np.outer(np.arange(length), inverse)
    for table, function in zip(rope_tables(width, theta, length), (np.cos, np.sin), strict=True):
        assert table.dtype == np.float32
        assert table.shape == (length, width)
        np.testing.assert_allclose(table, np.concatenate([function(angles)] * 2, axis=1), rtol=0, atol=1e-7)
