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

from llmnet.devnode.errors import InvalidRuntime

MASK32 = 0xFFFFFFFF
_string_at, _memmove = ctypes.string_at, ctypes.memmove
_NO_FINALIZER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)()
# The same function as wasmtime declares, but with pointers that ctypes need not wrap.
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64), ctypes.c_size_t
)
_TrapPointer = ctypes.POINTER(ffi.wasm_trap_t)


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


class HostLinker:
    """The imports of a module: host functions defined once, memory and allocator anew for each instance."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._linker = wasmtime.Linker(engine)
        self._linker.allow_shadowing = True
        self.pointer = self._linker.ptr()
        self._callbacks: list[Any] = []

    def define(self, module: str, name: str, kind: wasmtime.FuncType, body: Callable[[Any], int]) -> None:
        """Defines a function; `body` gets raw values (argument i at 2 i, result at 0), returns 0 or a trap."""

        def call(_env: int, _caller: int, values: Any, _count: int) -> int:
            return body(values)

        callback = _Callback(call)
        self._callbacks.append((callback, kind))
        unchecked = ctypes.cast(callback, ffi.wasmtime_func_unchecked_callback_t)
        names = (*_text(module), *_text(name))
        check(
            ffi.wasmtime_linker_define_func_unchecked(
                self.pointer, *names, kind.ptr(), unchecked, None, _NO_FINALIZER
            )
        )

    def provide(self, context: Any, module: str, name: str, item: Any) -> None:
        """Defines an item that belongs to one store."""
        check(
            ffi.wasmtime_linker_define(
                self.pointer, context, *_text(module), *_text(name), ctypes.byref(item)
            )
        )


def _text(name: str) -> tuple[Any, int]:
    data = name.encode()
    return ctypes.create_string_buffer(data, len(data)), len(data)


_MEMORY, _MALLOC, _FREE = _text("memory"), _text("malloc"), _text("free")


class Instance:
    """A fresh instance of a runtime with its memory and heap.

    Not thread-safe; use it for one call, then `close`.
    """

    def __init__(
        self,
        linker: HostLinker,
        allocator: wasmtime.Module,
        runtime: wasmtime.Module,
        memory_bytes: int,
        ticks: int,
    ) -> None:
        self._store = wasmtime.Store(linker._linker.engine)
        self._store.set_limits(memory_size=memory_bytes)
        self._store.set_epoch_deadline(ticks)
        self.context = self._store._context()
        self._trap = _TrapPointer()
        self._heap = ffi.wasmtime_instance_t()
        self._instance = ffi.wasmtime_instance_t()
        check(
            ffi.wasmtime_instance_new(
                self.context, allocator.ptr(), None, 0, ctypes.byref(self._heap), ctypes.byref(self._trap)
            ),
            self._trap,
        )
        memory, malloc, free = (self._export(self._heap, name) for name in (_MEMORY, _MALLOC, _FREE))
        linker.provide(self.context, "env", "memory", memory)
        linker.provide(self.context, "env", "ext_allocator_malloc_version_1", malloc)
        linker.provide(self.context, "env", "ext_allocator_free_version_1", free)
        check(
            ffi.wasmtime_linker_instantiate(
                linker.pointer,
                self.context,
                runtime.ptr(),
                ctypes.byref(self._instance),
                ctypes.byref(self._trap),
            ),
            self._trap,
        )
        self._memory = memory.of.memory
        self._base = ctypes.cast(
            ffi.wasmtime_memory_data(self.context, ctypes.byref(self._memory)), ctypes.c_void_p
        ).value
        self._size = 0
        self._malloc = malloc.of.func
        self._values = (ffi.wasmtime_val_raw_t * 2)()
        self._raw = ctypes.cast(self._values, ctypes.POINTER(ctypes.c_int64))

    def close(self) -> None:
        """Frees the instance and its memory."""
        self._store.close()

    def _export(self, instance: Any, name: tuple[Any, int]) -> Any:
        item = ffi.wasmtime_extern_t()
        if not ffi.wasmtime_instance_export_get(
            self.context, ctypes.byref(instance), *name, ctypes.byref(item)
        ):
            raise InvalidRuntime(f"the runtime exports no {name[0].raw.decode()}")
        return item

    def _check_range(self, end: int) -> None:
        """Memory only grows, so its size is asked for only when a range lies behind what is known."""
        self._size = ffi.wasmtime_memory_data_size(self.context, ctypes.byref(self._memory))
        if end > self._size:
            raise HostMemoryError(f"the runtime passed memory up to {end}, it has {self._size} bytes")

    def read(self, pointer: int, size: int) -> bytes:
        """`size` bytes of the instance's memory."""
        end = pointer + size
        if end > self._size:
            self._check_range(end)
        return _string_at(self._base + pointer, size)  # type: ignore[operator]

    def read_span(self, span: int) -> bytes:
        """The bytes that a runtime names as `pointer | size << 32`."""
        return self.read(span & MASK32, span >> 32 & MASK32)

    def write(self, pointer: int, data: bytes) -> None:
        """Copies `data` into the instance's memory."""
        end = pointer + len(data)
        if end > self._size:
            self._check_range(end)
        _memmove(self._base + pointer, data, len(data))  # type: ignore[operator]

    def allocate(self, data: bytes) -> int:
        """Copies `data` to the instance's heap and returns the pointer."""
        self._raw[0] = len(data)
        self._call(self._malloc, 1)
        pointer: int = self._raw[0] & MASK32
        self.write(pointer, data)
        return pointer

    def allocate_span(self, data: bytes) -> int:
        """As `allocate`; returns `pointer | size << 32`."""
        return self.allocate(data) | len(data) << 32

    def _call(self, function: Any, values: int) -> None:
        trap = self._trap
        error = ffi.wasmtime_func_call_unchecked(
            self.context, ctypes.byref(function), self._values, values, ctypes.byref(trap)
        )
        if error or trap:
            self._trap = _TrapPointer()  # the trap now belongs to the exception
            check(error, trap)

    def function(self, name: str) -> Any:
        """The exported entry point `name`, (pointer, size) -> span, None if there is none."""
        item = ffi.wasmtime_extern_t()
        found = ffi.wasmtime_instance_export_get(
            self.context, ctypes.byref(self._instance), *_text(name), ctypes.byref(item)
        )
        if not found or item.kind != ffi.WASMTIME_EXTERN_FUNC.value:
            return None
        kind = wasmtime.Func._from_raw(item.of.func).type(self._store)
        if [str(p) for p in kind.params] != ["i32", "i32"] or [str(r) for r in kind.results] != ["i64"]:
            return None
        return item.of.func

    def call(self, function: Any, argument: bytes) -> bytes:
        """Calls an entry point with encoded arguments; raises CallFailedError when it traps."""
        pointer = self.allocate(argument) if argument else 0
        self._raw[0], self._raw[2] = pointer, len(argument)
        self._call(function, 2)
        return self.read_span(self._raw[0])

    def heap_base(self) -> int:
        """The address that the runtime exports as the start of its heap."""
        item = self._export(self._instance, _text("__heap_base"))
        value = ffi.wasmtime_val_t()
        ffi.wasmtime_global_get(self.context, ctypes.byref(item.of.global_), ctypes.byref(value))
        return int(value.of.i32) & MASK32
