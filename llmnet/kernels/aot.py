"""Compile every pinned kernel for sm_90 on a machine without a GPU and read what it costs.

    python -m llmnet.kernels.aot                        print the table
    python -m llmnet.kernels.aot --write FILE.json      write the measured resources (the golden of the tests)

Run it without ``TRITON_INTERPRET``: interpreted kernels cannot be compiled. Line information is left out,
which makes the binary of a kernel, and so its digest, the same on every machine with the same Triton.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmnet.kernels._config import COMPILE_OPTIONS
from llmnet.kernels._dispatch import interpreting
from llmnet.kernels._variant import Variant
from llmnet.kernels.errors import BackendError

ARCH = 90
MAX_REGISTERS = 255
MAX_SHARED_BYTES = 232_448
"""Shared memory one block may use on sm_90."""


@dataclasses.dataclass(frozen=True)
class Resources:
    """What one compiled kernel uses: instruction counts in PTX, registers a thread, bytes a thread or a
    block."""

    registers: int
    stack_bytes: int
    spill_stores: int
    spill_loads: int
    shared_bytes: int
    num_warps: int
    wgmma: int
    mma_sync: int
    cp_async: int
    cubin_sha256: str

    def faults(self, variant: Variant) -> list[str]:
        """Reasons why this kernel must not ship; empty when it may."""
        found = []
        if self.registers > MAX_REGISTERS:
            found.append(f"{self.registers} registers a thread, at most {MAX_REGISTERS}")
        if self.stack_bytes or self.spill_stores or self.spill_loads:
            found.append(
                f"spills: stack {self.stack_bytes} B, {self.spill_stores} stores, {self.spill_loads} loads"
            )
        if self.shared_bytes > MAX_SHARED_BYTES:
            found.append(f"{self.shared_bytes} B of shared memory, at most {MAX_SHARED_BYTES}")
        if variant.wgmma and (self.wgmma == 0 or self.mma_sync > 0):
            found.append(f"wgmma expected, found {self.wgmma} wgmma and {self.mma_sync} mma.sync")
        return found


def all_variants() -> Iterator[Variant]:
    """Every variant of every operator, in a fixed order."""
    from llmnet.kernels.attention_decode import triton as decode
    from llmnet.kernels.attention_prefill import triton as prefill
    from llmnet.kernels.kv_write import triton as write

    yield from prefill.variants()
    yield from decode.variants()
    yield from write.variants()


def compile_variant(variant: Variant) -> Any:
    """Compile one variant for sm_90; returns Triton's compiled kernel (``.asm``, ``.metadata``).

    Raises: :class:`BackendError` under ``TRITON_INTERPRET``.
    """
    if interpreting():
        raise BackendError("unset TRITON_INTERPRET: interpreted kernels cannot be compiled")
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    names = [param.name for param in variant.kernel.params]
    types = {name: f"*{kind}" for name, kind in variant.pointers.items()} | dict(variant.scalars)
    signature = {name: types.get(name, "constexpr") for name in names}
    attributes = {
        (index,): [["tt.divisibility", 16]] for index, name in enumerate(names) if name in variant.aligned
    }
    source = ASTSource(variant.kernel, signature, constexprs=dict(variant.constants), attrs=attributes)
    options = {"num_warps": variant.num_warps, "num_stages": variant.num_stages, **COMPILE_OPTIONS}
    return triton.compile(source, target=GPUTarget("cuda", ARCH, 32), options=options)


def measure(variant: Variant) -> Resources:
    """Compile one variant and read its resources from the binary and from PTX."""
    compiled = compile_variant(variant)
    ptx: str = compiled.asm["ptx"]
    cubin: bytes = compiled.asm["cubin"]
    usage = _run_tool("cuobjdump", cubin, "--dump-resource-usage")
    sass = _run_tool("cuobjdump", cubin, "--dump-sass")
    return Resources(
        registers=_field(usage, "REG"),
        stack_bytes=_field(usage, "STACK"),
        spill_stores=len(re.findall(r"\bSTL\b", sass)),
        spill_loads=len(re.findall(r"\bLDL\b", sass)),
        shared_bytes=int(compiled.metadata.shared),
        num_warps=int(compiled.metadata.num_warps),
        wgmma=len(re.findall(r"wgmma\.mma_async", ptx)),
        mma_sync=len(re.findall(r"mma\.sync", ptx)),
        cp_async=len(re.findall(r"cp\.async\.c[ag]", ptx)),
        cubin_sha256=hashlib.sha256(cubin).hexdigest(),
    )


def _run_tool(name: str, cubin: bytes, *arguments: str) -> str:
    import triton

    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / name
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        done = subprocess.run([tool, *arguments, file.name], capture_output=True, text=True, check=True)  # noqa: S603 - a tool of the wheel
    return done.stdout


def _field(usage: str, name: str) -> int:
    found = re.findall(rf"\b{name}:(\d+)", usage)
    if not found:
        raise BackendError(f"cuobjdump printed no {name} field: {usage[:200]!r}")
    return max(map(int, found))


def report() -> dict[str, Any]:
    """Measure every variant: a JSON-ready object with the compiler version and one entry a kernel."""
    import triton

    os.environ["TRITON_DISABLE_LINE_INFO"] = "1"
    kernels = {}
    for variant in all_variants():
        resources = measure(variant)
        kernels[variant.name] = {**dataclasses.asdict(resources), "faults": resources.faults(variant)}
    return {"arch": f"sm_{ARCH}", "triton": triton.__version__, "kernels": kernels}


def table(result: dict[str, Any]) -> str:
    """The resources of every kernel as text, one line a kernel."""
    lines = [f"{'kernel':44} regs stack shared  wgmma mma.sync cp.async"]
    for name, row in result["kernels"].items():
        lines.append(
            f"{name:44} {row['registers']:4} {row['stack_bytes']:5} {row['shared_bytes']:6}  "
            f"{row['wgmma']:5} {row['mma_sync']:8} {row['cp_async']:8}"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Print the table or write it; exit status 1 when a kernel must not ship."""
    parser = argparse.ArgumentParser(prog="python -m llmnet.kernels.aot", description="sm_90 compile gate")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write JSON there instead of printing a table"
    )
    options = parser.parse_args(arguments)
    result = report()
    if options.write:
        options.write.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n")
    else:
        sys.stdout.write(table(result))
    faults = [f"{name}: {fault}\n" for name, row in result["kernels"].items() for fault in row["faults"]]
    sys.stderr.writelines(faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
