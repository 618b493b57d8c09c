# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Timestamp`."""

from __future__ import annotations

from llmnet.chain import Call, Entry

from .. import types as t

_SET = Entry("Timestamp", "set", "d555013c761bbb49", "now: Compact<u64>", t.TYPES)


def set(now: int) -> Call:
    """Set the current time.

    This call should be invoked exactly once per block. It will panic at the finalization phase, if this
    call hasn't been invoked by that time.

    The timestamp should be greater than the previous one by the amount specified by
    `Config::MinimumPeriod`.

    The dispatch origin for this call must be _None_.

    This dispatch class is _Mandatory_ to ensure it gets executed in the block. Be aware that changing
    the complexity of this call could result exhausting the resources in a block to execute any other
    calls.
    """
    return Call("Timestamp", "set", {"now": now}, _SET)
