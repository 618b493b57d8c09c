"""The chain's time, in the hands of a test: blocks come one after another, more slowly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llmnet.chain import ChainError, Client

BLOCK_SECONDS = 0.35
SLOW_SECONDS = 1.0
RETRY_SECONDS = 0.2
PEER_BLOCK_SECONDS = 1.6


class Clock:
    """Asks a node with `--seal manual` for its blocks. Deadlines are blocks: a slow machine misses none while time stands still."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._hand = asyncio.Lock()
        self.seconds = BLOCK_SECONDS

    async def run(self) -> None:
        """Make blocks until cancelled; a node that is gone is asked again."""
        while True:
            async with self._hand:
                await self._try_tick()
            await asyncio.sleep(self.seconds)

    async def _try_tick(self) -> None:
        try:
            await self.tick()
        except ChainError:
            await asyncio.sleep(RETRY_SECONDS)

    async def tick(self, count: int = 1) -> None:
        """Make blocks now."""
        await self._client.request("dev_newBlock", count)

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """Nobody but the caller makes blocks."""
        async with self._hand:
            yield

    @asynccontextmanager
    async def slowed(self) -> AsyncIterator[None]:
        """Blocks come slowly: for daemons that have to find the node again."""
        before, self.seconds = self.seconds, SLOW_SECONDS
        try:
            yield
        finally:
            self.seconds = before


class PeerClock(Clock):
    """The same face for polkadot-sdk's node, whose time nobody holds: its blocks come at an interval, and a tick waits for the next."""

    async def run(self) -> None:
        """Blocks come by themselves."""
        await asyncio.Event().wait()

    async def tick(self, count: int = 1) -> None:
        """Wait for so many more blocks."""
        goal = (await self._client.head()).number + count
        while (await self._client.head()).number < goal:
            await asyncio.sleep(PEER_BLOCK_SECONDS / 10)
