"""The generated package: made as text, formatted, written, and compared with what is there."""

from __future__ import annotations

import difflib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from llmnet.chain import Metadata, Runtime, RuntimeVersion
from llmnet.chain.metadata import Outer, Pallet
from llmnet.chain.registry import VariantDef

from .errors import GenerateError
from .plan import Plan
from .render_pallets import PalletRenderer
from .render_types import render_types
from .words import docstring, python_name, quoted, snake

HEADER = "# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.\n# ruff: noqa\n"
FORMAT = ("format", "--isolated", "--quiet", "--line-length", "110", "--target-version", "py311")
# Unused imports are taken out, the others sorted.
TIDY = (
    "check",
    "--isolated",
    "--quiet",
    "--fix",
    "--ignore-noqa",
    "--select",
    "F401,I001",
    "--target-version",
    "py311",
)
MAX_DIFF_LINES = 20
OUTER: tuple[Outer, ...] = ("calls", "events", "errors")


def render_package(
    metadata: Metadata, substitutes: Mapping[str, str] | None = None, refusals: Sequence[str] = ()
) -> dict[str, str]:
    """The files of the package by relative path, not yet formatted. Raises SubstituteError, MetadataError."""
    runtime = Runtime(metadata, RuntimeVersion("", 0, 0, 0))
    plan = Plan(metadata, roots(metadata), substitutes or {})
    renderer = PalletRenderer(plan, runtime.bound, HEADER)
    files = {"types.py": render_types(plan, HEADER, refusals)}
    packages = []
    for pallet in sorted(metadata.pallets.values(), key=lambda pallet: pallet.index):
        folder = snake(pallet.name)
        packages.append(folder)
        files |= {f"{folder}/{name}": text for name, text in renderer.modules(pallet).items()}
    if metadata.apis:
        packages.append("apis")
        files |= _apis(metadata, renderer)
    files["__init__.py"] = _init(runtime, packages)
    return files


def roots(metadata: Metadata) -> Iterator[int]:
    """All types that entries name directly."""
    for pallet in metadata.pallets.values():
        yield from _roots_of(metadata, pallet)
    for api in metadata.apis.values():
        for method in api.methods.values():
            yield from (type_id for _, type_id in method.inputs)
            yield method.output


def _roots_of(metadata: Metadata, pallet: Pallet) -> Iterator[int]:
    for kind in OUTER:
        for variant in metadata.variants(pallet.name, kind).variants:
            yield from _field_types(variant)
    for entry in pallet.storage.values():
        yield from (key for _, key in entry.keys)
        yield entry.value
    yield from (constant.type for constant in pallet.constants.values())
    for view in pallet.view_functions.values():
        yield from (type_id for _, type_id in view.inputs)
        yield view.output


def _field_types(variant: VariantDef) -> Iterator[int]:
    return (field.type for field in variant.fields)


def _apis(metadata: Metadata, renderer: PalletRenderer) -> dict[str, str]:
    modules = {snake(api.name): renderer.api(api) for api in metadata.apis.values() if api.methods}
    names = sorted(modules)
    lines = [f"from . import {', '.join(names)}", "", f"__all__ = [{', '.join(map(quoted, names))}]"]
    init = HEADER + "\n".join(['"""The runtime APIs, one module each."""', "", *lines]) + "\n"
    return {f"apis/{name}.py": text for name, text in modules.items()} | {"apis/__init__.py": init}


def _init(runtime: Runtime, packages: Sequence[str]) -> str:
    name = "a runtime"
    system = runtime.metadata.pallets.get("System")
    if system is not None and "Version" in system.constants:
        version = runtime.constant("System", "Version")
        name = f"the runtime `{version['spec_name']}`, version {version['spec_version']}"
    modules = "\n".join(f"    {python_name(package)}" for package in sorted([*packages, "types"]))
    text = (
        f"The types, calls, events, errors, storage, constants and functions of {name}.\n\n"
        f"Nothing is imported before it is asked for: `from PACKAGE import MODULE`, where there are\n\n{modules}\n"
    )
    return HEADER + docstring(text, "") + "\n"


def write_package(files: Mapping[str, str], folder: Path) -> None:
    """Writes and formats the files; those of an older package that are no longer made are removed. Raises
    GenerateError for a folder that holds anything else."""
    _refuse_strangers(folder)
    with tempfile.TemporaryDirectory(prefix="llmnet-generate-") as temporary:
        fresh = _formatted(files, Path(temporary) / "package")
        for path in sorted(set(_files(folder)) - fresh.keys()):
            (folder / path).unlink()
        for name, data in fresh.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != data:
                target.write_bytes(data)
    for inner in sorted(folder.rglob("*"), reverse=True):
        if inner.is_dir() and inner.name != "__pycache__" and not any(inner.rglob("*.py")):
            _remove_empty(inner)


def differences(files: Mapping[str, str], folder: Path) -> list[str]:
    """What would change, file by file with the first lines of the difference; empty if nothing would."""
    with tempfile.TemporaryDirectory(prefix="llmnet-generate-") as temporary:
        fresh = _formatted(files, Path(temporary) / "package")
    found = _files(folder)
    told = [f"{name}: is not there" for name in fresh.keys() - found.keys()]
    told += [f"{name}: is not made any more" for name in found.keys() - fresh.keys()]
    for name in fresh.keys() & found.keys():
        if fresh[name] != found[name]:
            before, after = (
                data.decode(errors="replace").splitlines() for data in (found[name], fresh[name])
            )
            lines = list(difflib.unified_diff(before, after, "there", "made", lineterm="", n=0))
            told.append(f"{name}: differs\n" + "\n".join(lines[:MAX_DIFF_LINES]))
    return sorted(told)


def _formatted(files: Mapping[str, str], folder: Path) -> dict[str, bytes]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for arguments in (TIDY, FORMAT):
        command = [sys.executable, "-m", "ruff", *arguments, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
        if done.returncode:
            raise GenerateError(
                f"ruff does not take what was made (is it installed? it is one of the development packages): {done.stderr.strip()}"
            )
    return _files(folder)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}


def _refuse_strangers(folder: Path) -> None:
    """A folder is only overwritten if everything in it was made here."""
    head = HEADER.splitlines()[0].encode()
    for name, data in _files(folder).items():
        if not data.startswith(head):
            raise GenerateError(f"{folder / name} was not generated: choose another folder with --out")


def _remove_empty(path: Path) -> None:
    for cache in path.rglob("__pycache__"):
        for file in cache.iterdir():
            file.unlink()
        cache.rmdir()
    if not any(path.iterdir()):
        path.rmdir()
