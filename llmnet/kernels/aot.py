"""The compile gate: every pinned kernel for every architecture, on a machine without a GPU.

    python -m llmnet.kernels.aot                     compile all, print the table, compare with the record
    python -m llmnet.kernels.aot --only REGEX        compile only those whose "sm_90/name" matches
    python -m llmnet.kernels.aot --inputs            compare what would be compiled; compile nothing
    python -m llmnet.kernels.aot --write             compile what has changed and renew the record (--all: everything)

The record (``pinned/sm_90.json`` beside this file) holds, for each kernel, a fingerprint of everything that
decides its binary, the digest of that binary and what it costs. Run this without ``TRITON_INTERPRET``:
interpreted kernels cannot be compiled. Line information is left out, which makes the binary of a kernel, and
so its digest, the same on every machine with the same Triton.
"""

import argparse
import dataclasses
import json
import multiprocessing
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from llmnet.kernels._compile import Resources, fingerprint, measure
from llmnet.kernels._config import ARCHITECTURES, COMPILE_OPTIONS, Tables, tables
from llmnet.kernels._dispatch import interpreting
from llmnet.kernels._variant import Variant
from llmnet.kernels.errors import BackendError

RECORDS = Path(__file__).with_name("pinned")
WRITE = "python -m llmnet.kernels.aot --write"
Row = dict[str, Any]


def all_variants(arch: str) -> Iterator[Variant]:
    """Every variant of every operator for ``arch``, in a fixed order."""
    return all_variants_of(tables(arch))


def all_variants_of(pinned: Tables) -> Iterator[Variant]:
    """Every variant of every operator under a table, in a fixed order."""
    from llmnet.kernels.attention_decode import triton as decode
    from llmnet.kernels.attention_prefill import triton as prefill
    from llmnet.kernels.kv_write import triton as write
    from llmnet.kernels.lm_head_leaf import triton as head
    from llmnet.kernels.matmul import triton as matmul
    from llmnet.kernels.rms_norm import triton as norm
    from llmnet.kernels.sample import triton as sampler
    from llmnet.kernels.sign_octets import triton as signs
    from llmnet.kernels.swiglu import triton as gate

    for module in (prefill, decode, write, matmul, norm, gate, head, signs, sampler):
        yield from module.variants(pinned)


def record_file(arch: str) -> Path:
    """Where the record of ``arch`` lies."""
    return RECORDS / f"{arch}.json"


def read_record(arch: str) -> Row:
    """The record of ``arch``. Raises: :class:`BackendError` when there is none that can be read."""
    try:
        record: Row = json.loads(record_file(arch).read_text())
    except (OSError, ValueError) as error:
        raise BackendError(f"{record_file(arch)} cannot be read: {error}; renew it: {WRITE}") from error
    return record


def inputs(arch: str) -> dict[str, str]:
    """Fingerprint of every kernel of ``arch`` by name: milliseconds, nothing is compiled."""
    return {variant.name: fingerprint(variant, tables(arch).number) for variant in all_variants(arch)}


def measured(arch: str, name: str) -> Row:
    """Compile kernel ``name`` for ``arch``: its row of a record, with the reasons why it must not ship."""
    os.environ["TRITON_DISABLE_LINE_INFO"] = "1"
    number = tables(arch).number
    variant = next(variant for variant in all_variants(arch) if variant.name == name)
    resources: Resources = measure(variant, number)
    faults = resources.faults(variant, number)
    return {"inputs": fingerprint(variant, number), **dataclasses.asdict(resources), "faults": faults}


def unchanged(arch: str, writing: bool) -> dict[str, Row]:
    """Rows of the record that need no compilation when it is renewed: their inputs are what they were. A check
    keeps nothing."""
    if not writing or not record_file(arch).exists():
        return {}
    rows = read_record(arch)["kernels"]
    now = inputs(arch)
    return {name: row for name, row in rows.items() if now.get(name) == row["inputs"]}


def report(arch: str, only: str = "", jobs: int | None = None, keep: dict[str, Row] | None = None) -> Row:
    """Compile the kernels of ``arch`` whose ``arch/name`` matches ``only``, ``jobs`` at a time (all cores).

    Rows of ``keep`` are taken as they are.
    """
    import triton

    kept = keep or {}
    wanted = [variant.name for variant in all_variants(arch) if re.search(only, f"{arch}/{variant.name}")]
    names = [name for name in wanted if name not in kept]
    if jobs == 1:
        rows = [measured(arch, name) for name in names]
    else:
        context = multiprocessing.get_context("forkserver")
        with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=context) as pool:
            rows = list(pool.map(measured, [arch] * len(names), names))
    made = kept | dict(zip(names, rows, strict=True))
    kernels = {name: made[name] for name in wanted}
    return {"arch": arch, "triton": triton.__version__, "options": COMPILE_OPTIONS, "kernels": kernels}


def differences(found: Row, record: Row) -> list[str]:
    """Where kernels just compiled are not those on record."""
    wrong = [
        f"{key}: compiled with {found[key]!r}, on record {record[key]!r}"
        for key in ("arch", "triton", "options")
        if found[key] != record[key]
    ]
    for name, row in found["kernels"].items():
        old = record["kernels"].get(name)
        if old is None:
            wrong.append(f"{name}: not on record")
            continue
        changed = {key: (old.get(key), value) for key, value in row.items() if old.get(key) != value}
        wrong += [f"{name}: {key} was {old}, is {new}" for key, (old, new) in changed.items()]
    return wrong


def input_differences(found: dict[str, str], record: Row) -> list[str]:
    """Kernels whose record was made from another source, launch or compiler, and kernels without one."""
    kernels = record["kernels"]
    wrong = [f"{name}: on record, but no longer made" for name in kernels.keys() - found.keys()]
    wrong += [f"{name}: not on record" for name in found.keys() - kernels.keys()]
    for name in found.keys() & kernels.keys():
        if found[name] != kernels[name]["inputs"]:
            wrong.append(f"{name}: source, launch or compiler differ from what the record was made from")
    return sorted(wrong)


def table(found: Row) -> str:
    """The resources of every kernel as text, one line a kernel."""
    lines = [f"{found['arch']:52} regs stack shared warps wgmma mma.sync cp.async bulk"]
    for name, row in found["kernels"].items():
        lines.append(
            f"{name:52} {row['registers']:4} {row['stack_bytes']:5} {row['shared_bytes']:6} {row['num_warps']:5} "
            f"{row['wgmma']:5} {row['mma_sync']:8} {row['cp_async']:8} {row['tma']:4}"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Compile, compare, print or write; exit status 1 when a kernel must not ship or is not on record."""
    parser = argparse.ArgumentParser(prog="python -m llmnet.kernels.aot", description="the compile gate")
    parser.add_argument("--arch", choices=ARCHITECTURES, help="only this architecture")
    parser.add_argument("--only", default="", metavar="REGEX", help='only kernels whose "sm_90/name" matches')
    parser.add_argument("--jobs", type=int, metavar="N", help="compilations at a time (default: all cores)")
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--inputs", action="store_true", help="compare the inputs only; compile nothing")
    doing.add_argument("--write", action="store_true", help="renew the record")
    parser.add_argument("--all", action="store_true", help="with --write: compile what has not changed, too")
    options = parser.parse_args(arguments)
    if options.write and options.only:
        parser.error("a record holds all kernels: --write takes no --only")
    if interpreting():
        sys.stderr.write("unset TRITON_INTERPRET: interpreted kernels cannot be compiled\n")
        return 1
    wrong: list[str] = []
    for arch in [options.arch] if options.arch else ARCHITECTURES:
        if not options.write:
            wrong += [f"{arch}: {line}" for line in input_differences(inputs(arch), read_record(arch))]
        if options.inputs:
            continue
        found = report(
            arch, options.only, options.jobs, keep={} if options.all else unchanged(arch, options.write)
        )
        sys.stdout.write(table(found))
        for name, row in found["kernels"].items():
            wrong += [f"{arch}: {name}: {fault}" for fault in row["faults"]]
        if options.write:
            RECORDS.mkdir(exist_ok=True)
            record_file(arch).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        else:
            wrong += [f"{arch}: {line}" for line in differences(found, read_record(arch))]
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    if wrong and not options.write:
        sys.stderr.write(f"if the change is meant, renew the record: {WRITE}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
