"""A model directory is what was sealed, or it is refused."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from llmnet import proof
from llmnet.engine import (
    ModelFiles,
    ModelNotFoundError,
    TamperedModelError,
    UnsupportedModelError,
    load_model_dir,
    seal_model_dir,
    service_spec,
    weights_root,
    write_tiny_model,
)
from llmnet.engine.tensor_files import WEIGHTS
from llmnet.engine.weights import CONFIG, MANIFEST, TEMPLATE, TOKENIZER

FILES = [WEIGHTS, CONFIG, TOKENIZER, TEMPLATE]


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_arrays_are_the_stored_tensors_and_shared_with_the_file(tiny: ModelFiles) -> None:
    stored = load_file(str(tiny.path / WEIGHTS))
    assert set(stored) == set(tiny.tensors)
    for name, values in stored.items():
        mapped = tiny.array(name)
        np.testing.assert_array_equal(mapped, values)
        assert not mapped.flags.owndata
    with pytest.raises(UnsupportedModelError, match="no tensor"):
        tiny.array("lm_head.weight")


def test_offsets_point_into_the_file(tiny: ModelFiles) -> None:
    info = tiny.tensors["model.norm.weight"]
    raw = (tiny.path / WEIGHTS).read_bytes()[info.offset : info.offset + info.length]
    np.testing.assert_array_equal(np.frombuffer(raw, "<f4"), tiny.array("model.norm.weight"))


def test_weights_root_is_the_protocols(tiny: ModelFiles) -> None:
    leaves = []
    for name, values in sorted(load_file(str(tiny.path / WEIGHTS)).items()):
        shape = b"".join(n.to_bytes(8, "little") for n in values.shape)
        head = bytes([len(name) << 2]) + name.encode() + b"\x0cF32" + bytes([values.ndim << 2]) + shape
        leaves.append(head + hashlib.blake2b(values.tobytes(), digest_size=32).digest())
    assert tiny.weights_root == weights_root(tiny.path) == proof.merkle_root(leaves)


def test_same_seed_same_model(tiny: ModelFiles, tmp_path: Path) -> None:
    assert write_tiny_model(tmp_path / "same", seed=7).weights_root == tiny.weights_root
    assert write_tiny_model(tmp_path / "other", seed=8).weights_root != tiny.weights_root


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("end", [0, -1])
def test_one_changed_byte_is_noticed(fresh: ModelFiles, name: str, end: int) -> None:
    flip(fresh.path / name, end)
    with pytest.raises(TamperedModelError, match=name):
        load_model_dir(fresh.path)


def test_one_changed_byte_is_noticed_though_times_were_put_back(fresh: ModelFiles) -> None:
    path = fresh.path / WEIGHTS
    before = path.stat()
    flip(path, -1)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(TamperedModelError):
        load_model_dir(fresh.path)


@pytest.mark.parametrize("field", ["weights_root", "sha256"])
def test_a_changed_manifest_is_noticed(fresh: ModelFiles, field: str) -> None:
    path = fresh.path / MANIFEST
    manifest = json.loads(path.read_text())
    if field == "sha256":
        manifest["files"][CONFIG]["sha256"] = "00" * 32
    else:
        manifest["weights_root"] = "00" * 32
    path.write_text(json.dumps(manifest))
    with pytest.raises(TamperedModelError):
        load_model_dir(fresh.path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": {}}', '{"files": 1, "weights_root": "zz"}'])
def test_a_damaged_manifest_is_noticed(fresh: ModelFiles, text: str) -> None:
    (fresh.path / MANIFEST).write_text(text)
    with pytest.raises(TamperedModelError):
        load_model_dir(fresh.path)


def test_hashes_are_remembered_until_something_changes(
    fresh: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_model_dir(fresh.path)
    hashed: list[str] = []
    from llmnet.engine import weights

    real = weights.sha256_file
    monkeypatch.setattr(weights, "sha256_file", lambda path: hashed.append(path.name) or real(path))
    load_model_dir(fresh.path)
    assert hashed == []
    load_model_dir(fresh.path, verify=True)
    assert sorted(hashed) == sorted(FILES)
    hashed.clear()
    (fresh.path / CONFIG).touch()
    load_model_dir(fresh.path)
    assert CONFIG in hashed


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_missing_file_is_named(fresh: ModelFiles, name: str) -> None:
    (fresh.path / name).unlink()
    with pytest.raises(ModelNotFoundError, match=name):
        load_model_dir(fresh.path)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="nowhere"):
        load_model_dir(tmp_path / "nowhere")


@pytest.mark.parametrize("length", [0, 7, 100, -4])
def test_a_truncated_tensor_file_cannot_be_sealed(fresh: ModelFiles, length: int) -> None:
    path = fresh.path / WEIGHTS
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(TamperedModelError, match="safetensors"):
        seal_model_dir(fresh.path)


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "gpt2"},
        {"tie_word_embeddings": False},
        {"rope_scaling": {"type": "linear"}},
        {"num_hidden_layers": 3},
        {"hidden_size": 32},
        {"vocab_size": "many"},
    ],
)
def test_a_model_that_cannot_be_run_is_refused(fresh: ModelFiles, change: dict[str, object]) -> None:
    path = fresh.path / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UnsupportedModelError):
        seal_model_dir(fresh.path)


def test_tensors_of_integers_are_refused(fresh: ModelFiles) -> None:
    tensors = load_file(str(fresh.path / WEIGHTS))
    tensors["model.norm.weight"] = tensors["model.norm.weight"].astype(np.int32)
    save_file(tensors, str(fresh.path / WEIGHTS))
    with pytest.raises(UnsupportedModelError, match="I32"):
        seal_model_dir(fresh.path)


def test_a_tensor_that_the_model_would_not_use_is_refused(fresh: ModelFiles) -> None:
    """A bias that nobody adds would make another model of it without a word."""
    tensors = load_file(str(fresh.path / WEIGHTS))
    tensors["model.layers.0.self_attn.q_proj.bias"] = np.ones(64, dtype=np.float32)
    save_file(tensors, str(fresh.path / WEIGHTS))
    with pytest.raises(UnsupportedModelError, match=r"q_proj\.bias has no place"):
        seal_model_dir(fresh.path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_a_tensor_with_a_number_that_is_none_is_refused(fresh: ModelFiles, bad: float, kind: type) -> None:
    tensors = {name: values.astype(kind) for name, values in load_file(str(fresh.path / WEIGHTS)).items()}
    tensors["model.layers.1.mlp.up_proj.weight"][3, 5] = bad
    save_file(tensors, str(fresh.path / WEIGHTS))
    with pytest.raises(UnsupportedModelError, match=r"up_proj\.weight holds NaN"):
        seal_model_dir(fresh.path)


def test_spec_names_exactly_these_files(fresh: ModelFiles) -> None:
    spec = service_spec(fresh, b"g" * 32, name="tiny", top_k=8)
    assert spec.weights_root == fresh.weights_root
    assert spec.tokenizer_hash == proof.tokenizer_hash((fresh.path / TOKENIZER).read_bytes())
    assert spec.template_hash == proof.template_hash((fresh.path / TEMPLATE).read_text())
    assert (spec.graph_hash, spec.top_k, spec.vocab_size, spec.context_length) == (b"g" * 32, 8, 274, 512)
    flip(fresh.path / WEIGHTS, -1)
    assert service_spec(seal_model_dir(fresh.path), b"g" * 32, name="tiny", top_k=8).id != spec.id
