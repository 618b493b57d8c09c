"""Keeps a node running inside an event loop: a thread for the runtime, the seal that makes blocks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, ParamSpec, TypeVar

from llmnet.devnode.block import Block
from llmnet.devnode.errors import DevnodeError
from llmnet.devnode.node import Node, Produced

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")

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
        self.block_listeners: list[Callable[[Block], None]] = []
        self.status_listeners: list[StatusListener] = []
        self._on_produced = on_produced
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="runtime")
        self._wake = asyncio.Event()
        self._closed = False
        node.on_block(lambda block: self._from_thread(self._tell_block, block))
        node.on_status(lambda *status: self._from_thread(self._tell_status, *status))
        run = {"instant": self._seal_instantly, "interval": self._seal_by_clock}.get(self.seal.mode)
        self._sealing = None if run is None else self._loop.create_task(run(), name=f"seal-{self.seal.mode}")

    def _from_thread(self, function: Callable[_P, None], *args: _P.args, **kwargs: _P.kwargs) -> None:
        if not self._closed:
            self._loop.call_soon_threadsafe(lambda: function(*args, **kwargs))

    def _tell_block(self, block: Block) -> None:
        for listener in tuple(self.block_listeners):
            listener(block)

    def _tell_status(self, tx_hash: bytes, status: str, value: bytes | None) -> None:
        if status == "ready":
            self._wake.set()
        for listener in tuple(self.status_listeners):
            listener(tx_hash, status, value)

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Runs a call that takes the runtime or the pool in the node's thread, in order."""
        return await self._loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))

    async def produce(self) -> Produced:
        """Makes a block now."""
        produced = await self.run(self.node.produce_block)
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
        if self._sealing is not None:
            self._sealing.cancel()
            await asyncio.gather(self._sealing, return_exceptions=True)
        await self._loop.run_in_executor(None, self._thread.shutdown)
        self.node.close()
