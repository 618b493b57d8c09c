# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""View functions of the pallet `Beacon`."""

from __future__ import annotations

from llmnet.chain import Entry, View, ViewFunction

from .. import types as t

_STATUS: ViewFunction[t.BeaconStatus] = ViewFunction(
    Entry("Beacon", "status", "763c83dd06050208", "() -> BeaconStatus", t.TYPES)
)


async def status(view: View) -> t.BeaconStatus:
    """The state of the running round, as of the current block."""
    return await view.ask(_STATUS, {})


_VALUE_OF: ViewFunction[t.H256 | None] = ViewFunction(
    Entry("Beacon", "value_of", "700c9468fe2a6911", "(round: u32) -> Option<H256>", t.TYPES)
)


async def value_of(view: View, round: int) -> t.H256 | None:
    """The value of a finished round, while it is kept."""
    return await view.ask(_VALUE_OF, {"round": round})
