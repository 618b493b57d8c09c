# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The runtime API `TransactionPaymentApi`."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, View

from .. import types as t

_QUERY_INFO: ApiMethod[t.RuntimeDispatchInfo] = ApiMethod(
    Entry(
        "TransactionPaymentApi",
        "query_info",
        "cb8096381b6556bf",
        "(uxt: UncheckedExtrinsic, len: u32) -> RuntimeDispatchInfo",
        t.TYPES,
    )
)


async def query_info(view: View, uxt: t.UncheckedExtrinsic, len: int) -> t.RuntimeDispatchInfo:
    """`TransactionPaymentApi.query_info`."""
    return await view.ask(_QUERY_INFO, {"uxt": uxt, "len": len})


_QUERY_FEE_DETAILS: ApiMethod[t.FeeDetails] = ApiMethod(
    Entry(
        "TransactionPaymentApi",
        "query_fee_details",
        "886c674188a73886",
        "(uxt: UncheckedExtrinsic, len: u32) -> FeeDetails",
        t.TYPES,
    )
)


async def query_fee_details(view: View, uxt: t.UncheckedExtrinsic, len: int) -> t.FeeDetails:
    """`TransactionPaymentApi.query_fee_details`."""
    return await view.ask(_QUERY_FEE_DETAILS, {"uxt": uxt, "len": len})


_QUERY_WEIGHT_TO_FEE: ApiMethod[int] = ApiMethod(
    Entry(
        "TransactionPaymentApi",
        "query_weight_to_fee",
        "f8f8b4810271e324",
        "(weight: Weight) -> u128",
        t.TYPES,
    )
)


async def query_weight_to_fee(view: View, weight: t.Weight) -> int:
    """`TransactionPaymentApi.query_weight_to_fee`."""
    return await view.ask(_QUERY_WEIGHT_TO_FEE, {"weight": weight})


_QUERY_LENGTH_TO_FEE: ApiMethod[int] = ApiMethod(
    Entry(
        "TransactionPaymentApi", "query_length_to_fee", "71c2c5718d3b6e63", "(length: u32) -> u128", t.TYPES
    )
)


async def query_length_to_fee(view: View, length: int) -> int:
    """`TransactionPaymentApi.query_length_to_fee`."""
    return await view.ask(_QUERY_LENGTH_TO_FEE, {"length": length})
