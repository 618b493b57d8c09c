"""Blocks and events in order and without gap, whatever happens to the connection.

Every block is walked by number from the cursor on; a subscription only says when there is more. So a lost,
late or duplicated notification cannot lose a block."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from llmnet.chain.errors import BlockNotFound, CursorMismatch, TransportClosed, TransportError
from llmnet.chain.results import Block, Cursor
from llmnet.chain.rpc import Rpc, block_number
from llmnet.chain.runtimes import Runtimes
from llmnet.chain.transport import Subscription
from llmnet.chain.view import View

log = logging.getLogger(__name__)
CHUNK = 8  # blocks read at once while catching up
HISTORY = 1024  # how deep a reorganisation of the best chain may go
QUIET = 15.0  # seconds without a notification after which the node is asked: it may have been lost
_PAUSE = 0.1  # seconds after a lost subscription; the transport has its own back-off


class Follower:
    """One walk along the finalised chain, or along the best one with its reorganisations."""

    def __init__(self, rpc: Rpc, runtimes: Runtimes, finalized: bool, quiet: float = QUIET) -> None:
        self._rpc, self._runtimes, self._finalized, self._quiet = rpc, runtimes, finalized, quiet
        self._history: deque[Cursor] = deque(maxlen=1 if finalized else HISTORY)
        self._retracts: list[bytes] = []
        self._next = 0

    async def blocks(self, from_block: int | None, after: Cursor | None) -> AsyncGenerator[Block, None]:
        """Endless. Raises CursorMismatch, TransportClosed and decoding errors; a lost node is waited for."""
        await self._start(from_block, after)
        while True:
            try:
                async with (
                    await self._subscribe() as subscription,
                    aclosing(self._walk(subscription)) as walk,
                ):
                    async for block in walk:
                        yield block
            except TransportClosed:
                raise
            except TransportError as error:
                log.info("following goes on at block %d after: %s", self._next, error)
            await asyncio.sleep(_PAUSE)

    async def _start(self, from_block: int | None, after: Cursor | None) -> None:
        if after is not None:
            self._history.append(after)
            self._next = after.number + 1
        elif from_block is not None:
            self._next = from_block
        else:
            self._next = await self._head() + 1

    async def _subscribe(self) -> Subscription:
        kind = "Finalized" if self._finalized else "New"
        method = f"chain_subscribe{kind}Heads"
        return await self._rpc.transport.subscribe(method, [], f"chain_unsubscribe{kind}Heads")

    async def _head(self) -> int:
        head = await self._rpc.finalized_hash() if self._finalized else await self._rpc.block_hash()
        assert head is not None
        return (await self._rpc.header(head)).number

    async def _walk(self, subscription: Subscription) -> AsyncGenerator[Block, None]:
        head = await self._head()
        if head + 1 < self._next:
            log.warning("the node's head is block %d, before our cursor %d: waiting", head, self._next - 1)
        while True:
            while self._next <= head:
                for block in await self._read(head):
                    if not await self._continues(block):
                        break
                    linked = Block(block.header, block.events, tuple(self._retracts))
                    self._retracts.clear()
                    self._history.append(block.cursor)
                    self._next = block.number + 1
                    yield linked
            try:
                async with asyncio.timeout(self._quiet):
                    head = block_number(await anext(subscription))
            except TimeoutError:
                head = await self._head()

    async def _read(self, head: int) -> list[Block]:
        """The next few blocks, read at once."""
        numbers = range(self._next, min(self._next + CHUNK, head + 1))
        return list(await asyncio.gather(*(self._block(number) for number in numbers)))

    async def _block(self, number: int) -> Block:
        block_hash = await self._rpc.block_hash(number)
        if block_hash is None:
            raise BlockNotFound(f"the node announced block {number} and does not have it")
        view = View(self._rpc, self._runtimes, block_hash)
        return Block(await view.header(), await view.events())

    async def _continues(self, block: Block) -> bool:
        """Whether the block's parent is the last one that was yielded; if not, goes back to where the chains
        part."""
        if not self._history or block.header.parent == self._history[-1].hash:
            return True
        last = self._history[-1]
        if self._finalized:
            raise CursorMismatch(
                f"block {block.number} does not follow block {last.number} (0x{last.hash.hex()}):"
                " another or a reset chain"
            )
        while (
            self._history and await self._rpc.block_hash(self._history[-1].number) != self._history[-1].hash
        ):
            self._retracts.append(self._history.pop().hash)
        if not self._history:
            raise CursorMismatch(
                f"no common block with the chain at block {block.number} within {HISTORY} blocks"
            )
        self._next = self._history[-1].number + 1
        return False
