"""Compile a kernel for a GPU that need not be there, and read what the binary costs."""

import ast
import dataclasses
import hashlib
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from llmnet.kernels._config import COMPILE_OPTIONS
from llmnet.kernels._dispatch import interpreting
from llmnet.kernels._variant import Variant
from llmnet.kernels.errors import BackendError

MAX_REGISTERS = 255
MAX_SHARED_BYTES = {90: 232_448, 80: 101_376}
"""Shared memory one block may use; for ``sm_80`` what every GPU from Ampere on has (8.6 and 8.9 have least)."""


@dataclasses.dataclass(frozen=True)
class Resources:
    """What one compiled kernel uses: registers a thread, bytes a thread or a block, instruction counts in
    PTX."""

    registers: int
    stack_bytes: int
    spill_stores: int
    spill_loads: int
    shared_bytes: int
    num_warps: int
    wgmma: int
    mma_sync: int
    cp_async: int
    tma: int
    cubin_sha256: str

    def faults(self, variant: Variant, number: int) -> list[str]:
        """Reasons why this kernel must not ship for architecture ``number``; empty when it may."""
        found = []
        if self.registers > MAX_REGISTERS:
            found.append(f"{self.registers} registers a thread, at most {MAX_REGISTERS}")
        if self.stack_bytes or self.spill_stores or self.spill_loads:
            found.append(
                f"spills: stack {self.stack_bytes} B, {self.spill_stores} stores, {self.spill_loads} loads"
            )
        if self.shared_bytes > MAX_SHARED_BYTES[number]:
            found.append(f"{self.shared_bytes} B of shared memory, at most {MAX_SHARED_BYTES[number]}")
        if variant.wgmma and (self.wgmma == 0 or self.mma_sync > 0):
            found.append(f"wgmma expected, found {self.wgmma} wgmma and {self.mma_sync} mma.sync")
        if variant.tma and self.tma == 0:
            found.append("bulk copies expected, found none")
        return found


def compile_variant(variant: Variant, number: int) -> Any:
    """Compile one variant for ``sm_<number>``; returns Triton's compiled kernel (``.asm``, ``.metadata``).

    Raises: :class:`BackendError` under ``TRITON_INTERPRET``.
    """
    if interpreting():
        raise BackendError("unset TRITON_INTERPRET: interpreted kernels cannot be compiled")
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    source = ASTSource(
        variant.kernel,
        variant.signature(),
        constexprs=dict(variant.constants),
        attrs=variant.attributes(),
    )
    options = {"num_warps": variant.num_warps, "num_stages": variant.num_stages, **COMPILE_OPTIONS}
    return triton.compile(source, target=GPUTarget("cuda", number, 32), options=options)


def measure(variant: Variant, number: int) -> Resources:
    """Compile one variant and read its resources from the binary and from PTX."""
    compiled = compile_variant(variant, number)
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
        tma=len(re.findall(r"cp\.async\.bulk\.tensor", ptx)),
        cubin_sha256=hashlib.sha256(cubin).hexdigest(),
    )


def fingerprint(variant: Variant, number: int) -> str:
    """Digest of everything that decides what this variant compiles to.

    The source of the kernel and of every function it calls (without comments and docstrings), the launch and
    the compiler: two variants with one fingerprint have one binary. It takes milliseconds where a compilation
    takes a second.
    """
    import triton

    attributes = sorted(place for (place,) in variant.attributes())
    inputs = [
        _sources(variant.kernel),
        variant.signature(),
        dict(variant.constants),
        attributes,
        [variant.num_warps, variant.num_stages, COMPILE_OPTIONS, number, triton.__version__],
    ]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _sources(kernel: Any) -> dict[str, str]:
    """Code of a kernel and of the functions and constants that it reaches, by qualified name."""
    from triton.runtime.jit import JITFunction

    found: dict[str, str] = {}
    waiting = [kernel]
    while waiting:
        function = waiting.pop()
        name = f"{function.fn.__module__}.{function.fn.__qualname__}"
        if name in found:
            continue
        tree = ast.parse(function.src)
        found[name] = ast.unparse(_without_docstring(tree))  # not `dump`: its text depends on the Python
        for used in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
            value = function.fn.__globals__.get(used)
            if isinstance(value, JITFunction):
                waiting.append(value)
            elif value is not None and type(value).__name__ in ("int", "float", "bool", "str", "constexpr"):
                found[f"{name}:{used}"] = repr(getattr(value, "value", value))
    return found


def _without_docstring(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree


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
