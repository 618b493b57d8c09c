"""Methods `archive_v1_*`: blocks and states of the past, by hash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from llmnet.devnode.block import Block
from llmnet.devnode.errors import RuntimeFault, StatePruned, UnknownBlock
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.rpc.errors import INVALID_PARAMS, RpcError
from llmnet.devnode.rpc.registry import (
    Context,
    hex_of,
    method,
    need_hash,
    parse_hex,
    parse_list,
    parse_number,
    parse_text,
)
from llmnet.devnode.rpc.storage_query import MAX_QUERIES, answers, parse_child, parse_queries
from llmnet.devnode.rpc.streams import stream
from llmnet.devnode.state import State

_STEPS_BETWEEN_PAUSES = 256


def _find(context: Context, block_hash: Any) -> Block | None:
    try:
        return context.service.node.chain.block_by_hash(need_hash(block_hash))
    except UnknownBlock:
        return None


@method("archive_v1_genesisHash")
async def genesis_hash(context: Context) -> Any:
    return hex_of(context.service.node.genesis_hash)


@method("archive_v1_finalizedHeight")
async def finalized_height(context: Context) -> Any:
    return context.service.node.finalized.number


@method("archive_v1_hashByHeight")
async def hash_by_height(context: Context, height: Any) -> Any:
    """The blocks of a height: one or none, as there are no forks."""
    try:
        return [hex_of(context.service.node.chain.block(parse_number(height, "height", 2**64 - 1)).hash)]
    except UnknownBlock:
        return []


@method("archive_v1_header")
async def header(context: Context, block_hash: Any) -> Any:
    block = _find(context, block_hash)
    return None if block is None else hex_of(block.header.encode())


@method("archive_v1_body")
async def body(context: Context, block_hash: Any) -> Any:
    block = _find(context, block_hash)
    return None if block is None else [hex_of(extrinsic) for extrinsic in block.body]


@method("archive_v1_call")
async def call(context: Context, block_hash: Any, function: Any, argument: Any) -> Any:
    name, data = parse_text(function, "function"), parse_hex(argument, "callParameters")
    block = _find(context, block_hash)
    if block is None:
        return None
    try:
        output = await context.service.run(context.service.node.call, name, data, block.hash)
    except (RuntimeFault, StatePruned) as error:
        return {"success": False, "error": str(error)}
    return {"success": True, "value": hex_of(output)}


async def _paced(items: Iterator[Any]) -> AsyncIterator[Any]:
    """The items, with the event loop let to other work now and then; None only marks a step."""
    for step, item in enumerate(items):
        if step % _STEPS_BETWEEN_PAUSES == 0:
            await asyncio.sleep(0)
        if item is not None:
            yield item


@method("archive_v1_storage")
async def storage(context: Context, block_hash: Any, items: Any, child_trie: Any = None) -> Any:
    connection = context.subscriber()
    wanted, queries, child = need_hash(block_hash), parse_queries(items), parse_child(child_trie)
    extra = {} if child is None else {"childTrieKey": hex_of(child)}

    def events() -> Iterator[Any]:
        state = context.service.node.chain.at(wanted)[1]
        for query in queries:
            for found in answers(state, query, child):
                yield {"event": "storage", **found, **extra}
        yield {"event": "storageDone"}

    return stream(
        connection,
        "archive_v1_storageEvent",
        lambda: _paced(events()),
        lambda text: {"event": "storageError", "error": text},
    )


@dataclass(frozen=True)
class _DiffQuery:
    prefix: bytes
    hashed: bool
    child: bytes | None


def _parse_diff(item: Any) -> _DiffQuery:
    if not isinstance(item, dict) or item.get("returnType") not in ("value", "hash"):
        raise RpcError(
            INVALID_PARAMS, "Invalid params", 'each item needs a "returnType" of "value" or "hash"'
        )
    key, child = item.get("key"), item.get("childTrieKey")
    return _DiffQuery(
        b"" if key is None else parse_hex(key, "key"), item["returnType"] == "hash", parse_child(child)
    )


def _differences(before: State, after: State, query: _DiffQuery) -> Iterator[Any]:
    """Merges the two ordered states; None for entries that are equal."""
    old, new = (state.items(query.prefix, None, query.child) for state in (before, after))
    was, now = next(old, None), next(new, None)
    while was is not None or now is not None:
        if now is None or (was is not None and was[0] < now[0]):
            assert was is not None
            yield _difference("deleted", *was, query)
            was = next(old, None)
        elif was is None or now[0] < was[0]:
            yield _difference("added", *now, query)
            now = next(new, None)
        else:
            yield None if was[1] == now[1] else _difference("modified", *now, query)
            was, now = next(old, None), next(new, None)


def _difference(kind: str, key: bytes, value: bytes, query: _DiffQuery) -> dict[str, Any]:
    shown = {"hash": hex_of(blake2_256(value))} if query.hashed else {"value": hex_of(value)}
    extra = {} if query.child is None else {"childTrieKey": hex_of(query.child)}
    return {"event": "storageDiff", "key": hex_of(key), **shown, "type": kind, **extra}


@method("archive_v1_storageDiff")
async def storage_diff(
    context: Context, block_hash: Any, items: Any = None, previous_hash: Any = None
) -> Any:
    connection = context.subscriber()
    wanted = need_hash(block_hash)
    earlier = None if previous_hash is None else need_hash(previous_hash, "previous hash")
    given = [{"returnType": "value"}] if items is None else parse_list(items, "items", MAX_QUERIES)
    queries = [_parse_diff(item) for item in given]

    def events() -> Iterator[Any]:
        chain = context.service.node.chain
        block, after = chain.at(wanted)
        base, before = chain.at(block.header.parent if earlier is None else earlier)
        if base.number >= block.number:
            raise UnknownBlock("the previous block must be an ancestor of the block")
        for query in queries:
            yield from _differences(before, after, query)
        yield {"event": "storageDiffDone"}

    return stream(
        connection,
        "archive_v1_storageDiffEvent",
        lambda: _paced(events()),
        lambda text: {"event": "storageDiffError", "error": text},
    )
