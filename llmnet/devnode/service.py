"""Keeps a node running inside an event loop: a thread for the runtime, the seal that makes blocks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, ParamSpec, TypeVar

from llmnet.devnode.block import Block
from llmnet.devnode.errors import DevnodeError
from llmnet.devnode.node import Node, Produced
from llmnet.devnode.runtime_api import RuntimeVersion
from llmnet.devnode.runtime_thread import RuntimeThread

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")

# Waiting transactions that are checked again in one go, about a millisecond each.
_MAINTENANCE_SLICE = 8

SealMode = Literal["instant", "interval", "manual"]


@dataclass(frozen=True)
class Seal:
    """When blocks are made: as soon as a transaction is ready, every `seconds`, or only when asked."""

    mode: SealMode = "manual"
    seconds: float = 1.0


StatusListener = Callable[[bytes, str, bytes | None], None]


class NodeService:
    """A node with its seal. Create and use it inside a running event loop; `close` when done."""

    def __init__(
        self, node: Node, seal: Seal | None = None, *, on_produced: Callable[[Produced], None] | None = None
    ) -> None:
        self.node = node
        self.seal = seal or Seal()
        self.version = node.version()
        self.version_listeners: list[Callable[[RuntimeVersion], None]] = []
        self.block_listeners: list[Callable[[Block], None]] = []
        self.status_listeners: list[StatusListener] = []
        self._on_produced = on_produced
        self._loop = asyncio.get_running_loop()
        self._thread = RuntimeThread()
        self._wake = asyncio.Event()
        self._closed = False
        node.maintains_pool = False
        self._maintenance: asyncio.Task[None] | None = None
        node.on_block(self._on_block)
        node.on_status(lambda *status: self._from_thread(self._tell_status, *status))
        run = {"instant": self._seal_instantly, "interval": self._seal_by_clock}.get(self.seal.mode)
        self._sealing = None if run is None else self._loop.create_task(run(), name=f"seal-{self.seal.mode}")

    def _from_thread(self, function: Callable[_P, None], *args: _P.args, **kwargs: _P.kwargs) -> None:
        if not self._closed:
            self._loop.call_soon_threadsafe(lambda: function(*args, **kwargs))

    def _on_block(self, block: Block) -> None:
        """Passes a block on to the event loop; a new runtime is loaded here, in the producing thread."""
        try:
            version: RuntimeVersion | None = self.node.version(block.hash)
        except DevnodeError as error:
            _log.error("the runtime after block %d cannot be used: %s", block.number, error)
            version = None
        self._from_thread(self._tell_block, block, version)

    def _tell_block(self, block: Block, version: RuntimeVersion | None) -> None:
        if version is not None and version != self.version:
            self.version = version
            for tell in tuple(self.version_listeners):
                tell(version)
        for listener in tuple(self.block_listeners):
            listener(block)
        if self._maintenance is None or self._maintenance.done():
            self._maintenance = self._loop.create_task(self._maintain_pool(), name="pool-maintenance")

    async def _maintain_pool(self) -> None:
        """Checks waiting transactions again, a few at a time, so that whatever comes can go in between."""
        left = self.node.config.pool.revalidated_per_block
        while left > 0 and len(self.node.pool):
            asked = await self.run(self.node.maintain_pool, min(left, _MAINTENANCE_SLICE))
            left -= asked
            if asked < _MAINTENANCE_SLICE:
                return

    def _tell_status(self, tx_hash: bytes, status: str, value: bytes | None) -> None:
        if status == "ready":
            self._wake.set()
        for listener in tuple(self.status_listeners):
            listener(tx_hash, status, value)

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Runs a call that takes the runtime or the pool in the node's thread, in order."""
        return await asyncio.wrap_future(self._thread.submit(lambda: function(*args, **kwargs)))

    async def produce(self, extrinsics: Sequence[bytes] = ()) -> Produced:
        """Makes a block now, with these extrinsics first; it goes before all calls that wait."""
        given = [extrinsics] if extrinsics else []
        job = self._thread.submit(lambda: self.node.produce_block(*given), urgent=True)
        produced = await asyncio.wrap_future(job)
        if self._on_produced is not None:
            self._on_produced(produced)
        return produced

    async def _try_produce(self) -> bool:
        """Makes a block; a failure is logged and the node goes on."""
        try:
            await self.produce()
        except DevnodeError as error:
            _log.error("no block was made: %s", error)
            return False
        return True

    async def _seal_by_clock(self) -> None:
        due = self._loop.time() + self.seal.seconds
        while True:
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._try_produce()
            # A late block moves the schedule; missed ones are not made up for.
            due = max(due + self.seal.seconds, self._loop.time())

    async def _seal_instantly(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            before = self.node.pool.ready_count
            while before and await self._try_produce():
                left = self.node.pool.ready_count
                before = left if left < before else 0

    async def close(self) -> None:
        """Ends sealing, lets the block in progress finish and closes the node."""
        self._closed = True
        tasks = [task for task in (self._sealing, self._maintenance) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.run_in_executor(None, self._thread.shutdown)
        self.node.close()
