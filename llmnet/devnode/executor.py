"""Runs the entry points of a runtime: each call in a fresh instance, its writes kept only if it succeeds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wasmtime

from llmnet.devnode.allocator import allocator_wat
from llmnet.devnode.errors import (
    InvalidRuntime,
    MissingHostFunction,
    NoSuchEntryPoint,
    RuntimeTimeout,
    RuntimeTrap,
)
from llmnet.devnode.host import HOST_FUNCTIONS, HostCall, HostFunction, HostRefusedError
from llmnet.devnode.host.registry import arity
from llmnet.devnode.instance import CallFailedError, HostLinker, HostMemoryError, Instance, new_trap
from llmnet.devnode.overlay import Overlay, UnbalancedTransactionError
from llmnet.devnode.wasm import TICK_SECONDS, compile_module, engine

DEFAULT_MEMORY_BYTES = 512 * 1024 * 1024
DEFAULT_CALL_SECONDS = 60.0
_ALLOCATOR = ("ext_allocator_malloc_version_1", "ext_allocator_free_version_1")


class _MissingImportError(Exception):
    """The runtime called an import that is not there."""


def default_cache_dir() -> Path:
    """The directory of compiled modules: $LLMNET_CACHE_DIR/wasm, else $XDG_CACHE_HOME/llmnet/wasm."""
    base = os.environ.get("LLMNET_CACHE_DIR")
    if base:
        return Path(base) / "wasm"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmnet" / "wasm"


class Runtime:
    """A compiled runtime. Calls are serialised by a lock; a trap never harms the host.

    `memory_bytes` caps an instance's memory, `call_seconds` the time of a call.
    """

    def __init__(
        self,
        code: bytes,
        *,
        cache_dir: Path | None = None,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
        call_seconds: float = DEFAULT_CALL_SECONDS,
    ) -> None:
        self._module = compile_module(code, cache_dir)
        self._memory_bytes = memory_bytes
        self._call_seconds = call_seconds
        self._lock = threading.RLock()
        self._current: HostCall | None = None
        self._fault: BaseException | None = None
        self._linker = HostLinker(engine())
        self._memory_pages = self._link()
        self._allocator = self._make_allocator(0)
        self._allocator = self._make_allocator(self._read_heap_base())

    def _link(self) -> tuple[int, int | None]:
        """Defines all imports but the allocator's; returns the limits of the imported memory in pages."""
        pages = None
        for item in self._module.imports:
            if isinstance(item.type, wasmtime.MemoryType):
                pages = (item.type.limits.min, item.type.limits.max)
            elif not isinstance(item.type, wasmtime.FuncType):
                raise InvalidRuntime(
                    f"the runtime imports {item.name}, which is neither a function nor a memory"
                )
            elif item.name not in _ALLOCATOR:
                body = self._body(item.name or "", item.type)
                self._linker.define(item.module, item.name or "", item.type, body)
        if pages is None:
            raise InvalidRuntime("the runtime does not import its memory (env.memory), as FRAME runtimes do")
        return pages

    def _make_allocator(self, heap_base: int) -> wasmtime.Module:
        return wasmtime.Module(engine(), wasmtime.wat2wasm(allocator_wat(heap_base, *self._memory_pages)))

    def _read_heap_base(self) -> int:
        try:
            instance = self._instance(self._call_seconds)
        except CallFailedError as error:
            raise InvalidRuntime(f"the runtime cannot be instantiated: {error}") from None
        try:
            return instance.heap_base()
        finally:
            instance.close()

    def _instance(self, seconds: float) -> Instance:
        ticks = max(2, round(seconds / TICK_SECONDS) + 1)
        return Instance(self._linker, self._allocator, self._module, self._memory_bytes, ticks)

    def _body(self, name: str, kind: wasmtime.FuncType) -> Callable[[Any], int]:
        """The raw callback for an import: unpacks arguments, turns every exception into a trap."""
        count, function = len(kind.params), HOST_FUNCTIONS.get(name)
        if function is None:
            function = _missing(name)
        elif arity(function) != count:
            raise InvalidRuntime(
                f"the runtime imports {name} with {count} parameters, {arity(function)} are known"
            )
        if count > 4:
            raise InvalidRuntime(
                f"the runtime imports {name} with {count} parameters, at most 4 are supported"
            )
        call = _UNPACK[count](function)

        def body(values: Any) -> int:
            try:
                result = call(self._current, values)
                if result is not None:
                    values[0] = result
                return 0
            except BaseException as error:  # noqa: BLE001 - nothing may pass through WASM frames
                self._fault = error
                return new_trap(str(error) or type(error).__name__)

        return body

    def call(
        self, function: str, argument: bytes, overlay: Overlay, *, seconds: float | None = None
    ) -> bytes:
        """Calls an entry point; its writes are merged into `overlay` if it succeeds and discarded if not.

        Raises NoSuchEntryPoint, RuntimeTrap, MissingHostFunction or RuntimeTimeout.
        """
        with self._lock:
            limit = self._call_seconds if seconds is None else seconds
            instance = self._instance(limit)
            try:
                entry = instance.function(function)
                if entry is None:
                    raise NoSuchEntryPoint(f"the runtime has no entry point {function}")
                return self._run(function, instance, entry, argument, overlay, limit)
            finally:
                instance.close()

    def _run(
        self, function: str, instance: Instance, entry: Any, argument: bytes, overlay: Overlay, limit: float
    ) -> bytes:
        depth = overlay.depth
        overlay.begin()
        host = self._current = HostCall(instance, overlay)
        self._fault = None
        started = time.monotonic()
        try:
            result = instance.call(entry, argument)
            if overlay.depth != depth + 1:
                raise UnbalancedTransactionError(
                    f"{overlay.depth - depth - 1} storage transactions were left open"
                )
            overlay.commit()
            return result
        except (CallFailedError, HostMemoryError, UnbalancedTransactionError) as error:
            raise self._explain(function, host, error, time.monotonic() - started, limit) from self._fault
        finally:
            while overlay.depth > depth:
                overlay.rollback()
            self._current = None

    def _explain(
        self, function: str, host: HostCall, error: Exception, seconds: float, limit: float
    ) -> BaseException:
        fault = self._fault
        if isinstance(fault, _MissingImportError):
            return MissingHostFunction(function, f"the host function {fault} is not provided")
        if isinstance(
            fault, HostRefusedError | HostMemoryError | UnbalancedTransactionError | CallFailedError
        ):
            return RuntimeTrap(function, host.panic_text() or str(fault))
        if fault is not None:
            return fault
        if isinstance(error, CallFailedError) and error.interrupted:
            return RuntimeTimeout(function, f"interrupted after {seconds:.1f} s (the limit is {limit:g} s)")
        # wasmtime puts the cause behind the backtrace.
        reason = (str(error).splitlines() or ["unknown"])[-1].strip()
        return RuntimeTrap(function, host.panic_text() or reason)


def _missing(name: str) -> HostFunction:
    def fail(*_: Any) -> int:
        raise _MissingImportError(name)

    return fail


_Unpacked = Callable[[HostCall | None, Any], int | None]
_UNPACK: dict[int, Callable[[HostFunction], _Unpacked]] = {
    0: lambda f: lambda host, _values: f(host),
    1: lambda f: lambda host, values: f(host, values[0]),
    2: lambda f: lambda host, values: f(host, values[0], values[2]),
    3: lambda f: lambda host, values: f(host, values[0], values[2], values[4]),
    4: lambda f: lambda host, values: f(host, values[0], values[2], values[4], values[6]),
}
