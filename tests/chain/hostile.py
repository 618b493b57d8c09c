"""A line between client and node that drops, delays, doubles, garbles and cuts frames at random, from a seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException

End = ClientConnection | ServerConnection


@dataclass(frozen=True)
class Rates:
    """Chances a frame, in either direction; `delay` in seconds at most."""

    drop: float = 0.01
    double: float = 0.02
    late: float = 0.05
    garble: float = 0.002
    cut: float = 0.003
    delay: float = 0.2


class HostileLine:
    """A WebSocket relay. What it did is counted in `done`."""

    def __init__(self, upstream: str, seed: int, rates: Rates | None = None) -> None:
        self._upstream, self._rates, self._dice = upstream, rates or Rates(), random.Random(seed)
        self.done: Counter[str] = Counter()
        self._late: set[asyncio.Task[None]] = set()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def __aenter__(self) -> HostileLine:
        self._server = await serve(
            self._relay, "127.0.0.1", 0, compression=None, close_timeout=0.2, max_size=1 << 26
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        for task in list(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    async def _relay(self, near: ServerConnection) -> None:
        try:
            async with connect(
                self._upstream, compression=None, max_size=1 << 26, close_timeout=0.2, proxy=None
            ) as far:
                pumps = [
                    asyncio.create_task(self._pump(near, far)),
                    asyncio.create_task(self._pump(far, near)),
                ]
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                near.transport.abort()
                far.transport.abort()
                await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, TimeoutError, WebSocketException):  # the node is away
            near.transport.abort()

    async def _pump(self, source: End, sink: End) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in source:
                if not await self._pass_on(frame, sink):
                    return

    async def _pass_on(self, frame: str | bytes, sink: End) -> bool:
        """False if the line is to be cut."""
        rates, fate = self._rates, self._dice.random()
        for name in ("drop", "cut", "garble", "late", "double"):
            chance = getattr(rates, name)
            if fate < chance:
                break
            fate -= chance
        else:
            name = "pass"
        self.done[name] += 1
        if name == "cut":
            return False
        if name == "garble":
            await sink.send(frame[: self._dice.randrange(len(frame) or 1)])
        elif name == "late":
            task = asyncio.create_task(self._send_late(frame, sink, self._dice.uniform(0, rates.delay)))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        elif name != "drop":
            for _ in range(2 if name == "double" else 1):
                await sink.send(frame)
        return True

    @staticmethod
    async def _send_late(frame: str | bytes, sink: End, seconds: float) -> None:
        await asyncio.sleep(seconds)
        with contextlib.suppress(ConnectionClosed):
            await sink.send(frame)
