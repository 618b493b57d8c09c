"""Methods `payment_*`: what a transaction costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmnet.devnode.errors import CodecError, RuntimeFault
from llmnet.devnode.rpc.errors import DISPATCH_DECODING, DISPATCH_RUNTIME, RpcError
from llmnet.devnode.rpc.registry import Context, method, parse_bytes, parse_hash
from llmnet.devnode.runtime_api import decode_fee_details, decode_query_info
from llmnet.devnode.scale import Reader, u32


async def _ask(context: Context, what: str, extrinsic: Any, at: Any, decode: Callable[[bytes], Any]) -> Any:
    data, block = parse_bytes(extrinsic, "extrinsic"), parse_hash(at)
    function = f"TransactionPaymentApi_query_{what.replace('dispatch ', '').replace(' ', '_')}"
    try:
        Reader(data).vector()
    except CodecError as error:
        raise RpcError(DISPATCH_DECODING, f"Unable to query {what}.", str(error)) from error
    try:
        return decode(
            await context.service.run(context.service.node.call, function, data + u32(len(data)), block)
        )
    except (RuntimeFault, CodecError) as error:
        raise RpcError(DISPATCH_RUNTIME, f"Unable to query {what}.", str(error)) from error


@method("payment_queryInfo")
async def query_info(context: Context, extrinsic: Any, at: Any = None) -> Any:
    return await _ask(context, "dispatch info", extrinsic, at, decode_query_info)


@method("payment_queryFeeDetails")
async def query_fee_details(context: Context, extrinsic: Any, at: Any = None) -> Any:
    return await _ask(context, "fee details", extrinsic, at, decode_fee_details)
