"""Serves a FakeNode over a real WebSocket on a port of the system's choice, as badly as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from llmnet.chain import RpcError, Subscription

from .node import FakeNode

Fault = Callable[["NodeServer", ServerConnection, dict[str, Any]], Awaitable[bool]]


class NodeServer:
    """`fault` sees each request before it is answered; it returns True if it has dealt with it itself.

    `twice`: every frame is sent twice."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self.fault: Fault | None = None
        self.twice = False
        self.connections: set[ServerConnection] = set()
        self.accepted = 0
        self.seen: list[str] = []
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: Server | None = None
        self._port = 0
        self._names = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    async def start(self) -> None:
        self._server = await serve(self._serve, "127.0.0.1", self._port, compression=None, close_timeout=0.2)
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Ends all subscriptions."""
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def cut(self) -> None:
        """Every connection dies without a goodbye."""
        for connection in list(self.connections):
            connection.transport.abort()

    async def _serve(self, connection: ServerConnection) -> None:
        self.accepted += 1
        self.connections.add(connection)
        with contextlib.suppress(ConnectionClosed):
            async for frame in connection:
                request = json.loads(frame)
                self.seen.append(request["method"])
                if self.fault is None or not await self.fault(self, connection, request):
                    await self.answer(connection, request)
        self.connections.discard(connection)

    async def send(self, connection: ServerConnection, message: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(2 if self.twice else 1):
                await connection.send(json.dumps(message))

    async def answer(self, connection: ServerConnection, request: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        method, params = request["method"], request["params"]
        answers, streams = self.node.answers(), self.node.streams()
        try:
            if method in streams:
                reply["result"] = self._open(connection, streams[method], params)
            elif method in answers:
                reply["result"] = answers[method](*params)
            elif "nsub" in method or "nwatch" in method:
                reply["result"] = True
            else:
                reply["error"] = {"code": -32601, "message": "Method not found"}
        except RpcError as error:
            reply["error"] = {"code": error.code, "message": error.message, "data": error.data}
        await self.send(connection, reply)

    def _open(self, connection: ServerConnection, opener: Callable[..., Any], params: list[Any]) -> str:
        async def nothing() -> None:
            return None

        self._names += 1
        name = f"sub{self._names}"
        subscription = Subscription(nothing)
        opener(subscription, *params)
        pump = asyncio.create_task(self._pump(connection, name, subscription))
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)
        return name

    async def _pump(self, connection: ServerConnection, name: str, subscription: Subscription) -> None:
        await asyncio.sleep(0)  # after the answer that names it
        async for item in subscription:
            await self.send(
                connection,
                {"jsonrpc": "2.0", "method": "x", "params": {"subscription": name, "result": item}},
            )
