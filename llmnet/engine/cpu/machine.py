"""From kernels in LLVM's language to functions of this process: compiled once, called through their addresses."""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped, unused-ignore]
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]

from llmnet.engine.cpu.lanes import F32, I32, I64, POINTER, Emitter

_SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int64)
# GNU OpenMP, which torch brings along: its threads are already there, and waking them costs microseconds.
_OPENMP = ("GOMP_parallel", "omp_get_thread_num")
_lock = threading.Lock()


class Machine:
    """A processor to compile for. The default is the one this runs on; another name restricts the instructions
    that may be used (and changes no result).
    """

    def __init__(self, name: str | None = None) -> None:
        _initialise()
        features = llvm.get_host_cpu_features() if name is None else None
        self.name = name or llvm.get_host_cpu_name()
        # Some processors are described as preferring half their width; these kernels want all of it.
        self._features = "" if features is None else features.flatten() + ",-prefer-256-bit"
        self.wide = features is not None and bool(features.get("avx512f"))

    def compile(self, module: Any) -> Library:
        """Machine code of a module."""
        with _lock:
            parsed = llvm.parse_assembly(str(module))
            parsed.verify()
            # One target a library: the code's owner takes it over.
            target = llvm.Target.from_default_triple().create_target_machine(
                cpu=self.name, features=self._features, opt=3
            )
            options = llvm.create_pipeline_tuning_options(speed_level=2)
            options.loop_vectorization = options.slp_vectorization = False  # vectors are written out already
            passes = llvm.create_pass_builder(target, options)
            passes.getModulePassManager().run(parsed, passes)
            engine = llvm.create_mcjit_compiler(parsed, target)
            engine.finalize_object()
        return Library(engine, frozenset(module.globals))


class Library:
    """Compiled kernels, by name."""

    def __init__(self, engine: Any, names: frozenset[str]) -> None:
        self._engine = engine  # owns the code
        self.names = names

    def kernel(self, name: str, parameters: Mapping[str, Any]) -> CompiledKernel:
        """The kernel `name`, which was emitted with these parameters and given a launcher."""
        return CompiledKernel(self, self._engine.get_function_address(f"{name}_run"), parameters)

    def address(self, name: str) -> int:
        """Where a function lies."""
        return int(self._engine.get_function_address(name))


class CompiledKernel:
    """Called with a number of threads and the kernel's parameters in order."""

    def __init__(self, library: Library, address: int, parameters: Mapping[str, Any]) -> None:
        self._library = library
        self.address = address
        self._run = _SIGNATURE(address)
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
    number = team.b.sext(team.call("omp_get_thread_num", I32, []), I64)
    team.b.call(kernel, [values, number, threads])
    team.b.ret_void()
    run = Emitter(module, f"{name}_run", {"values": POINTER, "threads": I64})
    shared = run.b.inttoptr(run.b.ptrtoint(run.b.alloca(ir.ArrayType(I64, 2)), I64), POINTER)
    with run.b.if_else(run.b.icmp_signed(">", run["threads"], I64(1))) as (many, one):
        with many:
            run.b.store(run["values"], run.at(shared, 0, POINTER))
            run.b.store(run["threads"], run.at(shared, 1, I64))
            count = run.b.trunc(run["threads"], I32)
            run.call("GOMP_parallel", ir.VoidType(), [team.function, shared, count, I32(0)])
        with one:
            run.b.call(kernel, [run["values"], I64(0), I64(1)])
    run.b.ret_void()


def _initialise() -> None:
    with _lock:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        here = ctypes.CDLL(None)
        for name in _OPENMP:
            llvm.add_symbol(name, ctypes.cast(getattr(here, name), ctypes.c_void_p).value)
