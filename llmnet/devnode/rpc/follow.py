"""One `chainHead_v1_follow` subscription: the blocks it pins and the operations it has under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from llmnet.devnode.block import Block
from llmnet.devnode.errors import DevnodeError, RuntimeFault, StatePruned
from llmnet.devnode.rpc.connection import Subscription
from llmnet.devnode.rpc.errors import (
    DUPLICATE_HASHES,
    INVALID_BLOCK,
    INVALID_CONTINUE,
    WITHOUT_RUNTIME,
    RpcError,
)
from llmnet.devnode.rpc.registry import hex_of
from llmnet.devnode.rpc.storage_query import Query, answers
from llmnet.devnode.runtime_api import RuntimeVersion
from llmnet.devnode.service import NodeService
from llmnet.devnode.state import State

MAX_PINNED = 512
MAX_OPERATIONS = 16
FIRST_FINALIZED = 16
_ITEMS_AN_EVENT = 32
_EVENTS_BEFORE_PAUSE = 32


def runtime_json(version: RuntimeVersion) -> dict[str, Any]:
    """A runtime as the events of the new specification describe it."""
    return {
        "type": "valid",
        "spec": {
            "specName": version.spec_name,
            "implName": version.impl_name,
            "specVersion": version.spec_version,
            "implVersion": version.impl_version,
            "apis": {hex_of(name): number for name, number in version.apis},
            "transactionVersion": version.transaction_version,
        },
    }


@dataclass
class _Operation:
    """Something that answers by events; `weight` items of the limit are taken up by it."""

    weight: int
    task: asyncio.Task[None] | None = None
    waiting: asyncio.Event | None = None


@dataclass(frozen=True)
class _Pin:
    block: Block
    kept: State | None = field(repr=False)

    @property
    def state(self) -> State:
        """The state after the block; raises StatePruned if it was gone when the block was pinned."""
        if self.kept is None:
            raise StatePruned(f"the state of block {self.block.number} is no longer kept")
        return self.kept


class Follow:
    """The server's side of a follow subscription. Lives in the event loop."""

    def __init__(self, service: NodeService, subscription: Subscription, *, with_runtime: bool) -> None:
        self._service = service
        self._subscription = subscription
        self._with_runtime = with_runtime
        self._pins: dict[bytes, _Pin] = {}
        self._operations: dict[str, _Operation] = {}
        self._count = 0

    # -- events of the chain

    def begin(self, best: Block, final: int, versions: list[RuntimeVersion]) -> None:
        """Sends what is there: the last blocks up to height `final`, those not final yet, the best one.

        `versions`: the runtimes of the blocks from `final` on, if they are to be told.
        """
        chain = self._service.node.chain
        heights = range(max(0, final - FIRST_FINALIZED + 1), best.number + 1)
        blocks = [chain.block(number) for number in heights]
        for block in blocks:
            self._pin(block)
        hashes = [hex_of(block.hash) for block in blocks if block.number <= final]
        event: dict[str, Any] = {"event": "initialized", "finalizedBlockHashes": hashes}
        if self._with_runtime:
            event["finalizedBlockRuntime"] = runtime_json(versions[0])
        self._subscription.send(event)
        for block in blocks:
            if block.number > final:
                before, now = versions[block.number - final - 1 :][:2] if versions else (None, None)
                self._announce(block, None if before == now else now)
        self._subscription.send({"event": "bestBlockChanged", "bestBlockHash": hex_of(best.hash)})

    def on_block(self, block: Block, new_version: RuntimeVersion | None) -> None:
        """Tells of a new best block; `new_version` if its runtime is not its parent's."""
        if len(self._pins) >= MAX_PINNED:
            self.stop()
            return
        self._pin(block)
        self._announce(block, new_version)
        self._subscription.send({"event": "bestBlockChanged", "bestBlockHash": hex_of(block.hash)})

    def on_final(self, blocks: Iterable[Block]) -> None:
        """Tells that blocks have become final, lowest first."""
        hashes = [hex_of(block.hash) for block in blocks]
        self._subscription.send(
            {"event": "finalized", "finalizedBlockHashes": hashes, "prunedBlockHashes": []}
        )

    def stop(self) -> None:
        """Ends the subscription from the server's side: the client must follow anew."""
        self._subscription.send({"event": "stop"})
        self._subscription.end()

    def close(self) -> None:
        """Lets go of everything; called when the subscription has ended."""
        self._pins.clear()
        for operation in self._operations.values():
            if operation.task is not None:
                operation.task.cancel()
        self._operations.clear()

    def _pin(self, block: Block) -> None:
        try:
            state: State | None = self._service.node.chain.at(block.hash)[1]
        except StatePruned:
            state = None  # header and body can still be asked for
        self._pins[block.hash] = _Pin(block, state)

    def _announce(self, block: Block, new_version: RuntimeVersion | None) -> None:
        event: dict[str, Any] = {
            "event": "newBlock",
            "blockHash": hex_of(block.hash),
            "parentBlockHash": hex_of(block.header.parent),
        }
        if self._with_runtime:
            event["newRuntime"] = None if new_version is None else runtime_json(new_version)
        self._subscription.send(event)

    # -- pinned blocks

    def block(self, block_hash: bytes) -> Block:
        """A pinned block; raises RpcError for any other."""
        return self._pinned(block_hash).block

    def _pinned(self, block_hash: bytes) -> _Pin:
        pin = self._pins.get(block_hash)
        if pin is None:
            raise RpcError(INVALID_BLOCK, "Invalid block hash")
        return pin

    def unpin(self, hashes: list[bytes]) -> None:
        """Lets blocks go, all or none."""
        if len(set(hashes)) != len(hashes):
            raise RpcError(DUPLICATE_HASHES, "Received duplicate hashes for the `chainHead_unpin` method")
        for block_hash in hashes:
            self._pinned(block_hash)
        for block_hash in hashes:
            del self._pins[block_hash]

    # -- operations

    def read_body(self, block_hash: bytes) -> dict[str, Any]:
        """Starts telling the extrinsics of a block."""
        body = [hex_of(extrinsic) for extrinsic in self._pinned(block_hash).block.body]

        async def work(operation: str) -> None:
            self._tell("operationBodyDone", operation, value=body)

        return self._start(1, work)

    def call(self, block_hash: bytes, function: str, argument: bytes) -> dict[str, Any]:
        """Starts a runtime call; raises RpcError where the client does not follow the runtime."""
        pin = self._pinned(block_hash)
        if not self._with_runtime:
            text = "The `chainHead_follow` subscription was started with `withRuntime` set to `false`"
            raise RpcError(WITHOUT_RUNTIME, text)

        async def work(operation: str) -> None:
            try:
                node = self._service.node
                output = await self._service.run(node.call_state, pin.state, function, argument)
            except RuntimeFault as error:
                self._tell("operationError", operation, error=f"Execution failed: {error}")
            else:
                self._tell("operationCallDone", operation, output=hex_of(output))

        return self._start(1, work)

    def read_storage(self, block_hash: bytes, queries: list[Query], child: bytes | None) -> dict[str, Any]:
        """Starts answering as many of the queries as the limit leaves room for."""
        pin = self._pinned(block_hash)
        room = MAX_OPERATIONS - sum(operation.weight for operation in self._operations.values())
        taken = queries[:room]

        async def work(operation: str) -> None:
            items = (item for query in taken for item in answers(pin.state, query, child))
            await self._send_items(operation, items)
            self._tell("operationStorageDone", operation)

        answer = self._start(len(taken), work)
        return {**answer, "discardedItems": len(queries) - len(taken)} if "operationId" in answer else answer

    async def _send_items(self, operation: str, items: Iterator[dict[str, Any]]) -> None:
        """Sends items in parts, no faster than the client reads, waiting for its `continue` now and then."""
        events = 0
        while part := list(islice(items, _ITEMS_AN_EVENT)):
            await self._subscription.connection.room()
            self._tell("operationStorageItems", operation, items=part)
            events += 1
            await asyncio.sleep(0)
            if events % _EVENTS_BEFORE_PAUSE == 0:
                await self._pause(operation)

    async def _pause(self, operation: str) -> None:
        found = self._operations[operation]
        found.waiting = asyncio.Event()
        self._tell("operationWaitingForContinue", operation)
        await found.waiting.wait()
        found.waiting = None

    def go_on(self, operation: str) -> None:
        """Lets an operation continue that waits for it; one that is over is left alone."""
        found = self._operations.get(operation)
        if found is None:
            return
        if found.waiting is None:
            raise RpcError(INVALID_CONTINUE, "Wait for continue event not generated")
        found.waiting.set()

    def stop_operation(self, operation: str) -> None:
        """Ends an operation without a further event; one that is over is left alone."""
        found = self._operations.pop(operation, None)
        if found is not None and found.task is not None:
            found.task.cancel()

    def _start(self, weight: int, work: Callable[[str], Coroutine[Any, Any, None]]) -> dict[str, Any]:
        taken = sum(operation.weight for operation in self._operations.values())
        if not weight or taken + weight > MAX_OPERATIONS:
            return {"result": "limitReached"}
        self._count += 1
        operation = str(self._count)
        self._operations[operation] = _Operation(weight)
        # Begun only when the answer with its id has gone out.
        asyncio.get_running_loop().call_soon(self._launch, operation, work)
        return {"result": "started", "operationId": operation}

    def _launch(self, operation: str, work: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        found = self._operations.get(operation)
        if found is not None:
            found.task = asyncio.get_running_loop().create_task(self._guarded(operation, work))

    async def _guarded(self, operation: str, work: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        try:
            await work(operation)
        except StatePruned:
            self._tell("operationInaccessible", operation)
        except DevnodeError as error:
            self._tell("operationError", operation, error=str(error))
        finally:
            self._operations.pop(operation, None)

    def _tell(self, event: str, operation: str, **rest: Any) -> None:
        self._subscription.send({"event": event, "operationId": operation, **rest})
