"""The compile gate: every pinned kernel compiles without a GPU, within limits, to the binary on record.

Compiling all of them takes minutes. By default each kernel's inputs are compared with those its record was
made from, which catches any change of source, launch or compiler, and a few kernels are compiled and compared
with the record; ``LLMNET_FULL_GATE=1`` compiles them all.
"""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmnet.kernels import BackendError
from llmnet.kernels._compile import Resources, compile_variant
from llmnet.kernels._config import ARCHITECTURES
from llmnet.kernels._variant import Variant
from llmnet.kernels.aot import differences, input_differences, main, read_record

FULL = os.environ.get("LLMNET_FULL_GATE") == "1"
SAMPLE = (
    r"^sm_90/(attention_prefill/llama-8b/page64/bf16|attention_decode.*/smollm2-135m/(page64/)?bf16|kv_write.*/smollm2-135m/bf16"
    r"|matmul/rows(16|any)/bf16-bf16|rms_norm.add/smollm2-135m/bf16|swiglu/bf16|lm_head_leaf/rows16/bf16|lm_head_leaf.merge/smollm2-135m"
    r"|sign_octets/LOGI|sample/32)$"
)

LAX = Variant("lax", None, {}, {}, frozenset(), {}, num_warps=8, num_stages=2)
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
    tma=2,
    cubin_sha256="00",
)


def compiling_environment(cache: Path) -> dict[str, str]:
    """This process may interpret its kernels; a process that compiles them must not."""
    kept = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    return {**kept, "TRITON_CACHE_DIR": str(cache), "TRITON_DISABLE_LINE_INFO": "1"}


def run(cache: Path, *arguments: str) -> str:
    """Run Python where kernels compile; its output, and its status in an assertion."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=compiling_environment(cache)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.aot
def test_kernels_are_those_on_record_and_within_limits(
    tmp_path: Path,
) -> None:
    options = [] if FULL else ["--only", SAMPLE, "--jobs", "1"]
    printed = run(tmp_path, "-m", "llmnet.kernels.aot", *options)
    assert len(printed.splitlines()) > 12


@pytest.mark.aot
def test_a_tile_that_spills_and_one_without_wgmma_are_caught(tmp_path: Path) -> None:
    script = """
import dataclasses, json
from llmnet.kernels.aot import all_variants
from llmnet.kernels._compile import measure
good = next(all_variants("sm_90"))
bad = dataclasses.replace(good, constants={**good.constants, "BM": 256})
small = dataclasses.replace(good, constants={**good.constants, "BM": 16}, num_warps=4)
print(json.dumps([measure(bad, 90).faults(bad, 90), measure(small, 90).faults(small, 90)]))
"""
    spilling, narrow = json.loads(run(tmp_path, "-c", script))
    assert any("spills" in fault for fault in spilling)
    assert any("wgmma expected" in fault for fault in narrow)


@pytest.mark.aot
def test_the_gate_compiles_what_the_launchers_launch(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, str(Path(__file__).with_name("launch_probe.py"))))
    assert found.keys() == {
        f"{arch}/{name}" for arch in ARCHITECTURES for name in read_record(arch)["kernels"]
    }
    assert not any(found.values()), found


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_no_kernel_on_record_has_a_fault(arch: str) -> None:
    record = read_record(arch)
    for name, row in record["kernels"].items():
        assert row["faults"] == [], name
        dots = name.startswith(("attention_prefill/", "attention_decode.split/", "matmul/", "lm_head_leaf/"))
        assert (row["wgmma"] > 0) == (dots and arch == "sm_90"), name
        assert (row["mma_sync"] > 0) == (dots and arch == "sm_80"), name


DOCUMENT = Path(__file__).parents[2] / "docs" / "kernels.md"


def documented_rows(names: list[str]) -> list[str]:
    """What docs/kernels.md should say of these kernels."""
    rows = []
    for name in names:
        cells = []
        for arch in ARCHITECTURES:
            row = read_record(arch)["kernels"].get(name)
            if row is None:
                cells += ["-", "-"]
                continue
            unit = "wgmma" if row["wgmma"] else "mma.sync" if row["mma_sync"] else "none"
            cells.append(f"{row['registers']} / {row['shared_bytes']:,} / {row['num_warps']}")
            cells.append(f"{unit}, TMA" if row["tma"] else unit)
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return rows


def test_the_document_says_what_the_record_says() -> None:
    lines = [line for line in DOCUMENT.read_text().splitlines() if re.match(r"\| `[\w.]+/", line)]
    names = [line.split("`")[1] for line in lines]
    assert {name.split("/")[0].split(".")[0] for name in names} == {
        name.split("/")[0].split(".")[0] for name in read_record("sm_90")["kernels"]
    }
    assert lines == documented_rows(names)


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
    assert SOUND.faults(LAX, 90) == []
    assert any(words in fault for fault in dataclasses.replace(SOUND, **change).faults(LAX, 90))


def test_missing_wgmma_and_missing_bulk_copies_are_faults_where_expected() -> None:
    strict = dataclasses.replace(LAX, wgmma=True, tma=True)
    assert SOUND.faults(strict, 90) == []
    assert dataclasses.replace(SOUND, wgmma=0).faults(strict, 90)
    assert dataclasses.replace(SOUND, mma_sync=2).faults(strict, 90)
    assert dataclasses.replace(SOUND, tma=0).faults(strict, 90)


def test_a_kernel_that_differs_from_its_record_is_named() -> None:
    record = read_record("sm_90")
    name, row = next(iter(record["kernels"].items()))
    for key, value in (("cubin_sha256", "00"), ("registers", 3), ("inputs", "11")):
        found: dict[str, Any] = {**record, "kernels": {name: {**row, key: value}}}
        assert differences(found, record) == [f"{name}: {key} was {row[key]}, is {value}"]
    assert differences({**record, "kernels": {"new": row}}, record) == ["new: not on record"]
    assert "triton" in differences({**record, "triton": "0"}, record)[0]


def test_a_record_made_from_other_inputs_is_named() -> None:
    record = read_record("sm_90")
    inputs = {name: row["inputs"] for name, row in record["kernels"].items()}
    assert input_differences(inputs, record) == []
    name = next(iter(inputs))
    assert input_differences({**inputs, name: "00"}, record) == [
        f"{name}: source, launch or compiler differ from what the record was made from"
    ]
    assert input_differences({**inputs, "new": "00"}, record) == ["new: not on record"]
    del inputs[name]
    assert input_differences(inputs, record) == [f"{name}: on record, but no longer made"]


KERNEL = '''
import triton, triton.language as tl
STEP: tl.constexpr = tl.constexpr(CONSTANT)
@triton.jit
def inner(x):
    return x * FACTOR  # COMMENT
@triton.jit
def kernel(p, N: tl.constexpr):
    """DOCSTRING"""
    tl.store(p, inner(tl.load(p)) + STEP)
'''
FINGERPRINTS = """
import importlib.util, json, sys
from llmnet.kernels._compile import fingerprint
from llmnet.kernels._variant import Variant
found = []
for file in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("probe", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    launch = Variant("v", module.kernel, {"p": "fp32"}, {}, frozenset({"p"}), {"N": 1}, 4, 1)
    found.append(fingerprint(launch, 90))
found.append(fingerprint(launch, 80))
print(json.dumps(found))
"""


@pytest.mark.aot
def test_fingerprints_see_code_and_constants_but_no_comment(tmp_path: Path) -> None:
    plain = {"CONSTANT": "1", "FACTOR": "2", "COMMENT": "a", "DOCSTRING": "a"}
    changes: list[dict[str, str]] = [
        {"FACTOR": "3"},
        {"CONSTANT": "3"},
        {},
        {"COMMENT": "b", "DOCSTRING": "b"},
    ]
    files = []
    for number, change in enumerate(changes):
        text = KERNEL
        for word, value in (plain | change).items():
            text = text.replace(word, value)
        files.append(tmp_path / f"probe{number}.py")
        files[-1].write_text(text)
    factor, constant, genuine, commented, other_arch = json.loads(
        run(tmp_path, "-c", FINGERPRINTS, *map(str, files))
    )
    assert genuine == commented
    assert len({factor, constant, genuine, other_arch}) == 4


def test_the_gate_refuses_to_run_interpreted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert main(["--inputs"]) == 1
    assert "unset TRITON_INTERPRET" in capsys.readouterr().err
    with pytest.raises(BackendError, match="unset TRITON_INTERPRET"):
        compile_variant(LAX, 90)
