"""One instance of a runtime, for one call:

wasmtime's C interface without the cost of its checked Python layer.

A checked Python callback costs about 30 µs, an unchecked one 1 µs; a transaction makes hundreds.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi

from llmnet.devnode.companion import MALLOC, STAGE_BYTES, Layout
from llmnet.devnode.errors import InvalidRuntime

MASK32 = 0xFFFFFFFF
_NO_FINALIZER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)()
# The same functions as wasmtime declares them, but with pointers that ctypes need not wrap.
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64), ctypes.c_size_t
)
_call_unchecked = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p
)(("wasmtime_func_call_unchecked", ffi.dll))
_TrapPointer = ctypes.POINTER(ffi.wasm_trap_t)
_ErrorPointer = ctypes.POINTER(ffi.wasmtime_error_t)

# A host function as the linker takes it: raw values (argument i at 2 i, result at 0) to 0 or a trap.
RawFunction = Callable[[int, int, Any, int], int]


class HostMemoryError(Exception):
    """The runtime named memory outside of its own."""


class CallFailedError(Exception):
    """A call into WASM trapped; `interrupted` when its time was over."""

    def __init__(self, message: str, interrupted: bool) -> None:
        super().__init__(message)
        self.interrupted = interrupted


def new_trap(message: str) -> int:
    """A trap for an unchecked callback to return (wasmtime frees it)."""
    text = message.encode()[:500]
    pointer = ffi.wasmtime_trap_new(ctypes.create_string_buffer(text, len(text)), len(text))
    return int(ctypes.cast(pointer, ctypes.c_void_p).value or 0)


def check(error: Any, trap: Any = None) -> None:
    """Raises CallFailedError if a function of the C interface reported an error or a trap."""
    if error:
        raise CallFailedError(str(wasmtime.WasmtimeError._from_ptr(error)), False)
    if trap is not None and trap:
        fault = wasmtime.Trap._from_ptr(trap)
        raise CallFailedError(fault.message, fault.trap_code is wasmtime.TrapCode.INTERRUPT)


def _text(name: str) -> tuple[Any, int]:
    data = name.encode()
    return ctypes.create_string_buffer(data, len(data)), len(data)


class HostLinker:
    """The imports of runtime and companion: host functions defined once, the companion anew per instance."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._linker = wasmtime.Linker(engine)
        self._linker.allow_shadowing = True
        self.engine = engine
        self.pointer = self._linker.ptr()
        self._callbacks: list[Any] = []

    def define(self, module: str, name: str, kind: wasmtime.FuncType, body: RawFunction) -> None:
        """Defines a host function."""
        callback = _Callback(body)
        self._callbacks.append((callback, kind))
        unchecked = ctypes.cast(callback, ffi.wasmtime_func_unchecked_callback_t)
        names = (*_text(module), *_text(name))
        check(
            ffi.wasmtime_linker_define_func_unchecked(
                self.pointer, *names, kind.ptr(), unchecked, None, _NO_FINALIZER
            )
        )

    def instantiate(self, context: Any, module: wasmtime.Module, instance: Any) -> None:
        """Fills `instance` with a new instance of `module` in one store."""
        trap = _TrapPointer()
        error = ffi.wasmtime_linker_instantiate(
            self.pointer, context, module.ptr(), ctypes.byref(instance), ctypes.byref(trap)
        )
        check(error, trap)

    def provide(self, context: Any, instance: Any) -> None:
        """Makes the exports of an instance the imports `env.*` of what is instantiated next in its store."""
        check(ffi.wasmtime_linker_define_instance(self.pointer, context, *_ENV, ctypes.byref(instance)))


_ENV, _MEMORY, _MALLOC = _text("env"), _text("memory"), _text(MALLOC)


class Instance:
    """A fresh instance of a runtime with its memory and heap.

    Not thread-safe; use it for one call, then `close`.
    """

    def __init__(
        self,
        linker: HostLinker,
        companion: wasmtime.Module,
        runtime: wasmtime.Module,
        layout: Layout,
        memory_bytes: int,
        ticks: int,
    ) -> None:
        self._store = wasmtime.Store(linker.engine)
        self._store.set_limits(memory_size=memory_bytes)
        self._store.set_epoch_deadline(ticks)
        self.context = self._store._context()
        self._context_address = ctypes.cast(self.context, ctypes.c_void_p).value
        helper = ffi.wasmtime_instance_t()
        self._instance = ffi.wasmtime_instance_t()
        linker.instantiate(self.context, companion, helper)
        linker.provide(self.context, helper)
        linker.instantiate(self.context, runtime, self._instance)
        self._stage = layout.stage
        self._memory = self._export(helper, _MEMORY).of.memory
        self._malloc = self._export(helper, _MALLOC).of.func
        self._malloc_address = ctypes.addressof(self._malloc)
        self._base = ctypes.cast(
            ffi.wasmtime_memory_data(self.context, ctypes.byref(self._memory)), ctypes.c_void_p
        ).value
        self._map()
        self._trap = _TrapPointer()
        self._trap_address = ctypes.addressof(self._trap)
        self._values = (ctypes.c_int64 * 4)()
        self._values_address = ctypes.addressof(self._values)

    def close(self) -> None:
        """Frees the instance and its memory."""
        del self._bytes, self._view
        self._store.close()

    def _export(self, instance: Any, name: tuple[Any, int]) -> Any:
        item = ffi.wasmtime_extern_t()
        if not ffi.wasmtime_instance_export_get(
            self.context, ctypes.byref(instance), *name, ctypes.byref(item)
        ):
            raise InvalidRuntime(f"the runtime exports no {name[0].raw.decode()}")
        return item

    def _map(self) -> None:
        """Looks at the memory as it is now; its base never moves, so later growth only hides what is new."""
        self._size = ffi.wasmtime_memory_data_size(self.context, ctypes.byref(self._memory))
        self._bytes = (ctypes.c_char * self._size).from_address(self._base)
        self._view = memoryview(self._bytes).cast("B")

    def _check_range(self, end: int) -> None:
        """Memory only grows, so its size is asked for only when a range lies behind what is known."""
        self._map()
        if end > self._size:
            raise HostMemoryError(f"the runtime passed memory up to {end}, it has {self._size} bytes")

    def read(self, pointer: int, size: int) -> bytes:
        """`size` bytes of the instance's memory."""
        end = pointer + size
        if end > self._size:
            self._check_range(end)
        data: bytes = self._bytes[pointer:end]
        return data

    def read_span(self, span: int) -> bytes:
        """The bytes that a runtime names as `pointer | size << 32`."""
        pointer = span & MASK32
        end = pointer + (span >> 32 & MASK32)
        if end > self._size:
            self._check_range(end)
        data: bytes = self._bytes[pointer:end]
        return data

    def write(self, pointer: int, data: bytes) -> None:
        """Copies `data` into the instance's memory."""
        end = pointer + len(data)
        if end > self._size:
            self._check_range(end)
        self._view[pointer:end] = data

    def allocate(self, data: bytes) -> int:
        """Copies `data` to the instance's heap and returns the pointer."""
        self._values[0] = len(data)
        self._call(self._malloc_address, 1)
        pointer = self._values[0] & MASK32
        self.write(pointer, data)
        return pointer

    def allocate_span(self, data: bytes) -> int:
        """Hands `data` to the runtime: the span that a host function has to return.

        Small answers lie on the stage until the companion takes them to the heap, so nothing else may be
        allocated before the function returns.
        """
        size = len(data)
        if size > STAGE_BYTES:
            return self.allocate(data) | size << 32
        at = self._stage
        self._view[at : at + 8 + size] = size.to_bytes(8, "little") + data
        return 0

    def _call(self, function: int, values: int) -> None:
        error = _call_unchecked(
            self._context_address, function, self._values_address, values, self._trap_address
        )
        if error or self._trap:
            trap, self._trap = self._trap, _TrapPointer()  # the trap now belongs to the exception
            self._trap_address = ctypes.addressof(self._trap)
            check(ctypes.cast(error, _ErrorPointer) if error else None, trap)

    def call(self, name: str, argument: bytes) -> bytes:
        """Calls an exported function (pointer, size) -> span; raises CallFailedError when it traps."""
        function = self._export(self._instance, _text(name)).of.func
        pointer = self.allocate(argument) if argument else 0
        self._values[0], self._values[2] = pointer, len(argument)
        self._call(ctypes.addressof(function), 2)
        return self.read_span(self._values[0])
