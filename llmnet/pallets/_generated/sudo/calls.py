# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Sudo`."""

from __future__ import annotations

from llmnet.chain import Call, Entry

from .. import types as t

_SUDO = Entry("Sudo", "sudo", "660dc2c9a11d7f64", "call: RuntimeCall", t.TYPES)


def sudo(call: Call) -> Call:
    """Authenticates the sudo key and dispatches a function call with `Root` origin."""
    return Call("Sudo", "sudo", {"call": call}, _SUDO)


_SUDO_UNCHECKED_WEIGHT = Entry(
    "Sudo", "sudo_unchecked_weight", "8e74d14560258815", "call: RuntimeCall, weight: Weight", t.TYPES
)


def sudo_unchecked_weight(call: Call, weight: t.Weight) -> Call:
    """Authenticates the sudo key and dispatches a function call with `Root` origin. This function does not
    check the weight of the call, and instead allows the Sudo user to specify the weight of the call.

    The dispatch origin for this call must be _Signed_.
    """
    return Call("Sudo", "sudo_unchecked_weight", {"call": call, "weight": weight}, _SUDO_UNCHECKED_WEIGHT)


_SET_KEY = Entry("Sudo", "set_key", "bdfdcca273c27e56", "new: MultiAddress", t.TYPES)


def set_key(new: t.MultiAddress | bytes) -> Call:
    """Authenticates the current sudo key and sets the given AccountId (`new`) as the new sudo key."""
    return Call("Sudo", "set_key", {"new": new}, _SET_KEY)


_SUDO_AS = Entry("Sudo", "sudo_as", "47adba9f96d4a2a4", "who: MultiAddress, call: RuntimeCall", t.TYPES)


def sudo_as(who: t.MultiAddress | bytes, call: Call) -> Call:
    """Authenticates the sudo key and dispatches a function call with `Signed` origin from a given account.

    The dispatch origin for this call must be _Signed_.
    """
    return Call("Sudo", "sudo_as", {"who": who, "call": call}, _SUDO_AS)


_REMOVE_KEY = Entry("Sudo", "remove_key", "b98be06788949e22", "", t.TYPES)


def remove_key() -> Call:
    """Permanently removes the sudo key.

    **This cannot be un-done.**
    """
    return Call("Sudo", "remove_key", {}, _REMOVE_KEY)
