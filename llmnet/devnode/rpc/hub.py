"""Who wants to hear what: subscribers to heads, storage, the runtime version and transactions."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from llmnet.devnode.block import Block
from llmnet.devnode.rpc.connection import Connection, Subscription
from llmnet.devnode.rpc.registry import hex_of, optional_hex
from llmnet.devnode.service import NodeService
from llmnet.devnode.state import CODE_KEY

# Clients that read the block at `inBlock` (polkadot-js) forget to tell of it if `finalized` comes at once.
FINALIZED_PAUSE = 0.2
_TERMINAL = ("usurped", "dropped", "invalid")


def header_json(block: Block) -> dict[str, Any]:
    """A header as JSON-RPC shows it."""
    header = block.header
    return {
        "parentHash": hex_of(header.parent),
        "number": hex(header.number),
        "stateRoot": hex_of(header.state_root),
        "extrinsicsRoot": hex_of(header.extrinsics_root),
        "digest": {"logs": [hex_of(item) for item in header.digest]},
    }


class Hub:
    """Passes the node's news on; lives in the event loop."""

    def __init__(self, service: NodeService) -> None:
        self._service = service
        self._heads: dict[str, set[Subscription]] = {"best": set(), "final": set()}
        self._storage: dict[Subscription, dict[bytes, bytes | None]] = {}
        self._versions: set[Subscription] = set()
        self._code = service.node.storage(CODE_KEY)
        self._tasks: set[asyncio.Task[None]] = set()
        self._watched: dict[bytes, set[Subscription]] = {}
        self._unfinal: OrderedDict[int, list[bytes]] = OrderedDict()
        self._in_next_block: list[bytes] = []
        self._final = service.node.finalized.number
        service.block_listeners.append(self._on_block)
        service.status_listeners.append(self._on_status)

    def _on_block(self, block: Block) -> None:
        for subscription in tuple(self._heads["best"]):
            subscription.send(header_json(block))
        if self._in_next_block:
            self._unfinal[block.number] = self._in_next_block
            self._in_next_block = []
        self._tell_storage(block)
        self._tell_versions(block)
        self._finalize(max(0, block.number - self._service.node.config.finality_lag))

    def _finalize(self, number: int) -> None:
        for height in range(self._final + 1, number + 1):
            self._final = height
            block = self._service.node.chain.block(height)
            for subscription in tuple(self._heads["final"]):
                subscription.send(header_json(block))
            for tx_hash in self._unfinal.pop(height, ()):
                last = {"finalized": hex_of(block.hash)}
                asyncio.get_running_loop().call_later(FINALIZED_PAUSE, self._end_watch, tx_hash, last)

    def _tell_storage(self, block: Block) -> None:
        if not self._storage:
            return
        state = self._service.node.chain.at(block.hash)[1]
        for subscription, known in self._storage.items():
            changed = [(key, now) for key, before in known.items() if (now := state.get(key)) != before]
            if changed:
                known.update(changed)
                subscription.send(_changes_json(block, changed))

    def _tell_versions(self, block: Block) -> None:
        """Asks the runtime for its version only where the code has changed, and not in the event loop."""
        code = self._service.node.storage(CODE_KEY, block.hash)
        if code is self._code:
            return
        self._code = code
        task = asyncio.get_running_loop().create_task(self._send_version(block.hash))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_version(self, block_hash: bytes) -> None:
        version = (await self._service.run(self._service.node.version, block_hash)).as_json()
        for subscription in tuple(self._versions):
            subscription.send(version)

    def _on_status(self, tx_hash: bytes, status: str, value: bytes | None) -> None:
        if tx_hash not in self._watched:
            return
        shown: Any = status if value is None else {status: hex_of(value)}
        if status in _TERMINAL:
            self._end_watch(tx_hash, shown)
            return
        for subscription in tuple(self._watched[tx_hash]):
            subscription.send(shown)
        if status == "inBlock":
            self._in_next_block.append(tx_hash)

    def _end_watch(self, tx_hash: bytes, last: Any) -> None:
        for subscription in tuple(self._watched.pop(tx_hash, ())):
            subscription.send(last)
            subscription.end()

    # -- subscribing

    def heads(self, connection: Connection, notification: str, kind: str) -> Subscription:
        """Best or final heads, beginning with the present one."""
        subscription = connection.subscribe(notification, self._heads[kind].discard)
        node = self._service.node
        subscription.send(header_json(node.best if kind == "best" else node.finalized))
        self._heads[kind].add(subscription)
        return subscription

    def storage(self, connection: Connection, keys: list[bytes]) -> Subscription:
        """Changes of these keys, beginning with their present values."""
        block, state = self._service.node.chain.at(None)
        subscription = connection.subscribe("state_storage", self._forget_storage)
        values = {key: state.get(key) for key in keys}
        self._storage[subscription] = values
        subscription.send(_changes_json(block, list(values.items())))
        return subscription

    def _forget_storage(self, ended: Subscription) -> None:
        self._storage.pop(ended, None)

    def version(self, connection: Connection, version: dict[str, Any]) -> Subscription:
        """The runtime's version, beginning with the present one."""
        subscription = connection.subscribe("state_runtimeVersion", self._versions.discard)
        self._versions.add(subscription)
        subscription.send(version)
        return subscription

    def watch(self, connection: Connection, tx_hash: bytes) -> Subscription:
        """What becomes of a transaction."""

        def forget(ended: Subscription) -> None:
            watchers = self._watched.get(tx_hash)
            if watchers is not None:
                watchers.discard(ended)
                if not watchers:
                    del self._watched[tx_hash]

        subscription = connection.subscribe("author_extrinsicUpdate", forget)
        self._watched.setdefault(tx_hash, set()).add(subscription)
        return subscription


def _changes_json(block: Block, changes: list[tuple[bytes, bytes | None]]) -> dict[str, Any]:
    return {
        "block": hex_of(block.hash),
        "changes": [[hex_of(key), optional_hex(value)] for key, value in changes],
    }
