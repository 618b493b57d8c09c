"""One heavy job at a time, the most urgent first."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Turns:
    """A lock that is handed to the waiter with the lowest priority number; among equals to the one who came first."""

    def __init__(self) -> None:
        self._busy = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = count()

    @asynccontextmanager
    async def turn(self, priority: int) -> AsyncIterator[None]:
        """Wait for the turn, and pass it on at the end."""
        if self._busy:
            await self._wait(priority)
        self._busy = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, priority: int) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._arrivals), future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # the turn had come already: somebody else needs it
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """The lock stays busy while it is handed over, so that nobody slips in between."""
        while self._waiting:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
                return
        self._busy = False
