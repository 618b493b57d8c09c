"""Who wants to hear what: subscribers to heads, storage, the runtime version and transactions."""

from __future__ import annotations

import asyncio
from typing import Any

from llmnet.devnode.block import Block
from llmnet.devnode.errors import StatePruned
from llmnet.devnode.rpc.connection import Connection, Subscription
from llmnet.devnode.rpc.errors import TOO_MANY_KEYS, RpcError
from llmnet.devnode.rpc.follow import Follow
from llmnet.devnode.rpc.offchain_storage import OffchainStorage
from llmnet.devnode.rpc.registry import hex_of, optional_hex
from llmnet.devnode.rpc.transaction import Broadcasts
from llmnet.devnode.rpc.watches import ENDS, Watches
from llmnet.devnode.runtime_api import RuntimeVersion
from llmnet.devnode.service import NodeService

# Each of them is read after each block.
MAX_WATCHED_KEYS = 10_000
# Clients that read the block at `inBlock` (polkadot-js) forget to tell of it if `finalized` comes at once.
FINALIZED_PAUSE = 0.2


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
        self._new_version: RuntimeVersion | None = None
        # The heads as far as they have been told; the node itself may be a block ahead.
        self._best = service.node.best
        self._final = service.node.finalized.number
        self._next_block = asyncio.Event()
        self._broadcasts: dict[Connection, Broadcasts] = {}
        self.watches = Watches()
        self.follows: dict[Subscription, Follow] = {}
        self.offchain = OffchainStorage()
        service.version_listeners.append(self._on_version)
        service.block_listeners.append(self._on_block)
        service.status_listeners.append(self.watches.on_status)

    # -- news

    def _on_version(self, version: RuntimeVersion) -> None:
        """Takes the new version of the runtime, before the block that brought it."""
        self._new_version = version
        for subscription in tuple(self._versions):
            subscription.send(version.as_json())

    def _on_block(self, block: Block) -> None:
        self._best = block
        self.watches.on_block(block)
        for subscription in tuple(self._heads["best"]):
            subscription.send(header_json(block))
        self._tell_storage(block)
        version, self._new_version = self._new_version, None
        for follow in tuple(self.follows.values()):
            follow.on_block(block, version)
        self._finalize(max(0, block.number - self._service.node.config.finality_lag))
        self._next_block.set()
        self._next_block = asyncio.Event()

    def _finalize(self, number: int) -> None:
        blocks = [self._service.node.chain.block(height) for height in range(self._final + 1, number + 1)]
        self._final = max(self._final, number)
        for block in blocks:
            for subscription in tuple(self._heads["final"]):
                subscription.send(header_json(block))
            self.watches.on_final(block)
        if blocks:
            for follow in tuple(self.follows.values()):
                follow.on_final(blocks)

    def _tell_storage(self, block: Block) -> None:
        if not self._storage:
            return
        try:
            state = self._service.node.chain.at(block.hash)[1]
        except StatePruned:
            return  # the node is blocks ahead: a later one tells what changed
        watched = {key for known in self._storage.values() for key in known}
        now = {key: state.get(key) for key in watched}
        for subscription, known in tuple(self._storage.items()):
            changed = [(key, now[key]) for key, before in known.items() if now[key] != before]
            if changed:
                known.update(changed)
                subscription.send(_changes_json(block, changed))

    async def next_block(self) -> None:
        """Waits for the next best block."""
        await self._next_block.wait()

    # -- subscribing

    def heads(self, connection: Connection, notification: str, kind: str) -> Subscription:
        """Best or final heads, beginning with the present one."""
        subscription = connection.subscribe(notification, self._heads[kind].discard)
        block = self._best if kind == "best" else self._service.node.chain.block(self._final)
        subscription.send(header_json(block))
        self._heads[kind].add(subscription)
        return subscription

    def storage(self, connection: Connection, keys: list[bytes]) -> Subscription:
        """Changes of these keys, beginning with their present values. Raises RpcError for too many."""
        ours = [self._storage[one] for one in connection.subscriptions.values() if one in self._storage]
        if sum(map(len, ours)) + len(keys) > MAX_WATCHED_KEYS:
            raise RpcError(TOO_MANY_KEYS, f"a connection can watch at most {MAX_WATCHED_KEYS} keys")
        block, state = self._service.node.chain.at(self._best.hash)
        subscription = connection.subscribe("state_storage", self._forget_storage)
        values = {key: state.get(key) for key in keys}
        self._storage[subscription] = values
        subscription.send(_changes_json(block, list(values.items())))
        return subscription

    def _forget_storage(self, ended: Subscription) -> None:
        self._storage.pop(ended, None)

    def version(self, connection: Connection) -> Subscription:
        """The runtime's version, beginning with the present one."""
        subscription = connection.subscribe("state_runtimeVersion", self._versions.discard)
        self._versions.add(subscription)
        subscription.send(self._service.version.as_json())
        return subscription

    def watch(self, connection: Connection, tx_hash: bytes) -> Subscription:
        """What becomes of a transaction, as `author_submitAndWatchExtrinsic` tells it."""

        def tell(status: str, value: bytes | None) -> None:
            shown: Any = status if value is None else {status: hex_of(value)}
            if status == "finalized":
                asyncio.get_running_loop().call_later(FINALIZED_PAUSE, _send_last, subscription, shown)
            elif status in ENDS:
                _send_last(subscription, shown)
            else:
                subscription.send(shown)

        subscription = connection.subscribe("author_extrinsicUpdate", lambda _ended: forget())
        forget = self.watches.add(tx_hash, tell)
        return subscription

    async def follow(self, connection: Connection, *, with_runtime: bool) -> Subscription:
        """The head of the chain, as `chainHead_v1_follow` tells it."""
        service = self._service
        versions: list[RuntimeVersion] = []
        best = None
        while best is not self._best:  # until no block comes in between
            best, final = self._best, self._final
            if with_runtime:
                versions = await service.run(self._runtimes, final, best.number)
        subscription = connection.subscribe("chainHead_v1_followEvent", self._forget_follow)
        follow = self.follows[subscription] = Follow(service, subscription, with_runtime=with_runtime)
        follow.begin(best, final, versions)
        return subscription

    def _runtimes(self, first: int, last: int) -> list[RuntimeVersion]:
        node = self._service.node
        return [node.version(node.chain.block(number).hash) for number in range(first, last + 1)]

    def _forget_follow(self, ended: Subscription) -> None:
        follow = self.follows.pop(ended, None)
        if follow is not None:
            follow.close()

    def broadcasts(self, connection: Connection) -> Broadcasts:
        """The broadcasts of a connection; they end with it."""
        found = self._broadcasts.get(connection)
        if found is None:
            found = self._broadcasts[connection] = Broadcasts()
            connection.on_close(lambda: self._forget_broadcasts(connection))
        return found

    def _forget_broadcasts(self, connection: Connection) -> None:
        broadcasts = self._broadcasts.pop(connection, None)
        if broadcasts is not None:
            broadcasts.close()


def _send_last(subscription: Subscription, last: Any) -> None:
    if not subscription.ended:
        subscription.send(last)
        subscription.end()


def _changes_json(block: Block, changes: list[tuple[bytes, bytes | None]]) -> dict[str, Any]:
    return {
        "block": hex_of(block.hash),
        "changes": [[hex_of(key), optional_hex(value)] for key, value in changes],
    }
