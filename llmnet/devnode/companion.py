"""The WASM module that stands between a runtime and its host: memory, heap, hashes, answers of the host.

Crossing between WASM and Python is what a runtime call spends its time on. What needs nothing of the host
stays on the WASM side: malloc, free and the short hashes. Functions of the host that return bytes leave them
in a fixed place (the stage), and the companion copies them to the heap, which saves the host a second
crossing for malloc. The companion also holds the runtime's data segments, because it owns the memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import wasmtime

from llmnet.devnode.allocator import HEADS_BYTES, allocator_wat
from llmnet.devnode.errors import InvalidRuntime
from llmnet.devnode.wasm_binary import with_data
from llmnet.devnode.wasm_hashes import SCRATCH_BYTES, hashes_wat

# The module name under which the companion imports what it wraps.
RAW = "raw"
MALLOC = "ext_allocator_malloc_version_1"
# Answers of up to this many bytes go over the stage.
STAGE_BYTES = 16 * 1024
_SIZE_BYTES = 8

OWN_FUNCTIONS = frozenset(
    {
        MALLOC,
        "ext_allocator_free_version_1",
        *(f"ext_hashing_twox_{bits}_version_1" for bits in (64, 128, 256)),
        *(f"ext_hashing_blake2_{bits}_version_1" for bits in (128, 256)),
    }
)


@dataclass(frozen=True)
class Layout:
    """Where the companion keeps its things: all behind the runtime's heap base, 16-byte aligned."""

    heap_base: int

    @property
    def stage(self) -> int:
        """The stage: how many bytes lie there (8 bytes, 0 for none), then the bytes."""
        return (self.heap_base + 15) & ~15

    @property
    def scratch(self) -> int:
        """Working memory of the hashes."""
        return self.stage + _SIZE_BYTES + STAGE_BYTES

    @property
    def heads(self) -> int:
        """The allocator's free lists, and behind them the heap."""
        return self.scratch + SCRATCH_BYTES


def _wrapped(name: str, kind: wasmtime.FuncType, number: int, stage: int) -> tuple[str, str]:
    """The import of a function of the host and the exported function that takes its answer off the stage."""
    types = [str(item) for item in kind.params]
    params = f"(param {' '.join(types)})" if types else ""
    arguments = " ".join(f"(local.get {index})" for index in range(len(types)))
    imported = f' (import "{RAW}" "{name}" (func $raw{number} {params} (result i64)))'
    exported = f""" (func (export "{name}") {params} (result i64)
  (local $result i64) (local $size i64) (local $out i32)
  (local.set $result (call $raw{number} {arguments}))
  (local.set $size (i64.load (i32.const {stage})))
  (if (i64.eqz (local.get $size)) (then (return (local.get $result))))
  (i64.store (i32.const {stage}) (i64.const 0))
  (local.set $out (call $malloc (i32.wrap_i64 (local.get $size))))
  (memory.copy (local.get $out) (i32.const {stage + _SIZE_BYTES}) (i32.wrap_i64 (local.get $size)))
  (i64.or (i64.extend_i32_u (local.get $out)) (i64.shl (local.get $size) (i64.const 32))))"""
    return imported, exported


def is_wrapped(kind: wasmtime.FuncType) -> bool:
    """Whether a host function of this type goes through the companion: all that may return a span do."""
    return [str(item) for item in kind.results] == ["i64"]


def companion_code(
    layout: Layout,
    min_pages: int,
    max_pages: int | None,
    functions: Mapping[str, wasmtime.FuncType],
    data: bytes | None,
) -> bytes:
    """The companion for a runtime with these host functions, as a WASM binary.

    `min_pages` and `max_pages` (64 KiB each) are the limits of the memory that the runtime imports; `data`
    is the contents of its data section, if that was taken out. Raises InvalidRuntime if the memory may not
    grow enough for a heap.
    """
    wraps = [
        _wrapped(name, kind, number, layout.stage)
        for number, (name, kind) in enumerate(functions.items())
        if is_wrapped(kind) and name not in OWN_FUNCTIONS
    ]
    pages = max(min_pages, ((layout.heads + HEADS_BYTES) >> 16) + 1)
    if max_pages is not None and pages > max_pages:
        raise InvalidRuntime(
            f"the runtime allows its memory {max_pages} pages; with its heap at {layout.heap_base} it needs "
            f"at least {pages}"
        )
    limits = f"{pages}" if max_pages is None else f"{pages} {max_pages}"
    fields = [imported for imported, _ in wraps]
    fields.append(f' (memory (export "memory") {limits})')
    fields += [allocator_wat(layout.heads), hashes_wat(layout.scratch)]
    fields += [exported for _, exported in wraps]
    code = bytes(wasmtime.wat2wasm("(module\n" + "\n".join(fields) + ")"))
    return code if data is None else with_data(code, data)
