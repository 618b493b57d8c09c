"""Runs the entry points of a runtime: each call in a fresh instance, its writes kept only if it succeeds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wasmtime

from llmnet.devnode.companion import OWN_FUNCTIONS, RAW, Layout, companion_code, is_wrapped
from llmnet.devnode.errors import (
    InvalidRuntime,
    MissingHostFunction,
    NoSuchEntryPoint,
    RuntimeTimeout,
    RuntimeTrap,
)
from llmnet.devnode.host import HOST_FUNCTIONS, HostCall, HostFunction, HostRefusedError, why_missing
from llmnet.devnode.host.registry import arity
from llmnet.devnode.instance import (
    CallFailedError,
    HostLinker,
    HostMemoryError,
    Instance,
    RawFunction,
    new_trap,
)
from llmnet.devnode.keystore import Keystore
from llmnet.devnode.overlay import Overlay, UnbalancedTransactionError
from llmnet.devnode.wasm import TICK_SECONDS, compile_module, engine, plain_code
from llmnet.devnode.wasm_binary import heap_base, split_data
from llmnet.devnode.wasm_memory import import_memory

DEFAULT_MEMORY_BYTES = 512 * 1024 * 1024
DEFAULT_CALL_SECONDS = 60.0


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
        split = split_data(import_memory(plain_code(code)))
        self._module = compile_module(split.code, cache_dir)
        self._memory_bytes = memory_bytes
        self._call_seconds = call_seconds
        self._lock = threading.RLock()
        self._current: HostCall | None = None
        self._fault: BaseException | None = None
        self._linker = HostLinker(engine())
        self._entry_points = {item.name for item in self._module.exports if _is_entry_point(item.type)}
        functions, pages = self._link()
        self._layout = Layout(heap_base(split.code))
        companion = companion_code(self._layout, *pages, functions, split.data)
        self._companion = compile_module(companion, cache_dir)
        self._try_instance()

    def _link(self) -> tuple[dict[str, wasmtime.FuncType], tuple[int, int | None]]:
        """Defines all imports that the host serves.

        Returns them and the limits of the imported memory in pages.
        """
        pages = None
        functions: dict[str, wasmtime.FuncType] = {}
        for item in self._module.imports:
            name = item.name or ""
            if isinstance(item.type, wasmtime.MemoryType):
                pages = (item.type.limits.min, item.type.limits.max)
            elif not isinstance(item.type, wasmtime.FuncType):
                raise InvalidRuntime(f"the runtime imports {name}, which is neither a function nor a memory")
            elif name not in OWN_FUNCTIONS:
                module = RAW if is_wrapped(item.type) else item.module
                self._linker.define(module, name, item.type, self._raw_function(name, item.type))
                functions[name] = item.type
        if pages is None:
            raise InvalidRuntime("the runtime does not import its memory (env.memory), as FRAME runtimes do")
        return functions, pages

    def _try_instance(self) -> None:
        try:
            self._instance(self._call_seconds).close()
        except CallFailedError as error:
            raise InvalidRuntime(f"the runtime cannot be instantiated: {error}") from None

    def _instance(self, seconds: float) -> Instance:
        ticks = max(2, round(seconds / TICK_SECONDS) + 1)
        return Instance(self._linker, self._companion, self._module, self._layout, self._memory_bytes, ticks)

    def _raw_function(self, name: str, kind: wasmtime.FuncType) -> RawFunction:
        """The callback for an import: unpacks arguments, turns every exception into a trap."""
        count, function = len(kind.params), HOST_FUNCTIONS.get(name)
        if function is None:
            function = _missing(name)
        elif arity(function) != count:
            raise InvalidRuntime(
                f"the runtime imports {name} with {count} parameters, {arity(function)} are known"
            )
        if count not in _UNPACK:
            raise InvalidRuntime(
                f"the runtime imports {name} with {count} parameters, at most {max(_UNPACK)} are supported"
            )
        return _UNPACK[count](self, function, bool(kind.results))

    def _fail(self, error: BaseException) -> int:
        self._fault = error
        return new_trap(str(error) or type(error).__name__)

    def call(
        self,
        function: str,
        argument: bytes,
        overlay: Overlay,
        *,
        seconds: float | None = None,
        keystore: Keystore | None = None,
    ) -> bytes:
        """Calls an entry point; its writes are merged into `overlay` if it succeeds and discarded if not.

        `keystore` is for calls from outside of blocks: session keys are none of a block's business.

        Raises NoSuchEntryPoint, RuntimeTrap, MissingHostFunction or RuntimeTimeout.
        """
        with self._lock:
            limit = self._call_seconds if seconds is None else seconds
            if function not in self._entry_points:
                raise NoSuchEntryPoint(f"the runtime has no entry point {function}")
            instance = self._instance(limit)
            try:
                return self._run(function, HostCall(instance, overlay, keystore), argument, limit)
            finally:
                instance.close()

    def _run(self, function: str, host: HostCall, argument: bytes, limit: float) -> bytes:
        overlay = host.overlay
        depth = overlay.depth
        overlay.begin()
        host.base_depth = overlay.depth  # what lies below is not the runtime's to end
        self._current = host
        self._fault = None
        started = time.monotonic()
        try:
            result = host.instance.call(function, argument)
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
            return MissingHostFunction(
                function, f"the host function {fault} is not provided{why_missing(str(fault))}"
            )
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


def _is_entry_point(kind: object) -> bool:
    if not isinstance(kind, wasmtime.FuncType):
        return False
    return [str(p) for p in kind.params] == ["i32", "i32"] and [str(r) for r in kind.results] == ["i64"]


def _unpack_none(runtime: Runtime, function: HostFunction, _returns: bool) -> RawFunction:
    def raw(_env: int, _caller: int, values: Any, _count: int) -> int:
        try:
            result = function(runtime._current)
            if result is not None:
                values[0] = result
            return 0
        except BaseException as error:  # noqa: BLE001 - nothing may pass through WASM frames
            return runtime._fail(error)

    return raw


def _unpack_one(runtime: Runtime, function: HostFunction, returns: bool) -> RawFunction:
    def raw(_env: int, _caller: int, values: Any, _count: int) -> int:
        try:
            values[0] = function(runtime._current, values[0])
            return 0
        except BaseException as error:  # noqa: BLE001 - as above
            return runtime._fail(error)

    def raw_void(_env: int, _caller: int, values: Any, _count: int) -> int:
        try:
            function(runtime._current, values[0])
            return 0
        except BaseException as error:  # noqa: BLE001 - as above
            return runtime._fail(error)

    return raw if returns else raw_void


def _unpack_two(runtime: Runtime, function: HostFunction, returns: bool) -> RawFunction:
    def raw(_env: int, _caller: int, values: Any, _count: int) -> int:
        try:
            result = function(runtime._current, values[0], values[2])
            if returns:
                values[0] = result
            return 0
        except BaseException as error:  # noqa: BLE001 - as above
            return runtime._fail(error)

    return raw


def _unpack_many(count: int) -> Callable[[Runtime, HostFunction, bool], RawFunction]:
    slots = range(0, 2 * count, 2)

    def make(runtime: Runtime, function: HostFunction, returns: bool) -> RawFunction:
        def raw(_env: int, _caller: int, values: Any, _count: int) -> int:
            try:
                result = function(runtime._current, *[values[slot] for slot in slots])
                if returns:
                    values[0] = result
                return 0
            except BaseException as error:  # noqa: BLE001 - as above
                return runtime._fail(error)

        return raw

    return make


# By number of parameters; the frequent ones have code of their own.
_UNPACK: dict[int, Callable[[Runtime, HostFunction, bool], RawFunction]] = {
    0: _unpack_none,
    1: _unpack_one,
    2: _unpack_two,
    **{count: _unpack_many(count) for count in range(3, 9)},
}
