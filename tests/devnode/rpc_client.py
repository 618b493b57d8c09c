"""A WebSocket client for tests, and what goes with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from llmnet.devnode import Server


class Client:
    """A WebSocket client that sorts answers from notifications."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.notes: list[dict[str, Any]] = []
        self._id = 0

    async def call(self, method: str, *params: Any) -> Any:
        self._id += 1
        await self.socket.send(
            json.dumps({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})
        )
        while True:
            message = json.loads(await asyncio.wait_for(self.socket.recv(), 20))
            if message.get("id") == self._id:
                return message["result"] if "result" in message else message["error"]
            self.notes.append(message)

    async def note(self, subscription: str) -> Any:
        """The next notification of a subscription."""
        while True:
            for note in self.notes:
                if note["params"]["subscription"] == subscription:
                    self.notes.remove(note)
                    return note["params"]["result"]
            self.notes.append(json.loads(await asyncio.wait_for(self.socket.recv(), 20)))


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[Client]:
    async with connect(server.url, max_size=None, compression=None) as socket:
        yield Client(socket)


async def post(server: Server, body: Any, **rest: Any) -> httpx.Response:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    async with httpx.AsyncClient() as http:
        return await http.post(server.url.replace("ws", "http", 1), content=content, **rest)


def request(method: str, *params: Any, number: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
