"""Serves a node: sockets, the servers on them, and what is closed with them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from llmnet.devnode.errors import ServerError
from llmnet.devnode.node import Node, Produced
from llmnet.devnode.rpc.app import Limits, RpcApp
from llmnet.devnode.service import NodeService, Seal

_METRICS_READERS = 16


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
    app: RpcApp
    metrics_port: int | None = None

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
            f"cannot serve {host}:{port}: {error.strerror or error} (choose another port)"
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
    metrics_port: int | None = None,
) -> AsyncIterator[Server]:
    """Serves `node` (which is closed at the end) while the block runs; port 0 lets the system choose.

    With `metrics_port` the metrics for Prometheus are served there, at /metrics. Raises ServerError if an address
    cannot be used.
    """
    bounds = limits or Limits()
    listener = _listen(host, port)
    try:
        metrics_listener = None if metrics_port is None else _listen(host, metrics_port)
    except ServerError:
        listener.close()
        raise
    service = NodeService(node, seal, on_produced=on_produced)
    local = listener.getsockname()[0] in ("127.0.0.1", "::1")
    app = RpcApp(service, bounds, unsafe=bounds.methods == "unsafe" or (bounds.methods == "auto" and local))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(service.close)
        await stack.enter_async_context(_running(app, listener, bounds))
        if metrics_listener is not None:
            await stack.enter_async_context(_running(app.metrics_page, metrics_listener, None))
        yield Server(
            service,
            host,
            listener.getsockname()[1],
            app,
            None if metrics_listener is None else metrics_listener.getsockname()[1],
        )


@asynccontextmanager
async def _running(app: Any, listener: socket.socket, limits: Limits | None) -> AsyncIterator[None]:
    """Serves an ASGI application on a socket, which is closed at the end, while the block runs.

    With `limits` WebSockets too; sockets that do nothing count twice as many as clients may be connected.
    """
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http="h11",
        ws="none" if limits is None else "websockets-sansio",
        ws_max_size=0 if limits is None else limits.request_bytes,
        limit_concurrency=_METRICS_READERS if limits is None else 2 * limits.connections + 1,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = _Uvicorn(config)
    running = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]), name="server")
    try:
        listening = asyncio.ensure_future(server.listening.wait())
        await asyncio.wait({listening, running}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(running, return_exceptions=True)
        listener.close()
