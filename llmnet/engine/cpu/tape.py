"""A list of kernel calls that can be done again without Python between them: what a CUDA graph is to a GPU."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]

from llmnet.engine.cpu.lanes import I64, POINTER, Emitter
from llmnet.engine.cpu.machine import CompiledKernel, Library, Machine, start_team, thread_number

_WORDS_A_CALL = (
    4  # address of the kernel, address of its arguments, threads, whether it waits for the call before
)
_PLAY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
# Results of the calls before these many are nobody's any more: a layer makes about a dozen and reads none that is
# older than the last layer's.
_KEPT = 64


class Reads(NamedTuple):
    """What a product reads: its weight, the bytes of a thread's first panel of it, and its x."""

    weight: int
    panel: int
    x: int


NOTHING_READ = (0, 0)
"""The last two parameters of a product after which nothing is known to be read."""


class _Call(NamedTuple):
    kernel: CompiledKernel
    threads: int
    values: tuple[float, ...]
    reads: Reads | None


class Tape:
    """Records calls, and owns the memory that they write to."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._memory: dict[tuple[int, tuple[int, ...]], torch.Tensor] = {}
        self._taken = 0

    def memory(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Uninitialised fp32 memory; the same piece comes back after a few layers."""
        key = self._taken % _KEPT, shape
        self._taken += 1
        if key not in self._memory:
            self._memory[key] = torch.empty(shape)
        return self._memory[key]

    def add(
        self, kernel: CompiledKernel, threads: int, values: Sequence[float], reads: Reads | None = None
    ) -> None:
        """Remember a call. Of a product, `values` lack the last two: what is read next is known in the end."""
        self._calls.append(_Call(kernel, threads, tuple(values), reads))

    def finish(self, machine: Machine) -> Callable[[], None]:
        """A function that does all calls in order."""
        player = _player(machine)
        play = _PLAY(player.address("play"))
        packed = [call.kernel.packed(values) for call, values in self._completed()]
        arguments = [ctypes.create_string_buffer(values, len(values)) for values in packed]
        table = (ctypes.c_int64 * (_WORDS_A_CALL * len(self._calls)))()
        for index, (call, waits) in enumerate(zip(self._calls, self._waits(), strict=True)):
            table[_WORDS_A_CALL * index : _WORDS_A_CALL * (index + 1)] = [
                call.kernel.address,
                ctypes.addressof(arguments[index]),
                call.threads,
                waits,
            ]
        count, threads = len(self._calls), max((call.threads for call in self._calls), default=1)
        # The player is owned too: of two threads that ask for it first at the same time, the cache keeps one's only.
        owned = (self._memory, arguments, self._calls, player)

        def again() -> None:
            assert owned  # what the table points to lives as long as this function
            play(table, count, threads)

        return again

    def _waits(self) -> list[bool]:
        """Products of one x need not wait for one another; everything else waits for what came before it."""
        pairs = pairwise(call.reads for call in self._calls)
        together = [a is not None and b is not None and a.x == b.x for a, b in pairs]
        return [True, *(not it for it in together)][: len(self._calls)]

    def _completed(self) -> list[tuple[_Call, tuple[float, ...]]]:
        """All calls with all their values: a product is told where the next one reads."""
        products = [call.reads for call in self._calls if call.reads is not None]
        following = [next_reads[:2] for _, next_reads in pairwise(products)]
        then = iter([*following, NOTHING_READ])
        return [
            (call, call.values if call.reads is None else (*call.values, *next(then))) for call in self._calls
        ]


@lru_cache(maxsize=4)
def _player(machine: Machine) -> Library:
    return machine.library(_player_module)


def _player_module() -> Any:
    """`play(table, count, threads)`. A team is started once for the whole tape, not once a call: its threads meet
    between calls, which takes a tenth of the time.
    """
    module = ir.Module("llmnet_tape")
    alone = Emitter(module, "play_alone", {"table": POINTER, "count": I64})
    _emit_calls(alone, I64(0), None)
    team = Emitter(module, "play_team", {"shared": POINTER})
    team.arguments["table"] = team.b.load(team["shared"], typ=POINTER)
    team.arguments["count"] = team.b.load(team.at(team["shared"], 1, I64), typ=I64)
    number = thread_number(team)
    _emit_calls(team, number, lambda: team.call("GOMP_barrier", ir.VoidType(), []))
    play = Emitter(module, "play", {"table": POINTER, "count": I64, "threads": I64})
    with play.b.if_else(play.b.icmp_signed(">", play["threads"], I64(1))) as (many, one):
        with many:
            start_team(play, team.function, [play["table"], play["count"]], play["threads"])
        with one:
            play.b.call(alone.function, [play["table"], play["count"]])
    play.b.ret_void()
    return module


def _emit_calls(e: Emitter, number: Any, wait: Callable[[], object] | None) -> None:
    """All calls of the table, as thread `number` of a team whose members `wait` for one another."""
    kind = ir.FunctionType(ir.VoidType(), [POINTER, I64, I64])
    with e.loop(0, e["count"]) as call:
        entry = e.at(e["table"], e.times(call, _WORDS_A_CALL), I64)
        address, arguments, threads, waits = (
            e.b.load(e.at(entry, word, I64), typ=I64) for word in range(_WORDS_A_CALL)
        )
        if wait is not None:
            with e.b.if_then(e.b.icmp_signed("!=", waits, I64(0))):
                wait()
        with e.b.if_then(e.b.icmp_signed("<", number, threads)):
            kernel = e.b.inttoptr(address, kind.as_pointer())
            e.b.call(kernel, [e.b.inttoptr(arguments, POINTER), number, threads])
    e.b.ret_void()
