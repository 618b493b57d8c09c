"""JSON-RPC over WebSocket and HTTP POST as an ASGI application, with limits on everything a client can do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from llmnet.devnode.rpc.connection import Backlog, Connection, Subscription
from llmnet.devnode.rpc.dispatch import answer
from llmnet.devnode.rpc.errors import REQUEST_TOO_BIG, RpcError
from llmnet.devnode.rpc.hub import Hub
from llmnet.devnode.rpc.metrics import CONTENT_TYPE, Metrics
from llmnet.devnode.rpc.registry import Context
from llmnet.devnode.service import NodeService

_log = logging.getLogger(__name__)
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_LOCAL_ORIGINS = ("localhost", "127.0.0.1", "::1", "polkadot.js.org")
_TRY_AGAIN_LATER, _FORBIDDEN = 1013, 403
_GOODBYE_SECONDS = 1.0


MethodSet = Literal["auto", "safe", "unsafe"]


@dataclass(frozen=True)
class Limits:
    """What a client may do.

    `queue`, `queue_bytes`: notifications that may wait for a client; `pause_bytes`: with more than that
    waiting, its requests are not read; `backlog_bytes`: what may wait for all clients together; `stall_seconds`:
    how long a client may take to read one message, or to send one by POST. `methods`: whether `unsafe` methods can be called, `auto` if
    only this machine can reach the node. `origins`: web pages allowed beside local ones and polkadot.js.org;
    "*" or "all" allows all.
    """

    request_bytes: int = 15 * 1024 * 1024
    response_bytes: int = 15 * 1024 * 1024
    batch: int = 512
    connections: int = 256
    in_flight: int = 16
    subscriptions: int = 1024
    queue: int = 4096
    queue_bytes: int = 32 * 1024 * 1024
    pause_bytes: int = 1024 * 1024
    backlog_bytes: int = 128 * 1024 * 1024
    stall_seconds: float = 30.0
    methods: MethodSet = "auto"
    origins: tuple[str, ...] = ()


class RpcApp:
    """The ASGI application. `unsafe`: whether methods may be called that are for the node's operator."""

    def __init__(self, service: NodeService, limits: Limits, *, unsafe: bool = True) -> None:
        self._service = service
        self._limits = limits
        self._unsafe = unsafe
        self.hub = Hub(service)
        self.backlog = Backlog(limits.backlog_bytes)
        self.metrics = Metrics()
        self.connections = 0
        self.posts = 0
        service.block_listeners.append(self.metrics.on_block)

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
            or "all" in allowed
            or origin in allowed
            or _host_of(origin) in _LOCAL_ORIGINS
        )

    # -- HTTP

    async def _http(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if not self._may_come(scope):
            await _respond(send, _FORBIDDEN, {"error": "this origin is not allowed"})
            return
        cors = _cors_headers(scope)
        if scope["method"] == "OPTIONS":
            await _respond(send, 204, "", [*cors, (b"allow", b"POST, OPTIONS, GET")])
        elif scope["method"] == "GET" and scope["path"] == "/health":
            await _respond(send, 200, self._health(), cors)
        elif scope["method"] == "GET" and scope["path"] == "/health/readiness":
            await _respond(send, 200, {}, cors)
        elif scope["method"] != "POST":
            await _respond(
                send,
                405,
                {"error": "send JSON-RPC 2.0 by POST or over a WebSocket"},
                [*cors, (b"allow", b"POST")],
            )
        elif self.posts >= self._limits.connections:
            await _respond(
                send, 503, {"error": "too many requests at a time"}, [*cors, (b"retry-after", b"1")]
            )
        else:
            self.posts += 1
            try:
                await self._post(receive, send, cors)
            finally:
                self.posts -= 1

    def _health(self) -> dict[str, Any]:
        best = self._service.node.best.number
        return {"peers": 0, "isSyncing": False, "shouldHavePeers": False, "best": best}

    async def _post(self, receive: _Receive, send: _Send, cors: list[tuple[bytes, bytes]]) -> None:
        try:
            async with asyncio.timeout(self._limits.stall_seconds):
                body = await self._body(receive)
        except TimeoutError:
            await _respond(send, 408, {"error": "the request did not come in time"}, cors)
            return
        if body is None:
            error = RpcError(
                REQUEST_TOO_BIG, "Request is too big", f"Exceeded max limit of {self._limits.request_bytes}"
            )
            await _respond(send, 413, {"jsonrpc": "2.0", "id": None, "error": error.as_json()}, cors)
            return
        text, _ = await self._answer(self._context(None), body)
        await _respond(send, 200 if text is not None else 204, text or "", cors)

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

    def _context(self, connection: Connection | None) -> Context:
        return Context(self._service, self.hub, connection, self.metrics, self._unsafe)

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
        connection = self._connection()
        self.connections += 1
        self.metrics.opened += 1
        loop = asyncio.get_running_loop()
        tasks = [
            loop.create_task(self._read(connection, receive)),
            loop.create_task(self._write(connection, send)),
            loop.create_task(connection.overrun.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.connections -= 1
            self.metrics.closed += 1
            connection.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if connection.overrun.is_set():
            self.metrics.cut_off += 1
            _log.warning("a client does not read what it asked for and is disconnected")
            # Who does not read may not even take this; uvicorn drops the socket when we return.
            with contextlib.suppress(OSError, RuntimeError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER, "reason": "too slow"})

    def _connection(self) -> Connection:
        limits = self._limits
        return Connection(
            limits.queue,
            limits.queue_bytes,
            limits.subscriptions,
            pause_bytes=limits.pause_bytes,
            backlog=self.backlog,
        )

    async def _read(self, connection: Connection, receive: _Receive) -> None:
        """Starts an answer for each request; reading pauses while many are being answered or not yet read."""
        context = self._context(connection)
        slots = asyncio.Semaphore(self._limits.in_flight)
        async with asyncio.TaskGroup() as group:
            while True:
                await connection.room()
                await slots.acquire()
                message = await receive()
                if message["type"] != "websocket.receive":
                    break
                text = message.get("text") or message.get("bytes") or b""
                group.create_task(self._reply(context, connection, text, slots))

    async def _reply(
        self, context: Context, connection: Connection, text: str | bytes, slots: asyncio.Semaphore
    ) -> None:
        try:
            reply, started = await self._answer(context, text)
            if reply is not None:
                connection.reply(reply)
            for subscription in started:
                subscription.activate()
        finally:
            slots.release()

    async def _write(self, connection: Connection, send: _Send) -> None:
        """Writes out what waits; a client that takes too long for one message is cut off."""
        while True:
            text = await connection.next_message()
            try:
                async with asyncio.timeout(self._limits.stall_seconds):
                    await send({"type": "websocket.send", "text": text})
            except TimeoutError:
                connection.cut_off()
                return

    async def metrics_page(self, scope: _Message, _receive: _Receive, send: _Send) -> None:
        """The ASGI application of the metrics' own port."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/metrics" and scope["method"] in ("GET", "HEAD"):
            await _respond(
                send, 200, self.metrics.render(self._service, self.backlog.bytes), kind=CONTENT_TYPE
            )
        else:
            await _respond(send, 404, {"error": "the metrics are at /metrics"})


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:  # whoever sends that is no web page
        return None


def _cors_headers(scope: _Message) -> list[tuple[bytes, bytes]]:
    """What lets the web page of an allowed origin read the answer."""
    origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
    if origin is None:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
        (b"access-control-allow-headers", b"content-type"),
        (b"vary", b"origin"),
    ]


async def _respond(
    send: _Send,
    status: int,
    body: Any,
    headers: list[tuple[bytes, bytes]] | None = None,
    kind: str = "application/json",
) -> None:
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    length = [] if status == 204 else [(b"content-length", str(len(data)).encode())]
    start = [(b"content-type", kind.encode()), *length, *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": data})
