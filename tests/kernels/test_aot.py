"""The sm_90 gate: every pinned kernel compiles without a GPU, within limits, to the binary on record."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmnet.kernels import BackendError
from llmnet.kernels._variant import Variant
from llmnet.kernels.aot import Resources, compile_variant

GOLDEN = Path(__file__).parent / "golden" / "sm_90.json"
REGENERATE = "python -m llmnet.kernels.aot --write tests/kernels/golden/sm_90.json"

LAX = Variant("lax", None, {}, {}, frozenset(), {}, num_warps=8, num_stages=2, wgmma=False)
SOUND = Resources(
    registers=255,
    stack_bytes=0,
    spill_stores=0,
    spill_loads=0,
    shared_bytes=232_448,
    num_warps=8,
    wgmma=4,
    mma_sync=0,
    cp_async=8,
    cubin_sha256="00",
)


def compiling_environment(cache: Path) -> dict[str, str]:
    """This process may interpret its kernels; a process that compiles them must not."""
    kept = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    return {**kept, "TRITON_CACHE_DIR": str(cache), "TRITON_DISABLE_LINE_INFO": "1"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("aot")
    file = folder / "sm_90.json"
    done = subprocess.run(
        [sys.executable, "-m", "llmnet.kernels.aot", "--write", str(file)],
        capture_output=True,
        text=True,
        env=compiling_environment(folder / "cache"),
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(file.read_text())
    return result


@pytest.mark.aot
def test_every_kernel_is_the_one_on_record(measured: dict[str, Any]) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert measured["triton"] == golden["triton"], f"another compiler: {REGENERATE}"
    assert measured["kernels"].keys() == golden["kernels"].keys(), f"another set of kernels: {REGENERATE}"
    changed = {
        name: {key: (old, row[key]) for key, old in golden["kernels"][name].items() if row[key] != old}
        for name, row in measured["kernels"].items()
        if row != golden["kernels"][name]
    }
    assert not changed, f"kernels compile to something else; if that is meant: {REGENERATE}\n{changed}"


@pytest.mark.aot
def test_no_kernel_has_a_fault_and_prefill_uses_wgmma(measured: dict[str, Any]) -> None:
    assert len(measured["kernels"]) == 12
    for name, row in measured["kernels"].items():
        assert row["faults"] == [], name
        assert (row["wgmma"] > 0) == name.startswith("attention_prefill/"), name
        assert (row["mma_sync"] > 0) == name.startswith("attention_decode.split/"), name


@pytest.mark.aot
def test_a_tile_that_spills_is_caught(tmp_path: Path) -> None:
    script = """
import dataclasses, json
from llmnet.kernels.aot import all_variants, measure
good = next(all_variants())
bad = dataclasses.replace(good, constants={**good.constants, "BN": 128})
small = dataclasses.replace(good, constants={**good.constants, "BM": 16}, num_warps=4)
print(json.dumps([measure(bad).faults(bad), measure(small).faults(small)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=compiling_environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    spilling, narrow = json.loads(done.stdout)
    assert any("spills" in fault for fault in spilling)
    assert any("wgmma expected" in fault for fault in narrow)


@pytest.mark.aot
def test_the_gate_compiles_what_the_launchers_launch(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("launch_probe.py"))],
        capture_output=True,
        text=True,
        env=compiling_environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    differences = json.loads(done.stdout)
    assert differences.keys() == json.loads(GOLDEN.read_text())["kernels"].keys()
    assert not any(differences.values()), differences


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"registers": 256}, "256 registers"),
        ({"stack_bytes": 8}, "stack 8 B"),
        ({"spill_stores": 1}, "1 stores"),
        ({"spill_loads": 1}, "1 loads"),
        ({"shared_bytes": 232_449}, "232449 B of shared memory"),
    ],
)
def test_each_limit_is_a_fault_when_exceeded(change: dict[str, int], words: str) -> None:
    assert SOUND.faults(LAX) == []
    assert any(words in fault for fault in dataclasses.replace(SOUND, **change).faults(LAX))


def test_missing_wgmma_is_a_fault_where_it_is_expected() -> None:
    strict = dataclasses.replace(LAX, wgmma=True)
    assert SOUND.faults(strict) == []
    assert dataclasses.replace(SOUND, wgmma=0).faults(strict)
    assert dataclasses.replace(SOUND, mma_sync=2).faults(strict)


def test_the_gate_refuses_to_run_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    with pytest.raises(BackendError, match="unset TRITON_INTERPRET"):
        compile_variant(LAX)
