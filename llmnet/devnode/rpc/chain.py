"""Methods `chain_*`: blocks and heads."""

from __future__ import annotations

from typing import Any

from llmnet.devnode.block import Block
from llmnet.devnode.errors import UnknownBlock
from llmnet.devnode.rpc.connection import Subscription
from llmnet.devnode.rpc.errors import TOO_BIG_NUMBER, RpcError
from llmnet.devnode.rpc.hub import header_json
from llmnet.devnode.rpc.registry import Context, hex_of, method, parse_hash, parse_number

_MAX_HASHES = 1000


def _find(context: Context, block_hash: Any) -> Block | None:
    wanted = parse_hash(block_hash)
    chain = context.service.node.chain
    try:
        return chain.best if wanted is None else chain.block_by_hash(wanted)
    except UnknownBlock:
        return None


@method("chain_getHeader")
async def get_header(context: Context, block_hash: Any = None) -> Any:
    block = _find(context, block_hash)
    return None if block is None else header_json(block)


@method("chain_getBlock")
async def get_block(context: Context, block_hash: Any = None) -> Any:
    block = _find(context, block_hash)
    if block is None:
        return None
    extrinsics = [hex_of(extrinsic) for extrinsic in block.body]
    return {"block": {"header": header_json(block), "extrinsics": extrinsics}, "justifications": None}


def _hash_at(context: Context, number: Any) -> str | None:
    if number is None:
        return hex_of(context.service.node.best.hash)
    height = parse_number(number, "block number", 2**64 - 1)
    if height >= 2**32:
        raise RpcError(TOO_BIG_NUMBER, f"`{height}` > u32::MAX, the max block number is u32.")
    try:
        return hex_of(context.service.node.chain.block(height).hash)
    except UnknownBlock:
        return None


@method("chain_getBlockHash", "chain_getHead")
async def get_block_hash(context: Context, number: Any = None) -> Any:
    if isinstance(number, list):
        return [_hash_at(context, item) for item in number[:_MAX_HASHES]]
    return _hash_at(context, number)


@method("chain_getFinalizedHead", "chain_getFinalisedHead")
async def get_finalized_head(context: Context) -> Any:
    return hex_of(context.service.node.finalized.hash)


def _subscribe(context: Context, notification: str, kind: str) -> Subscription:
    return context.hub.heads(context.subscriber(), notification, kind)


@method("chain_subscribeNewHeads", "chain_subscribeNewHead", "subscribe_newHead")
async def subscribe_new_heads(context: Context) -> Any:
    return _subscribe(context, "chain_newHead", "best")


@method("chain_subscribeAllHeads")
async def subscribe_all_heads(context: Context) -> Any:
    return _subscribe(context, "chain_allHead", "best")


@method("chain_subscribeFinalizedHeads", "chain_subscribeFinalisedHeads")
async def subscribe_finalized_heads(context: Context) -> Any:
    return _subscribe(context, "chain_finalizedHead", "final")


@method(
    "chain_unsubscribeNewHeads",
    "chain_unsubscribeNewHead",
    "unsubscribe_newHead",
    "chain_unsubscribeAllHeads",
    "chain_unsubscribeFinalizedHeads",
    "chain_unsubscribeFinalisedHeads",
    "state_unsubscribeStorage",
    "state_unsubscribeRuntimeVersion",
    "chain_unsubscribeRuntimeVersion",
    "author_unwatchExtrinsic",
    "transactionWatch_v1_unwatch",
    "transactionWatch_unstable_unwatch",
    "archive_v1_stopStorage",
    "archive_v1_stopStorageDiff",
)
async def unsubscribe(context: Context, subscription: Any) -> Any:
    """Ends a subscription of this connection; false if there is none of this id."""
    connection = context.connection
    known = connection is not None and isinstance(subscription, str | int)
    found = connection.subscriptions.get(str(subscription)) if connection is not None and known else None
    if found is not None:
        found.end()
    return found is not None
