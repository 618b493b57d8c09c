"""Time, storage accesses and proof size of one entry point's call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.weights.scene import Scene
from llmnet.chain import Call, Keypair
from llmnet.devnode.overlay import Overlay
from llmnet.devnode.runtime_api import decode_applied
from llmnet.devnode.state import Changes, State, StateBackend

APPLY, FINALIZE, INITIALIZE = (
    "BlockBuilder_apply_extrinsic",
    "BlockBuilder_finalize_block",
    "Core_initialize_block",
)


class Watched:
    """A state that notes what is read from it and how long its root takes."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.read: set[bytes] = set()
        self.root_nanoseconds = 0

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """As of the state."""
        self.read.add(key)
        return self._state.get(key, child)

    def keys(
        self, prefix: bytes = b"", after: bytes | None = None, child: bytes | None = None
    ) -> Iterator[bytes]:
        """As of the state; each key that is walked over counts as read."""
        for key in self._state.keys(prefix, after, child):
            self.read.add(key)
            yield key

    def apply(self, changes: Changes, version: int) -> StateBackend:
        """As of the state, with its root, timed."""
        started = time.thread_time_ns()
        after = self._state.apply(changes, version)
        after.root()
        self.root_nanoseconds += time.thread_time_ns() - started
        return after

    def root(self, child: bytes | None = None) -> bytes:
        """As of the state."""
        return self._state.root(child)


@dataclass(frozen=True, slots=True)
class Ran:
    """One call of an entry point: nanoseconds without the root, keys read, keys written."""

    nanoseconds: int
    read: frozenset[bytes]
    written: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a piece of work costs: nanoseconds, accesses of distinct keys, bytes of proof."""

    nanoseconds: float
    reads: int
    writes: int
    proof: int

    def minus(self, other: Measured) -> Measured:
        """The difference, nowhere below nothing."""
        return Measured(
            max(0.0, self.nanoseconds - other.nanoseconds),
            max(0, self.reads - other.reads),
            max(0, self.writes - other.writes),
            max(0, self.proof - other.proof),
        )


def run_once(scene: Scene, state: State, function: str, argument: bytes) -> tuple[Ran, bytes]:
    """One run on a fresh overlay; nothing of it stays."""
    watched = Watched(state)
    overlay = Overlay(watched)
    started = time.thread_time_ns()
    result = scene.stage.executor.call(function, argument, overlay)
    spent = time.thread_time_ns() - started - watched.root_nanoseconds
    return Ran(spent, frozenset(watched.read), frozenset(overlay.changes().top)), result


Run = tuple[State, bytes]
"""A state and the argument of the entry point."""


def excess(scene: Scene, function: str, full: Run, empty: Run, times: int) -> float:
    """By how many nanoseconds one run takes longer than another: the shortest of each, taken in turn.

    What else the machine does only adds to a time, so the shortest is nearest to the work's own.
    """
    pairs = [
        [run_once(scene, state, function, argument)[0].nanoseconds for state, argument in (full, empty)]
        for _ in range(times)
    ]
    return float(max(0, min(longer for longer, _ in pairs) - min(shorter for _, shorter in pairs)))


class FailedToRun(Exception):
    """A case's call was refused: its scene is not what the call needs."""


def measure_call(scene: Scene, call: Call, keys: Keypair, times: int, *, root: bool = False) -> Measured:
    """A call beyond what an empty transaction of the same account costs. Raises FailedToRun."""
    state, runtime = scene.begun(), scene.stage.runtime
    nothing = runtime.call("System", "remark", {"remark": b""})
    if root:
        call, nothing = (runtime.call("Sudo", "sudo", {"call": inner}) for inner in (call, nothing))
    empty, full = scene.signed(nothing, keys), scene.signed(call, keys)
    base, _ = run_once(scene, state, APPLY, empty)
    ran, result = run_once(scene, state, APPLY, full)
    refused = _refusal(scene, result)
    if refused is None and not ran.written - base.written:
        refused = "nothing was written"  # as when the call inside of sudo fails
    if refused is not None:
        raise FailedToRun(f"{call.pallet}.{call.function}: {refused}")
    return _beyond(state, base, ran, excess(scene, APPLY, (state, full), (state, empty), times))


def measure_between(
    state: State, scene: Scene, idle: State, function: str, argument: bytes, times: int
) -> Measured:
    """A block's own work beyond what it does in `idle`, a state without any."""
    base, _ = run_once(scene, idle, function, argument)
    ran, _ = run_once(scene, state, function, argument)
    spent = excess(scene, function, (state, argument), (idle, argument), times)
    return _beyond(state, base, ran, spent)


def _beyond(state: State, base: Ran, ran: Ran, nanoseconds: float) -> Measured:
    """What `ran` did that `base` did not. The proof is what the block's proof grows by."""
    proof = set(state.prove(ran.read)) - set(state.prove(ran.read & base.read))
    reads, writes = ran.read - base.read, ran.written - base.written
    return Measured(nanoseconds, len(reads), len(writes), sum(map(len, proof)))


def _refusal(scene: Scene, result: bytes) -> str | None:
    """Why a call failed; None if it did not."""
    applied = decode_applied(result)
    if applied.succeeded:
        return None
    runtime = scene.stage.runtime
    failed = next(
        v for v in runtime.metadata.variants("System", "events").variants if v.name == "ExtrinsicFailed"
    )
    kind = next(field.type for field in failed.fields if field.name == "dispatch_error")
    return str(runtime.dispatch_error(runtime.codec.decode(kind, applied.error or b"")))
