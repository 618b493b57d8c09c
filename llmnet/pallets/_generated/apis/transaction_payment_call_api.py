# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The runtime API `TransactionPaymentCallApi`."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Call, Entry, View

from .. import types as t

_QUERY_CALL_INFO: ApiMethod[t.RuntimeDispatchInfo] = ApiMethod(
    Entry(
        "TransactionPaymentCallApi",
        "query_call_info",
        "8a164573dc8d93ca",
        "(call: RuntimeCall, len: u32) -> RuntimeDispatchInfo",
        t.TYPES,
    )
)


async def query_call_info(view: View, call: Call, len: int) -> t.RuntimeDispatchInfo:
    """Query information of a dispatch class, weight, and fee of a given encoded `Call`."""
    return await view.ask(_QUERY_CALL_INFO, {"call": call, "len": len})


_QUERY_CALL_FEE_DETAILS: ApiMethod[t.FeeDetails] = ApiMethod(
    Entry(
        "TransactionPaymentCallApi",
        "query_call_fee_details",
        "89a5541f603007d1",
        "(call: RuntimeCall, len: u32) -> FeeDetails",
        t.TYPES,
    )
)


async def query_call_fee_details(view: View, call: Call, len: int) -> t.FeeDetails:
    """Query fee details of a given encoded `Call`."""
    return await view.ask(_QUERY_CALL_FEE_DETAILS, {"call": call, "len": len})


_QUERY_WEIGHT_TO_FEE: ApiMethod[int] = ApiMethod(
    Entry(
        "TransactionPaymentCallApi",
        "query_weight_to_fee",
        "f8f8b4810271e324",
        "(weight: Weight) -> u128",
        t.TYPES,
    )
)


async def query_weight_to_fee(view: View, weight: t.Weight) -> int:
    """Query the output of the current `WeightToFee` given some input."""
    return await view.ask(_QUERY_WEIGHT_TO_FEE, {"weight": weight})


_QUERY_LENGTH_TO_FEE: ApiMethod[int] = ApiMethod(
    Entry(
        "TransactionPaymentCallApi",
        "query_length_to_fee",
        "71c2c5718d3b6e63",
        "(length: u32) -> u128",
        t.TYPES,
    )
)


async def query_length_to_fee(view: View, length: int) -> int:
    """Query the output of the current `LengthToFee` given some input."""
    return await view.ask(_QUERY_LENGTH_TO_FEE, {"length": length})
