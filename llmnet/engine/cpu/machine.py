"""From kernels in LLVM's language to functions of this process: compiled once a machine, called through their addresses."""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped, unused-ignore]
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]

from llmnet.engine.cpu.lanes import F32, I32, I64, POINTER, Emitter
from llmnet.engine.cpu.objects import ObjectStore, source_key, user_store

_SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int64)
# GNU OpenMP, which torch brings along: its threads are already there, and waking them costs microseconds.
_OPENMP = ("GOMP_parallel", "GOMP_barrier", "omp_get_thread_num")
_lock = threading.Lock()


class Machine:
    """A processor to compile for. The default is the one this runs on; another name restricts the instructions
    that may be used (and changes no result). What was compiled before is taken from `store` (default: the user's).
    """

    def __init__(self, name: str | None = None, store: ObjectStore | None = None) -> None:
        _initialise()
        self._store = store or user_store()
        features = llvm.get_host_cpu_features() if name is None else None
        self.name = name or llvm.get_host_cpu_name()
        # Some processors are described as preferring half their width; these kernels want all of it.
        self._features = "" if features is None else features.flatten() + ",-prefer-256-bit"
        self.wide = features is not None and bool(features.get("avx512f"))

    def library(self, make: Callable[..., Any], *what: Hashable) -> Library:
        """The functions of the module `make(*what)`, ready to be called. If they were compiled before, it is not made."""
        key = source_key(self.name, self._features, make.__qualname__, *what)
        with _lock:
            code = self._store.get(key)
            if code is None:
                code = self._emit(str(make(*what)))
                self._store.put(key, code)
            engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._target())
            engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            engine.finalize_object()
        return Library(engine)

    def _emit(self, source: str) -> bytes:
        """Machine code of a module."""
        parsed, target = llvm.parse_assembly(source), self._target()
        parsed.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = False  # vectors are written out already
        passes = llvm.create_pass_builder(target, options)
        passes.getModulePassManager().run(parsed, passes)
        code: bytes = target.emit_object(parsed)
        return code

    def _target(self) -> Any:
        """A new one each time: what is made with it takes it over."""
        triple = llvm.Target.from_default_triple()
        return triple.create_target_machine(cpu=self.name, features=self._features, opt=3)


class Library:
    """Compiled kernels, by name."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine  # owns the code

    def kernel(self, name: str, parameters: Mapping[str, Any]) -> CompiledKernel:
        """The kernel `name`, which was emitted with these parameters and given a launcher."""
        return CompiledKernel(self, name, parameters)

    def address(self, name: str) -> int:
        """Where a function lies."""
        return int(self._engine.get_function_address(name))


class CompiledKernel:
    """Called with a number of threads and the kernel's parameters in order."""

    def __init__(self, library: Library, name: str, parameters: Mapping[str, Any]) -> None:
        self._library = library
        self.address = library.address(name)
        """Of the kernel itself: `(values, first, step)`."""
        self._run = _SIGNATURE(library.address(f"{name}_run"))
        self._pack = struct.Struct("".join("d" if kind is F32 else "q" for kind in parameters.values())).pack

    def __call__(self, threads: int, *values: float) -> None:
        self._run(self._pack(*values), threads)

    def packed(self, values: Sequence[float]) -> bytes:
        """Arguments as the kernel reads them."""
        return self._pack(*values)


def add_launcher(module: Any, name: str) -> None:
    """Define `<name>_run(values, threads)`: the kernel in this thread, or in a team of threads that take turns at
    its units of work.
    """
    kernel = module.globals[name]
    team = Emitter(module, f"{name}_team", {"shared": POINTER})
    values = team.b.load(team["shared"], typ=POINTER)
    threads = team.b.load(team.at(team["shared"], 1, I64), typ=I64)
    team.b.call(kernel, [values, thread_number(team), threads])
    team.b.ret_void()
    run = Emitter(module, f"{name}_run", {"values": POINTER, "threads": I64})
    with run.b.if_else(run.b.icmp_signed(">", run["threads"], I64(1))) as (many, one):
        with many:
            start_team(run, team.function, [run["values"], run["threads"]], run["threads"])
        with one:
            run.b.call(kernel, [run["values"], I64(0), I64(1)])
    run.b.ret_void()


def start_team(e: Emitter, work: Any, words: Sequence[Any], threads: Any) -> None:
    """Call `work(shared)` in so many threads at the same time; `shared` points to `words`, of 64 bits each."""
    with e.b.goto_entry_block():
        shared = e.b.alloca(ir.ArrayType(I64, len(words)))
    shared = e.b.inttoptr(e.b.ptrtoint(shared, I64), POINTER)
    for index, word in enumerate(words):
        e.b.store(word, e.at(shared, index, I64))
    e.call("GOMP_parallel", ir.VoidType(), [work, shared, e.b.trunc(threads, I32), I32(0)])


def thread_number(e: Emitter) -> Any:
    """Which of its team this thread is."""
    return e.b.sext(e.call("omp_get_thread_num", I32, []), I64)


def _initialise() -> None:
    with _lock:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        here = ctypes.CDLL(None)
        for name in _OPENMP:
            llvm.add_symbol(name, ctypes.cast(getattr(here, name), ctypes.c_void_p).value)
