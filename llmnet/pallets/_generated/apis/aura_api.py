# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""API necessary for block authorship with aura."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, View

from .. import types as t

_SLOT_DURATION: ApiMethod[t.SlotDuration] = ApiMethod(
    Entry("AuraApi", "slot_duration", "e611ab26d287ce6c", "() -> SlotDuration", t.TYPES)
)


async def slot_duration(view: View) -> t.SlotDuration:
    """Returns the slot duration for Aura.

    Currently, only the value provided by this type at genesis will be used.
    """
    return await view.ask(_SLOT_DURATION, {})


_AUTHORITIES: ApiMethod[tuple[t.Public, ...]] = ApiMethod(
    Entry("AuraApi", "authorities", "8a597b5917d2896c", "() -> Vec<Public>", t.TYPES)
)


async def authorities(view: View) -> tuple[t.Public, ...]:
    """Return the current set of authorities."""
    return await view.ask(_AUTHORITIES, {})
