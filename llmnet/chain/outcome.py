"""What a transaction did, read from the events of its block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmnet.chain.results import DispatchError, Event, SignedExtrinsic, TxResult, Weight
from llmnet.chain.runtime import Runtime
from llmnet.chain.search import Place
from llmnet.chain.values import Variant

# Events that report the failure of an inner call inside an extrinsic that succeeded itself.
_INNER = {
    ("Sudo", "Sudid"): "sudo_result",
    ("Sudo", "SudoAsDone"): "sudo_result",
    ("Proxy", "ProxyExecuted"): "result",
    ("Multisig", "MultisigExecuted"): "result",
    ("Utility", "BatchInterrupted"): "error",
    ("Utility", "ItemFailed"): "error",
}


def tx_result(
    runtime: Runtime, extrinsic: SignedExtrinsic, place: Place, events: Sequence[Event], finalized: bool
) -> TxResult:
    own = tuple(event for event in events if event.extrinsic_index == place.index)
    return TxResult(
        block_hash=place.block_hash,
        block_number=place.number,
        extrinsic_hash=extrinsic.hash,
        index=place.index,
        fee=_fee(own),
        events=own,
        error=_error(runtime, own),
        finalized=finalized,
        weight=_weight(own),
    )


def _fee(events: Sequence[Event]) -> int | None:
    for event in events:
        if (event.pallet, event.name) == ("TransactionPayment", "TransactionFeePaid"):
            return int(event.fields["actual_fee"])
    return None


def _weight(events: Sequence[Event]) -> Weight | None:
    """Of the last `ExtrinsicSuccess` or `ExtrinsicFailed`; old runtimes report a plain number of picoseconds."""
    for event in reversed(events):
        info: Any = event.fields.get("dispatch_info")
        if event.pallet == "System" and isinstance(info, dict):
            weight = info.get("weight")
            if isinstance(weight, int):
                return Weight(weight, 0)
            if isinstance(weight, dict):
                return Weight(int(weight["ref_time"]), int(weight["proof_size"]))
    return None


def _error(runtime: Runtime, events: Sequence[Event]) -> DispatchError | None:
    """The extrinsic's own failure, or the first failure of a call inside it."""
    for event in events:
        name = (event.pallet, event.name)
        if name == ("System", "ExtrinsicFailed"):
            return runtime.dispatch_error(event.fields["dispatch_error"])
        if name in _INNER:
            value = event.fields.get(_INNER[name])
            if isinstance(value, Variant) and value.name == "Err":
                return runtime.dispatch_error(value.value)
            if isinstance(value, Variant) and _INNER[name] == "error":
                return runtime.dispatch_error(value)
    return None
