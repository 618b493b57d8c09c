"""Kernels are compiled once a machine, and nothing is run that was not meant to be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from llmnet.engine import seal_model_dir, write_tiny_model
from llmnet.engine.cpu import Machine, Sketcher, objects
from llmnet.engine.cpu.objects import _KEPT, ObjectStore

KEY = bytes(range(32))


def sketch(store: ObjectStore, name: str | None = None) -> torch.Tensor:
    """By a kernel of its own machine."""
    octets = [torch.zeros(16, dtype=torch.uint8)] * 2
    made = Sketcher(machine=Machine(name, store))
    return made.sketch(torch.arange(32.0).view(2, 16), octets, centred=False)


def test_what_was_compiled_is_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sketch(ObjectStore(tmp_path))
    monkeypatch.setattr(Machine, "_emit", lambda *_: pytest.fail("compiled again"))
    store = ObjectStore(tmp_path)
    assert torch.equal(sketch(store), first)
    assert (store.hits, store.misses) == (1, 0)


def test_other_source_and_other_processors_are_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ObjectStore(tmp_path)
    sketch(store)
    sketch(store, "haswell")
    monkeypatch.setattr(objects, "_source_digest", lambda: b"another")
    sketch(store)
    assert (store.hits, store.misses, len(list(tmp_path.iterdir()))) == (0, 3, 3)


@pytest.mark.parametrize("left", [0, 10, 32, 200, -1])
def test_a_file_that_was_cut_short_is_compiled_anew(tmp_path: Path, left: int) -> None:
    first = sketch(ObjectStore(tmp_path))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    store = ObjectStore(tmp_path)
    assert torch.equal(sketch(store), first)
    assert (store.hits, store.misses) == (0, 1)
    assert file.read_bytes()[:32] == whole[:32]


def test_a_changed_file_is_not_run(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.put(KEY, b"code")
    assert store.get(KEY) == b"code"
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert store.get(KEY) is None


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_into_is_not_used(tmp_path: Path, mode: int) -> None:
    """They could put their code there."""
    store = ObjectStore(tmp_path / "kernels")
    store.put(KEY, b"code")
    (tmp_path / "kernels").chmod(mode)
    assert store.get(KEY) is None
    store.put(bytes(32), b"more")
    assert len(list((tmp_path / "kernels").iterdir())) == 1
    (tmp_path / "kernels").chmod(0o700)
    assert store.get(KEY) == b"code"


def test_without_a_folder_kernels_are_compiled_every_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = ObjectStore(tmp_path / "file" / "kernels")
    assert sketch(store).shape == (2, 11)
    assert store.get(KEY) is None


def test_the_folder_does_not_grow_without_end(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    for number in range(_KEPT + 3):
        store.put(number.to_bytes(32, "big"), b"code")
        os.utime(tmp_path / f"{number:064x}.o", (number, number))
    assert len(list(tmp_path.iterdir())) == _KEPT
    assert store.get(bytes(32)) is None
    assert store.get((_KEPT + 2).to_bytes(32, "big")) == b"code"


START = """
import sys
from pathlib import Path
import llmnet.worker
from llmnet.engine import Engine, GenerationRequest, load_model_dir, service_spec
from llmnet.engine.cpu import kernels, objects, tape

def anonymous():
    wanted = [line.split()[1] for line in open("/proc/self/status") if line.startswith("RssAnon")]
    return int(wanted[0]) * 1024

files = load_model_dir(Path(sys.argv[1]))
for start in range(2):
    for made in (kernels.host, kernels._library, kernels._sketch_library, tape._player):
        made.cache_clear()
    store, before = objects.user_store(), anonymous()
    store.hits = store.misses = 0
    engine = Engine(files, service_spec(files, bytes(32)), num_pages=8)
    engine.add(GenerationRequest("a", (5, 6, 7), 0, 2, bytes(32)))
    while len(engine):
        engine.step()
    print(anonymous() - before, store.hits, store.misses)
print(*({"onnx", *SUPERFLUOUS} & set(sys.modules)))

import llmnet.chain
from llmnet.cli.selftest import registered_row
from llmnet.cli.values import spec_of_model
from llmnet.cli.worker import build_parser, engine_backend, numeric_policy
from llmnet.worker.plants import Plants

engine_backend(build_parser().parse_args([]), files, spec_of_model(files, "fp32")).close()
numeric_policy()
print(*(SUPERFLUOUS & set(sys.modules)))
"""
SUPERFLUOUS = {
    *("gguf", "matplotlib", "pandas", "pygments", "rich", "scipy", "sympy", "transformers", "triton"),
    *("httpx", "substrateinterface", "torch._dynamo", "torch._inductor", "typer", "wasmtime"),
    *("llmnet.devnode", "llmnet.gateway", "llmnet.measure", "llmnet.redteam", "llmnet.sim"),
    *("llmnet.verifier.calibrate", "llmnet.verifier.daemon"),
}
"""What a worker that passed its self-test before has no use for until its door is open."""


def wide_model(directory: Path) -> Path:
    """A tiny model whose embedding is 32 MB, most of it zeros."""
    write_tiny_model(directory, layers=1)
    path, weights = directory / "config.json", directory / "model.safetensors"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"vocab_size": 1 << 17}), encoding="utf-8")
    tensors = load_file(weights)
    name = "model.embed_tokens.weight"
    known, hidden = tensors[name].shape
    tensors[name] = np.concatenate([tensors[name], np.zeros(((1 << 17) - known, hidden), np.float32)])
    save_file(tensors, str(weights), metadata={"format": "pt"})
    seal_model_dir(directory)
    return directory


def test_a_second_start_maps_weights_and_loads_kernels(tmp_path: Path) -> None:
    """No weight is copied: the engine has less memory of its own than the weights have bytes."""
    model = wide_model(tmp_path / "model")
    weights = (model / "model.safetensors").stat().st_size
    assert weights > 30 << 20
    environment = os.environ | {"LLMNET_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", f"SUPERFLUOUS = {SUPERFLUOUS}{START}", str(model)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    *starts, to_compute, to_serve = (line.split() for line in done.stdout.splitlines())
    (_, loaded, compiled), (own, loaded_again, compiled_again) = (map(int, start) for start in starts)
    assert (loaded, compiled_again) == (0, 0)
    assert compiled == loaded_again == 3
    assert own < weights / 4
    assert to_compute == to_serve == [], "a worker does not wait for what it does not need"
