"""The committed package is what the committed runtime's metadata gives, byte for byte."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from llmnet.chain import parse_metadata
from llmnet.chain.shapes import Shapes
from llmnet.pallets import generate
from llmnet.pallets.generate.__main__ import OWN, REFUSALS, SUBSTITUTES, main

from .conftest import ARTIFACTS

NEWEST = ARTIFACTS / "metadata_v16.scale"
FIXTURES = Path(__file__).parents[1] / "chain" / "fixtures"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return generate.render_package(generate.from_file(NEWEST), SUBSTITUTES, REFUSALS)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OWN, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__")))


def test_the_committed_package_is_up_to_date() -> None:
    """If not: `python -m llmnet.pallets.generate --metadata runtime_spec/artifacts/metadata_v16.scale`."""
    assert main(["--metadata", str(NEWEST), "--check"]) == 0


@pytest.mark.parametrize("seed", ["1", "2"])
def test_two_runs_give_the_same_bytes(tmp_path: Path, seed: str) -> None:
    arguments = ["--metadata", str(NEWEST), "--out", str(tmp_path / "package")]
    environment = os.environ | {"PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "-m", "llmnet.pallets.generate", *arguments], check=True, env=environment)
    made = {path.relative_to(tmp_path / "package"): path.read_bytes() for path in tmp_path.rglob("*.py")}
    assert made == {path.relative_to(OWN): path.read_bytes() for path in OWN.rglob("*.py")}


def test_an_edit_a_lost_file_and_a_left_over_one_are_told(
    files: dict[str, str], copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate.differences(files, copied) == []
    calls = copied / "staking" / "calls.py"
    calls.write_text(calls.read_text().replace("amount: int", "amount: float"))
    (copied / "beacon" / "views.py").unlink()
    (copied / "gone.py").write_text(calls.read_text())
    told = generate.differences(files, copied)
    assert [line.partition("\n")[0] for line in told] == [
        "beacon/views.py: is not there",
        "gone.py: is not made any more",
        "staking/calls.py: differs",
    ]
    assert main(["--metadata", str(NEWEST), "--out", str(copied), "--check"]) == 1
    assert "+def bond(role: t.Role, amount: int) -> Call:" in capsys.readouterr().out
    generate.write_package(files, copied)
    assert generate.differences(files, copied) == []


def test_a_folder_of_somebody_else_is_left_alone(files: dict[str, str], copied: Path) -> None:
    (copied / "mine.py").write_text("print('mine')\n")
    with pytest.raises(generate.GenerateError, match=r"mine\.py was not generated"):
        generate.write_package(files, copied)
    assert (copied / "mine.py").exists()


def test_a_class_that_does_not_fit_its_type_is_refused() -> None:
    metadata = generate.from_file(NEWEST)
    for path, source, message in (
        ("llmnet_primitives::types::Receipt", "llmnet.proof:Segment", r"Segment has \(session, first"),
        ("llmnet_primitives::types::FinishReason", "llmnet.proof:NumericsClass", "FP32 = 0"),
        ("llmnet_primitives::types::Receipt", "llmnet.proof:Nothing", "has no Nothing"),
        ("pallet_sessions::types::Status", "llmnet.proof:Receipt", "only structs and plain enums"),
    ):
        with pytest.raises(generate.SubstituteError, match=message):
            generate.render_package(metadata, {path: source})


@pytest.mark.parametrize("version", [14, 16])
def test_a_large_foreign_runtime_becomes_python_too(version: int) -> None:
    """Its types include recursive ones, hundreds of variants, and names that are words of Python."""
    packed = FIXTURES / f"foreign_v{version}.scale.zst"
    data = zstandard.ZstdDecompressor().decompress(packed.read_bytes(), max_output_size=1 << 22)
    made = generate.render_package(parse_metadata(data))
    assert len(made) > 300
    for name, text in made.items():
        compile(text, name, "exec")
    assert made == generate.render_package(parse_metadata(data))


def test_events_inside_of_what_a_function_gives_are_plain_values() -> None:
    metadata = generate.from_file(NEWEST)
    core = metadata.apis["Core"]
    records = metadata.pallet("System").storage["Events"].value
    version = dataclasses.replace(core.methods["version"], output=records)
    changed = dataclasses.replace(core, methods={**core.methods, "version": version})
    made = generate.render_package(dataclasses.replace(metadata, apis={**metadata.apis, "Core": changed}))
    assert "async def version(view: View) -> tuple[t.EventRecord, ...]:" in made["apis/core.py"]
    assert "    event: Variant\n" in made["types.py"]


@pytest.mark.parametrize("version", [14, 15])
def test_older_metadata_of_the_same_runtime_has_the_same_shapes(version: int) -> None:
    """So a program that was generated from V16 runs against a node that only tells V14."""
    newest = Shapes(parse_metadata(NEWEST.read_bytes()))
    older = Shapes(parse_metadata((ARTIFACTS / f"metadata_v{version}.scale").read_bytes()))
    for name, pallet in older.metadata.pallets.items():
        for entry in pallet.storage.values():
            assert older.storage(entry) == newest.storage(newest.metadata.pallets[name].storage[entry.name])
        for kind in ("calls", "events", "errors"):
            for variant in older.metadata.variants(name, kind).variants:  # type: ignore[arg-type]
                same = newest.metadata.variants(name, kind).find(variant.name)  # type: ignore[arg-type]
                assert same is not None
                assert older.variant(kind, name, variant) == newest.variant(kind, name, same)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "magic bytes are missing"),
        (b"0xzz", "not hexadecimal"),
        (b"meta\x63", "V99 is not supported"),
        (b"meta\x10\xff\xff\xff\xff", "damaged"),
    ],
)
def test_what_is_no_metadata_is_refused_with_the_file_name(
    tmp_path: Path, content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "metadata.scale"
    path.write_bytes(content)
    assert main(["--metadata", str(path), "--out", str(tmp_path / "package")]) == 1
    told = capsys.readouterr().err
    assert "metadata.scale" in told and message in told
    assert not (tmp_path / "package").exists()


def test_hex_and_a_length_before_the_metadata_are_taken(tmp_path: Path, files: dict[str, str]) -> None:
    path = tmp_path / "metadata.hex"
    data = NEWEST.read_bytes()
    path.write_text("0x" + ((len(data) << 2) | 2).to_bytes(4, "little").hex() + data.hex() + "\n")
    assert generate.render_package(generate.from_file(path), SUBSTITUTES, REFUSALS) == files


def test_a_file_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--metadata", str(tmp_path / "nothing"), "--check"]) == 1
    assert main(["--wasm", str(tmp_path / "nothing"), "--check"]) == 1
    assert capsys.readouterr().err.count("nothing") == 2
