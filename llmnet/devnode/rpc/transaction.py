"""Methods `transaction_v1_*` and `transactionWatch_v1_*`: transactions as the new specification has them."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from llmnet.devnode.errors import (
    AlreadyInPool,
    InvalidTransaction,
    MalformedTransaction,
    PoolFull,
    TransactionError,
    UnknownBlock,
)
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.rpc.errors import INVALID_PARAMS, RpcError
from llmnet.devnode.rpc.registry import Context, hex_of, method, parse_bytes, parse_text
from llmnet.devnode.rpc.watches import ENDS

_MAX_BROADCASTS = 16


# -- broadcast


class _Broadcast:
    """Keeps one transaction in the pool until it is final, cannot become valid, or is stopped."""

    def __init__(self, context: Context, extrinsic: bytes) -> None:
        self._context = context
        self._extrinsic = extrinsic
        self._hash = blake2_256(extrinsic)
        self._news: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Submits, and submits again at the next block when the pool has no place or lets it go."""
        hub = self._context.hub
        while True:
            forget = hub.watches.add(self._hash, lambda status, _value: self._news.put_nowait(status))
            try:
                if not (await self._submit() and await self._ends_dropped()):
                    return
            finally:
                forget()
            await hub.next_block()

    async def _submit(self) -> bool:
        """Puts it into the pool, if need be at a later block; False if that cannot succeed."""
        service = self._context.service
        while True:
            try:
                await service.run(service.node.submit, self._extrinsic)
            except AlreadyInPool:
                return True
            except (InvalidTransaction, MalformedTransaction):
                return False
            except TransactionError:
                await self._context.hub.next_block()
            else:
                return True

    async def _ends_dropped(self) -> bool:
        while True:
            status = await self._news.get()
            if status in ("dropped", "usurped", "invalid", "finalized"):
                return status == "dropped"


class Broadcasts:
    """The broadcasts of one connection, by operation id."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, context: Context, extrinsic: bytes) -> str | None:
        """Begins one; None if too many are under way."""
        if len(self._tasks) >= _MAX_BROADCASTS:
            return None
        operation = secrets.token_urlsafe(12)
        task = asyncio.get_running_loop().create_task(_Broadcast(context, extrinsic).run())
        self._tasks[operation] = task
        task.add_done_callback(lambda _done: self._tasks.pop(operation, None))
        return operation

    def stop(self, operation: str) -> bool:
        """Ends one; False if it is not there (any more)."""
        task = self._tasks.pop(operation, None)
        if task is not None:
            task.cancel()
        return task is not None

    def close(self) -> None:
        """Ends all."""
        for operation in tuple(self._tasks):
            self.stop(operation)


@method("transaction_v1_broadcast", "transaction_unstable_broadcast")
async def broadcast(context: Context, transaction: Any) -> Any:
    """An operation id, null if this client broadcasts too much already."""
    data = parse_bytes(transaction, "transaction")
    return context.hub.broadcasts(context.subscriber()).start(context, data)


@method("transaction_v1_stop", "transaction_unstable_stop")
async def stop(context: Context, operation: Any) -> Any:
    if not context.hub.broadcasts(context.subscriber()).stop(parse_text(operation, "operationId")):
        raise RpcError(INVALID_PARAMS, "Invalid operation id")


# -- watch


@method("transactionWatch_v1_submitAndWatch", "transactionWatch_unstable_submitAndWatch")
async def submit_and_watch(context: Context, transaction: Any) -> Any:
    """Every outcome, refusal by the pool included, is told by an event."""
    data = parse_bytes(transaction, "transaction")
    tx_hash = blake2_256(data)
    connection = context.subscriber()

    def tell(status: str, value: bytes | None) -> None:
        event = _event(context, tx_hash, status, value)
        if event is not None:
            subscription.send(event)
        if status in ENDS:
            subscription.end()

    subscription = connection.subscribe("transactionWatch_v1_watchEvent", lambda _ended: forget())
    forget = context.hub.watches.add(tx_hash, tell)
    try:
        await context.service.run(context.service.node.submit, data)
    except TransactionError as error:
        kind = "dropped" if isinstance(error, PoolFull) else "invalid"
        subscription.send({"event": kind, "error": str(error)})
        subscription.end()
    return subscription


def _event(context: Context, tx_hash: bytes, status: str, value: bytes | None) -> dict[str, Any] | None:
    match status:
        case "ready":
            return {"event": "validated"}
        case "inBlock":
            return {"event": "bestChainBlockIncluded", "block": _place(context, tx_hash, value)}
        case "finalized":
            return {"event": "finalized", "block": _place(context, tx_hash, value)}
        case "dropped":
            return {"event": "dropped", "error": "Extrinsic dropped from the pool due to exceeding limits"}
        case "usurped":
            return {"event": "invalid", "error": "Extrinsic was usurped by another of the same sender"}
        case "invalid":
            return {"event": "invalid", "error": "Extrinsic marked as invalid"}
    return None


def _place(context: Context, tx_hash: bytes, block_hash: bytes | None) -> dict[str, str] | None:
    """Where a transaction stands; null if the block is not at hand."""
    if block_hash is None:
        return None
    try:
        block = context.service.node.chain.block_by_hash(block_hash)
    except UnknownBlock:
        return None
    for index, extrinsic in enumerate(block.body):
        if blake2_256(extrinsic) == tx_hash:
            return {"hash": hex_of(block_hash), "index": str(index)}
    return None
