"""Methods `dev_*`: what only a development node can do. Names and parameters are those of chopsticks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from llmnet.devnode.errors import UnknownBlock
from llmnet.devnode.rpc.errors import INVALID_PARAMS, RpcError
from llmnet.devnode.rpc.registry import (
    Context,
    hex_of,
    method,
    need_hash,
    optional_hex,
    parse_bytes,
    parse_hash,
    parse_list,
    parse_number,
)
from llmnet.devnode.state import CHILD_STORAGE_PREFIX, CODE_KEY, Changes

_MAX_BLOCKS = 1000
_MAX_TRANSACTIONS = 10_000
_MAX_WRITES = 100_000
_OPTIONS = ("count", "to", "transactions", "timestamp")


@method("dev_newBlock", unsafe=True)
async def new_block(context: Context, options: Any = None) -> Any:
    """Makes blocks now, whatever the seal, and answers the hash of the last one.

    `options`: a count, or an object with `count` or `to` (a height), `transactions` (for the first block,
    before those of the pool) and `timestamp` (milliseconds, of the first block).
    """
    given = options if isinstance(options, dict) else {"count": options}
    if not set(given) <= set(_OPTIONS):
        raise RpcError(INVALID_PARAMS, "Invalid params", f"options are {', '.join(_OPTIONS)}")
    count = _how_many(context, given)
    first = parse_list(given.get("transactions") or [], "transactions", _MAX_TRANSACTIONS)
    extrinsics = [parse_bytes(item, "transaction") for item in first]
    if given.get("timestamp") is not None:
        context.service.node.travel(_milliseconds(given["timestamp"]))
    for _ in range(count):
        produced = await context.service.produce(extrinsics)
        extrinsics = []
    return hex_of(produced.block.hash)


def _how_many(context: Context, options: Mapping[str, Any]) -> int:
    if options.get("to") is not None:
        best = context.service.node.best.number
        count = parse_number(options["to"], "to") - best
        if not 0 < count <= _MAX_BLOCKS:
            text = f"to: a height of {best + 1} to {best + _MAX_BLOCKS} expected"
            raise RpcError(INVALID_PARAMS, "Invalid params", text)
        return count
    given = options.get("count")
    return 1 if given is None else max(1, parse_number(given, "count", _MAX_BLOCKS))


def _milliseconds(date: Any) -> int:
    """Unix milliseconds of a number or of an ISO 8601 date (UTC where it names no zone)."""
    if isinstance(date, str) and not date.isdigit():
        try:
            read = datetime.fromisoformat(date)
        except ValueError:
            raise RpcError(
                INVALID_PARAMS, "Invalid params", "date: Unix milliseconds or an ISO 8601 date expected"
            ) from None
        return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
    return parse_number(int(date) if isinstance(date, str) and len(date) < 20 else date, "date", 2**53)


@method("dev_timeTravel", unsafe=True)
async def time_travel(context: Context, date: Any) -> Any:
    """Sets the clock: the next block has this time, or follows the best one if that is later.

    Answers the milliseconds since 1970 that were set.
    """
    moment = _milliseconds(date)
    context.service.node.travel(moment)
    return moment


@method("dev_setStorage", unsafe=True)
async def set_storage(context: Context, values: Any, at: Any = None) -> Any:
    """Makes a block after which the keys have these values (null removes); answers its hash.

    `values`: an array of pairs [key, value] in hex.
    """
    if at is not None and need_hash(at) != context.service.node.best.hash:
        raise RpcError(INVALID_PARAMS, "Invalid params", "only the best block's storage can be set")
    written: dict[bytes, bytes | None] = {}
    for pair in parse_list(values, "values", _MAX_WRITES):
        key, value = (
            parse_list(pair, "pair", 2) if isinstance(pair, list) and len(pair) == 2 else (None, None)
        )
        name = parse_bytes(key, "key")
        if name.startswith(CHILD_STORAGE_PREFIX) or (name == CODE_KEY and value is None):
            raise RpcError(INVALID_PARAMS, "Invalid params", f"the key {key} cannot be set so")
        written[name] = None if value is None else parse_bytes(value, "value")
    service = context.service
    return hex_of((await service.run(service.node.set_storage, Changes(written))).hash)


@method("dev_dryRun", unsafe=True)
async def dry_run(context: Context, params: Any) -> Any:
    """What an extrinsic would do on top of a block; nothing is kept.

    `params`: an object with `extrinsic` and perhaps `at`. Answers the encoded `outcome` and the `storageDiff`
    as pairs [key, value]; null for removed keys.
    """
    if not isinstance(params, dict) or not set(params) <= {"extrinsic", "at", "raw", "html"}:
        raise RpcError(INVALID_PARAMS, "Invalid params", 'an object {"extrinsic": …, "at": …} expected')
    data, at = parse_bytes(params.get("extrinsic"), "extrinsic"), parse_hash(params.get("at"))
    service = context.service
    outcome, changes = await service.run(service.node.preview, data, at)
    diff = [[hex_of(key), optional_hex(value)] for key, value in sorted(changes.top.items())]
    return {"outcome": hex_of(outcome), "storageDiff": diff}


@method("dev_getBlockStats", unsafe=True)
async def block_stats(context: Context, block_hash: Any) -> Any:
    """Sizes of a block in bytes; null if it or its parent's state is not at hand."""
    chain = context.service.node.chain
    try:
        block = chain.block_by_hash(need_hash(block_hash))
        chain.at(block.header.parent)
    except UnknownBlock:
        return None
    return {"blockLen": len(block.encode()), "numExtrinsics": len(block.body)}
