# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Utility`."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.chain import Call, Entry

from .. import types as t

_BATCH = Entry("Utility", "batch", "802f11b54cad431a", "calls: Vec<RuntimeCall>", t.TYPES)


def batch(calls: Sequence[Call]) -> Call:
    """Send a batch of dispatch calls.

    May be called from any origin except `None`.

    - `calls`: The calls to be dispatched from the same origin. The number of call must not exceed the
      constant: `batched_calls_limit` (available in constant metadata).

    If origin is root then the calls are dispatched without checking origin filter. (This includes
    bypassing `frame_system::Config::BaseCallFilter`).
    """
    return Call("Utility", "batch", {"calls": calls}, _BATCH)


_AS_DERIVATIVE = Entry(
    "Utility", "as_derivative", "3d7e3296e179d9c5", "index: u16, call: RuntimeCall", t.TYPES
)


def as_derivative(index: int, call: Call) -> Call:
    """Send a call through an indexed pseudonym of the sender.

    Filter from origin are passed along. The call will be dispatched with an origin which use the same
    filter as the origin of this call.

    NOTE: If you need to ensure that any account-based filtering is not honored (i.e. because you expect
    `proxy` to have been used prior in the call stack and you do not want the call restrictions to apply
    to any sub-accounts), then use `as_multi_threshold_1` in the Multisig pallet instead.

    NOTE: Prior to version *12, this was called `as_limited_sub`.

    The dispatch origin for this call must be _Signed_.
    """
    return Call("Utility", "as_derivative", {"index": index, "call": call}, _AS_DERIVATIVE)


_BATCH_ALL = Entry("Utility", "batch_all", "ad68f21f10e2e2eb", "calls: Vec<RuntimeCall>", t.TYPES)


def batch_all(calls: Sequence[Call]) -> Call:
    """Send a batch of dispatch calls and atomically execute them. The whole transaction will rollback and
    fail if any of the calls failed.

    May be called from any origin except `None`.

    - `calls`: The calls to be dispatched from the same origin. The number of call must not exceed the
      constant: `batched_calls_limit` (available in constant metadata).

    If origin is root then the calls are dispatched without checking origin filter. (This includes
    bypassing `frame_system::Config::BaseCallFilter`).
    """
    return Call("Utility", "batch_all", {"calls": calls}, _BATCH_ALL)


_DISPATCH_AS = Entry(
    "Utility", "dispatch_as", "8f1332cef47a52f3", "as_origin: OriginCaller, call: RuntimeCall", t.TYPES
)


def dispatch_as(as_origin: t.OriginCaller, call: Call) -> Call:
    """Dispatches a function call with a provided origin.

    The dispatch origin for this call must be _Root_.
    """
    return Call("Utility", "dispatch_as", {"as_origin": as_origin, "call": call}, _DISPATCH_AS)


_FORCE_BATCH = Entry("Utility", "force_batch", "f9d8582117ee5e91", "calls: Vec<RuntimeCall>", t.TYPES)


def force_batch(calls: Sequence[Call]) -> Call:
    """Send a batch of dispatch calls. Unlike `batch`, it allows errors and won't interrupt.

    May be called from any origin except `None`.

    - `calls`: The calls to be dispatched from the same origin. The number of call must not exceed the
      constant: `batched_calls_limit` (available in constant metadata).

    If origin is root then the calls are dispatch without checking origin filter. (This includes
    bypassing `frame_system::Config::BaseCallFilter`).
    """
    return Call("Utility", "force_batch", {"calls": calls}, _FORCE_BATCH)


_WITH_WEIGHT = Entry(
    "Utility", "with_weight", "884362af1a649721", "call: RuntimeCall, weight: Weight", t.TYPES
)


def with_weight(call: Call, weight: t.Weight) -> Call:
    """Dispatch a function call with a specified weight.

    This function does not check the weight of the call, and instead allows the Root origin to specify
    the weight of the call.

    The dispatch origin for this call must be _Root_.
    """
    return Call("Utility", "with_weight", {"call": call, "weight": weight}, _WITH_WEIGHT)


_IF_ELSE = Entry(
    "Utility", "if_else", "cd14959d22b5d9fa", "main: RuntimeCall, fallback: RuntimeCall", t.TYPES
)


def if_else(main: Call, fallback: Call) -> Call:
    """Dispatch a fallback call in the event the main call fails to execute. May be called from any origin
    except `None`.

    This function first attempts to dispatch the `main` call. If the `main` call fails, the `fallback`
    is attemted. if the fallback is successfully dispatched, the weights of both calls are accumulated
    and an event containing the main call error is deposited.

    In the event of a fallback failure the whole call fails with the weights returned.

    - `main`: The main call to be dispatched. This is the primary action to execute.
    - `fallback`: The fallback call to be dispatched in case the `main` call fails.

    Dispatch Logic:

    - If the origin is `root`, both the main and fallback calls are executed without applying any origin
      filters.
    - If the origin is not `root`, the origin filter is applied to both the `main` and `fallback` calls.

    Use Case:

    - Some use cases might involve submitting a `batch` type call in either main, fallback or both.
    """
    return Call("Utility", "if_else", {"main": main, "fallback": fallback}, _IF_ELSE)


_DISPATCH_AS_FALLIBLE = Entry(
    "Utility",
    "dispatch_as_fallible",
    "d991f68f8a73ed32",
    "as_origin: OriginCaller, call: RuntimeCall",
    t.TYPES,
)


def dispatch_as_fallible(as_origin: t.OriginCaller, call: Call) -> Call:
    """Dispatches a function call with a provided origin.

    Almost the same as `Pallet::dispatch_as` but forwards any error of the inner call.

    The dispatch origin for this call must be _Root_.
    """
    return Call(
        "Utility", "dispatch_as_fallible", {"as_origin": as_origin, "call": call}, _DISPATCH_AS_FALLIBLE
    )
