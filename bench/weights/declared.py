"""What the runtime says that its work costs, to be held against what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from bench.weights.lab import Sent
from bench.weights.measure import APPLY, FINALIZE, Measured
from bench.weights.scene import Scene, Stage
from llmnet.chain import Call
from llmnet.devnode.overlay import Overlay
from llmnet.devnode.scale import Reader, u32
from llmnet.devnode.state import State

_PER_SECOND = 10**12  # of ref_time


@dataclass(frozen=True, slots=True)
class Weight:
    """Picoseconds and bytes of proof."""

    ref_time: int
    proof_size: int

    def __sub__(self, other: Weight) -> Weight:
        return Weight(self.ref_time - other.ref_time, self.proof_size - other.proof_size)

    @property
    def seconds(self) -> float:
        """The time."""
        return self.ref_time / _PER_SECOND


def of_call(stage: Stage, call: Call) -> Weight:
    """What a call is declared with. The encoded call goes in, so nothing of the state matters."""
    encoded = stage.runtime.encode_call(call)
    argument = encoded + u32(len(encoded))
    found = stage.executor.call("TransactionPaymentCallApi_query_call_info", argument, Overlay(stage.state))
    reader = Reader(found)
    return Weight(reader.compact(), reader.compact())


def charged(sent: Sent) -> Weight:
    """What a transaction was charged after it was applied: its call and its extensions."""
    scene, call, keys = sent
    overlay = Overlay(scene.begun())
    scene.stage.executor.call(APPLY, scene.signed(call, keys), overlay)
    runtime = scene.stage.runtime
    raw = overlay.get(runtime.storage_key(runtime.storage("System", "Events"), ()))
    events = runtime.decode_events(raw, scene.number, bytes(32))
    (weight,) = (
        event.fields["dispatch_info"]["weight"]
        for event in events
        if (event.pallet, event.name) == ("System", "ExtrinsicSuccess") and event.extrinsic_index == 1
    )
    return Weight(weight["ref_time"], weight["proof_size"])


def of_idle(scene: Scene) -> Weight:
    """What a block's own work at its end was booked with."""
    before = scene.begun()
    overlay = Overlay(before)
    scene.stage.executor.call(FINALIZE, b"", overlay)
    return _booked(scene.stage, overlay) - _booked(scene.stage, before)


def _booked(stage: Stage, state: State | Overlay) -> Weight:
    entry = stage.runtime.storage("System", "BlockWeight")
    raw = state.get(stage.runtime.storage_key(entry, ()))
    weight = stage.runtime.storage_value(entry, raw)["mandatory"]
    return Weight(weight["ref_time"], weight["proof_size"])


def uncovered(stage: Stage, weight: Weight, found: Measured) -> list[str]:
    """What was counted and is not covered by a weight; times are not compared, they are another machine's."""
    access = stage.constant("System", "DbWeight")
    accesses = found.reads * access["read"] + found.writes * access["write"]
    complaints = []
    if weight.ref_time < accesses:
        complaints.append(
            f"{found.reads} reads and {found.writes} writes take {accesses}, declared {weight.ref_time}"
        )
    if weight.proof_size < found.proof:
        complaints.append(f"the proof has {found.proof} bytes, declared {weight.proof_size}")
    return complaints
