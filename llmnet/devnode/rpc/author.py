"""Methods `author_*`: transactions into the pool and what becomes of them."""

from __future__ import annotations

from typing import Any

from llmnet.devnode.errors import MalformedTransaction, RuntimeFault
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.rpc.errors import AUTHOR_CLIENT, INVALID_PARAMS, VERIFICATION, RpcError
from llmnet.devnode.rpc.registry import Context, hex_of, method, parse_bytes, parse_list

_MAX_REMOVED = 1000


async def _submit(context: Context, extrinsic: bytes) -> bytes:
    try:
        return await context.service.run(context.service.node.submit, extrinsic)
    except MalformedTransaction as error:
        if isinstance(error.__cause__, RuntimeFault):  # well formed for the node, not for the runtime
            text = f"Verification Error: Runtime error: Execution failed: {error}"
            raise RpcError(VERIFICATION, text) from error
        raise
    except RuntimeFault as error:
        raise RpcError(VERIFICATION, f"Verification Error: {error}") from error


@method("author_submitExtrinsic")
async def submit_extrinsic(context: Context, extrinsic: Any) -> Any:
    try:
        return hex_of(await _submit(context, parse_bytes(extrinsic, "extrinsic")))
    except MalformedTransaction as error:  # polkadot-sdk's two methods differ in this code
        raise RpcError(AUTHOR_CLIENT, f"Client error: {error}") from error


@method("author_submitAndWatchExtrinsic")
async def submit_and_watch(context: Context, extrinsic: Any) -> Any:
    connection = context.subscriber()
    data = parse_bytes(extrinsic, "extrinsic")
    # Watched before it is submitted, so that no status is missed.
    subscription = context.hub.watch(connection, blake2_256(data))
    try:
        await _submit(context, data)
    except BaseException:
        subscription.end()
        raise
    return subscription


@method("author_pendingExtrinsics")
async def pending_extrinsics(context: Context) -> Any:
    return [hex_of(data) for data in await context.service.run(context.service.node.pending)]


@method("author_removeExtrinsic", unsafe=True)
async def remove_extrinsic(context: Context, items: Any) -> Any:
    """Removes and bans; items are `{"hash": …}` or `{"extrinsic": …}`. Answers the hashes that were there."""
    hashes = []
    for item in parse_list(items, "items", _MAX_REMOVED):
        if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) not in ("hash", "extrinsic"):
            raise RpcError(
                INVALID_PARAMS, "Invalid params", 'each item must be {"hash": …} or {"extrinsic": …}'
            )
        kind, value = next(iter(item.items()))
        data = parse_bytes(value, kind)
        hashes.append(data if kind == "hash" else blake2_256(data))
    removed = await context.service.run(context.service.node.remove, hashes)
    return [hex_of(tx_hash) for tx_hash in removed]
