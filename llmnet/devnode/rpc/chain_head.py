"""Methods `chainHead_v1_*`: follow the head of the chain, with pinned blocks and operations on them.

What a method says about a subscription that is over follows polkadot-sdk: null, or `limitReached`.
"""

from __future__ import annotations

from typing import Any

from llmnet.devnode.rpc.errors import TOO_MANY_FOLLOWS, RpcError
from llmnet.devnode.rpc.follow import Follow
from llmnet.devnode.rpc.registry import (
    Context,
    hex_of,
    method,
    need_hash,
    parse_flag,
    parse_hex,
    parse_list,
    parse_text,
)
from llmnet.devnode.rpc.storage_query import parse_child, parse_queries

_MAX_FOLLOWS = 4
_MAX_UNPINNED = 10_000
_LIMIT_REACHED = {"result": "limitReached"}


def _follow(context: Context, subscription: Any) -> Follow | None:
    """The follow subscription of this connection, None if there is none of this id (any more)."""
    found = context.subscriber().subscriptions.get(parse_text(subscription, "followSubscription"))
    return None if found is None else context.hub.follows.get(found)


@method("chainHead_v1_follow")
async def follow(context: Context, with_runtime: Any) -> Any:
    connection = context.subscriber()
    told = parse_flag(with_runtime, "withRuntime")
    ours = [one for one in connection.subscriptions.values() if one in context.hub.follows]
    if len(ours) >= _MAX_FOLLOWS:
        raise RpcError(TOO_MANY_FOLLOWS, "Maximum number of chainHead_follow has been reached")
    return await context.hub.follow(connection, with_runtime=told)


@method("chainHead_v1_unfollow")
async def unfollow(context: Context, subscription: Any) -> Any:
    if _follow(context, subscription) is None:
        return False
    context.subscriber().subscriptions[subscription].end()
    return True


@method("chainHead_v1_header")
async def header(context: Context, subscription: Any, block_hash: Any) -> Any:
    found, wanted = _follow(context, subscription), need_hash(block_hash)
    return None if found is None else hex_of(found.block(wanted).header.encode())


@method("chainHead_v1_body")
async def body(context: Context, subscription: Any, block_hash: Any) -> Any:
    found, wanted = _follow(context, subscription), need_hash(block_hash)
    return _LIMIT_REACHED if found is None else found.read_body(wanted)


@method("chainHead_v1_call")
async def call(context: Context, subscription: Any, block_hash: Any, function: Any, argument: Any) -> Any:
    found, wanted = _follow(context, subscription), need_hash(block_hash)
    name, data = parse_text(function, "function"), parse_hex(argument, "callParameters")
    return _LIMIT_REACHED if found is None else found.call(wanted, name, data)


@method("chainHead_v1_storage")
async def storage(
    context: Context, subscription: Any, block_hash: Any, items: Any, child_trie: Any = None
) -> Any:
    found, wanted = _follow(context, subscription), need_hash(block_hash)
    queries, child = parse_queries(items), parse_child(child_trie)
    return _LIMIT_REACHED if found is None else found.read_storage(wanted, queries, child)


@method("chainHead_v1_continue")
async def go_on(context: Context, subscription: Any, operation: Any) -> Any:
    found, name = _follow(context, subscription), parse_text(operation, "operationId")
    if found is not None:
        found.go_on(name)


@method("chainHead_v1_stopOperation")
async def stop_operation(context: Context, subscription: Any, operation: Any) -> Any:
    found, name = _follow(context, subscription), parse_text(operation, "operationId")
    if found is not None:
        found.stop_operation(name)


@method("chainHead_v1_unpin")
async def unpin(context: Context, subscription: Any, hashes: Any) -> Any:
    """Takes one hash or an array of them."""
    found = _follow(context, subscription)
    given = parse_list(hashes, "hashes", _MAX_UNPINNED) if isinstance(hashes, list) else [hashes]
    wanted = [need_hash(item) for item in given]
    if found is not None:
        found.unpin(wanted)
