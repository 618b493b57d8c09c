"""A list of kernel calls that can be done again without Python between them: what a CUDA graph is to a GPU."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]

from llmnet.engine.cpu.lanes import I64, POINTER, Emitter
from llmnet.engine.cpu.machine import CompiledKernel, Library, Machine

_WORDS_A_CALL = 3  # address of the kernel, address of its arguments, threads
_PLAY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
# Results of the calls before these many are nobody's any more: a layer makes about a dozen and reads none that is
# older than the last layer's.
_KEPT = 64


class Tape:
    """Records calls, and owns the memory that they write to."""

    def __init__(self) -> None:
        self._calls: list[tuple[CompiledKernel, bytes, int]] = []
        self._memory: dict[tuple[int, tuple[int, ...]], torch.Tensor] = {}
        self._taken = 0

    def memory(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Uninitialised fp32 memory; the same piece comes back after a few layers."""
        key = self._taken % _KEPT, shape
        self._taken += 1
        if key not in self._memory:
            self._memory[key] = torch.empty(shape)
        return self._memory[key]

    def add(self, kernel: CompiledKernel, threads: int, values: Sequence[float]) -> None:
        """Remember a call."""
        self._calls.append((kernel, kernel.packed(values), threads))

    def finish(self, machine: Machine) -> Callable[[], None]:
        """A function that does all calls in order."""
        player = _player(machine)
        play = _PLAY(player.address("play"))
        arguments = [ctypes.create_string_buffer(packed, len(packed)) for _, packed, _ in self._calls]
        table = (ctypes.c_int64 * (_WORDS_A_CALL * len(self._calls)))()
        for index, ((kernel, _, threads), packed) in enumerate(zip(self._calls, arguments, strict=True)):
            table[_WORDS_A_CALL * index : _WORDS_A_CALL * (index + 1)] = [
                kernel.address,
                ctypes.addressof(packed),
                threads,
            ]
        # The player is owned too: of two threads that ask for it first at the same time, the cache keeps one's only.
        count, owned = len(self._calls), (self._memory, arguments, self._calls, player)

        def again() -> None:
            assert owned  # what the table points to lives as long as this function
            play(table, count)

        return again


@lru_cache(maxsize=4)
def _player(machine: Machine) -> Library:
    module = ir.Module("llmnet_tape")
    e = Emitter(module, "play", {"table": POINTER, "count": I64})
    kind = ir.FunctionType(ir.VoidType(), [POINTER, I64])
    with e.loop(0, e["count"]) as call:
        entry = e.at(e["table"], e.times(call, _WORDS_A_CALL), I64)
        address, arguments, threads = (
            e.b.load(e.at(entry, word, I64), typ=I64) for word in range(_WORDS_A_CALL)
        )
        e.b.call(e.b.inttoptr(address, kind.as_pointer()), [e.b.inttoptr(arguments, POINTER), threads])
    e.b.ret_void()
    return machine.compile(module)
