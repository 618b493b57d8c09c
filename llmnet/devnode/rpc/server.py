"""Serves JSON-RPC over WebSocket and HTTP POST on one port, with limits on everything a client can send."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from llmnet.devnode.errors import ServerError
from llmnet.devnode.node import Node, Produced
from llmnet.devnode.rpc.connection import Connection, Subscription
from llmnet.devnode.rpc.dispatch import answer
from llmnet.devnode.rpc.errors import REQUEST_TOO_BIG, RpcError
from llmnet.devnode.rpc.hub import Hub
from llmnet.devnode.rpc.registry import Context
from llmnet.devnode.service import NodeService, Seal

_log = logging.getLogger(__name__)
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_LOCAL_ORIGINS = ("localhost", "127.0.0.1", "::1", "polkadot.js.org")
_TRY_AGAIN_LATER, _FORBIDDEN = 1013, 403
_GOODBYE_SECONDS = 1.0


@dataclass(frozen=True)
class Limits:
    """What a client may do.

    `origins`: web pages allowed beside local ones and polkadot.js.org; "*" allows all.
    """

    request_bytes: int = 15 * 1024 * 1024
    response_bytes: int = 15 * 1024 * 1024
    batch: int = 512
    connections: int = 256
    in_flight: int = 64
    subscriptions: int = 1024
    queue: int = 4096
    queue_bytes: int = 32 * 1024 * 1024
    origins: tuple[str, ...] = ()


class RpcApp:
    """The ASGI application."""

    def __init__(self, service: NodeService, limits: Limits) -> None:
        self._service = service
        self._limits = limits
        self._hub = Hub(service)
        self.connections = 0

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answers one HTTP request or serves one WebSocket."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    def _may_come(self, scope: _Message) -> bool:
        """Programs send no Origin; web pages must be local or allowed, or any page could drive the node."""
        origin = next(
            (value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None
        )
        allowed = self._limits.origins
        return (
            origin is None
            or "*" in allowed
            or origin in allowed
            or urlsplit(origin).hostname in _LOCAL_ORIGINS
        )

    # -- HTTP

    async def _http(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if not self._may_come(scope):
            await _respond(send, _FORBIDDEN, {"error": "this origin is not allowed"})
        elif scope["method"] == "GET" and scope["path"] == "/health":
            best = self._service.node.best.number
            await _respond(
                send, 200, {"peers": 0, "isSyncing": False, "shouldHavePeers": False, "best": best}
            )
        elif scope["method"] != "POST":
            await _respond(
                send, 405, {"error": "send JSON-RPC 2.0 by POST or over a WebSocket"}, [(b"allow", b"POST")]
            )
        else:
            await self._post(receive, send)

    async def _post(self, receive: _Receive, send: _Send) -> None:
        body = await self._body(receive)
        if body is None:
            error = RpcError(
                REQUEST_TOO_BIG, "Request is too big", f"Exceeded max limit of {self._limits.request_bytes}"
            )
            await _respond(send, 413, {"jsonrpc": "2.0", "id": None, "error": error.as_json()})
            return
        context = Context(self._service, self._hub, None)
        text, _ = await self._answer(context, body)
        await _respond(send, 200 if text is not None else 204, text or "")

    async def _body(self, receive: _Receive) -> bytes | None:
        """The request's body, None if it is too big (the rest is then not read)."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b""
            part = message.get("body", b"")
            size += len(part)
            if size > self._limits.request_bytes:
                return None
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)

    async def _answer(self, context: Context, text: str | bytes) -> tuple[str | None, list[Subscription]]:
        return await answer(
            context, text, max_batch=self._limits.batch, max_bytes=self._limits.response_bytes
        )

    # -- WebSocket

    async def _websocket(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        await receive()
        if not self._may_come(scope) or self.connections >= self._limits.connections:
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})  # before accept: HTTP 403
            return
        await send({"type": "websocket.accept"})
        limits = self._limits
        connection = Connection(limits.queue, limits.queue_bytes, limits.subscriptions)
        self.connections += 1
        loop = asyncio.get_running_loop()
        tasks = [
            loop.create_task(self._read(connection, receive)),
            loop.create_task(_write(connection, send)),
            loop.create_task(connection.overrun.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.connections -= 1
            connection.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if connection.overrun.is_set():
            _log.warning("a client does not read what it asked for and is disconnected")
            # Who does not read may not even take this; uvicorn drops the socket when we return.
            with contextlib.suppress(OSError, RuntimeError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER, "reason": "too slow"})

    async def _read(self, connection: Connection, receive: _Receive) -> None:
        """Starts an answer for each request; at most `in_flight` at a time, then reading pauses."""
        context = Context(self._service, self._hub, connection)
        slots = asyncio.Semaphore(self._limits.in_flight)
        async with asyncio.TaskGroup() as group:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    break
                await slots.acquire()
                text = message.get("text") or message.get("bytes") or b""
                group.create_task(self._reply(context, connection, text, slots))

    async def _reply(
        self, context: Context, connection: Connection, text: str | bytes, slots: asyncio.Semaphore
    ) -> None:
        try:
            reply, started = await self._answer(context, text)
            if reply is not None:
                connection.send(reply)
            for subscription in started:
                subscription.activate()
        finally:
            slots.release()


async def _write(connection: Connection, send: _Send) -> None:
    while True:
        await send({"type": "websocket.send", "text": await connection.next_message()})


async def _respond(
    send: _Send, status: int, body: Any, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    length = [] if status == 204 else [(b"content-length", str(len(data)).encode())]
    start = [(b"content-type", b"application/json"), *length, *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": data})


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever runs the event loop, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@dataclass(frozen=True)
class Server:
    """A running server."""

    service: NodeService
    host: str
    port: int

    @property
    def url(self) -> str:
        """Where WebSocket clients connect."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}"


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(found[0], socket.SOCK_STREAM)
    except OSError as error:
        raise ServerError(f"cannot serve {host}: {error.strerror or error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[4])
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ServerError(
            f"cannot serve {host}:{port}: {error.strerror or error} (choose another --port)"
        ) from None
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def serve(
    node: Node,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    seal: Seal | None = None,
    limits: Limits | None = None,
    on_produced: Callable[[Produced], None] | None = None,
) -> AsyncIterator[Server]:
    """Serves `node` (which is closed at the end) while the block runs; port 0 lets the system choose.

    Raises ServerError if the address cannot be used.
    """
    bounds = limits or Limits()
    listener = _listen(host, port)
    service = NodeService(node, seal, on_produced=on_produced)
    config = uvicorn.Config(
        RpcApp(service, bounds),
        http="h11",
        ws="websockets-sansio",
        ws_max_size=bounds.request_bytes,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = _Uvicorn(config)
    running = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]), name="rpc-server")
    try:
        listening = asyncio.ensure_future(server.listening.wait())
        await asyncio.wait({listening, running}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        yield Server(service, host, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await asyncio.gather(running, return_exceptions=True)
        listener.close()
        await service.close()
