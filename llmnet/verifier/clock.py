"""The chain's time: the number of the best block, and waiting for a later one."""

from __future__ import annotations

import asyncio


class Clock:
    """Only whoever looks at the chain calls `advance`."""

    def __init__(self) -> None:
        self.now = 0
        self._moved = asyncio.Event()

    def advance(self, block: int) -> None:
        """The best block is `block`. The clock never goes back."""
        if block > self.now:
            self.now = block
            self._moved.set()
            self._moved = asyncio.Event()

    async def reach(self, block: int) -> None:
        """Wait until the best block is at least `block`."""
        while self.now < block:
            await self._moved.wait()
