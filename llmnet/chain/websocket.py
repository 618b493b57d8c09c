"""JSON-RPC over WebSocket that stays connected: endpoint list, back-off with jitter, keep-alive, safe
replay."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from llmnet.chain.errors import (
    ChainError,
    ConnectionLost,
    RequestTimeout,
    TransportClosed,
    TransportError,
)
from llmnet.chain.link import Link, NotSent
from llmnet.chain.transport import QUEUE_SIZE, Subscription, is_idempotent

log = logging.getLogger(__name__)
MAX_MESSAGE = 64 << 20  # bytes; a runtime's metadata is the largest thing that is read
MAX_IN_FLIGHT = 256
Handshake = Callable[[Callable[[str, Sequence[Any]], Awaitable[Any]]], Awaitable[None]]


class WebSocketTransport:
    """Keeps one connection to the first of `urls` that answers, and moves on to the next when it dies.

    request_timeout: seconds for one request, reconnects and replays included.
    patience: seconds after which a read that was not answered is sent again (doubled twice at most), and after which
        an endpoint that does not complete its handshake is given up.
    backoff: (first, longest) pause in seconds between attempts; doubled each time, with full jitter.
    handshake: set by the owner; run on every new connection before anything else, an error of it rejects the
        endpoint.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        request_timeout: float = 30.0,
        patience: float = 8.0,
        backoff: tuple[float, float] = (0.1, 10.0),
        ping_interval: float = 20.0,
        max_message: int = MAX_MESSAGE,
        queue_size: int = QUEUE_SIZE,
    ) -> None:
        if not urls or any(urlsplit(url).scheme not in ("ws", "wss") for url in urls):
            raise ValueError(f"wanted at least one ws:// or wss:// address, got {list(urls)}")
        self.urls = tuple(urls)
        self.handshake: Handshake | None = None
        self._request_timeout, self._patience, self._backoff = request_timeout, patience, backoff
        self._ping_interval, self._max_message, self._queue_size = ping_interval, max_message, queue_size
        self._link: Link | None = None
        self._changed = asyncio.Condition()
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._last_error: BaseException | None = None
        self._closed = False
        self._keeper: asyncio.Task[None] | None = None

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        return await self._carry(method, lambda link: link.request(method, params))

    async def subscribe(self, method: str, params: Sequence[Any], unsubscribe: str) -> Subscription:
        size = self._queue_size
        subscription = await self._carry(
            method, lambda link: link.subscribe(method, params, unsubscribe, size)
        )
        assert isinstance(subscription, Subscription)
        return subscription

    async def close(self) -> None:
        self._closed = True
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
        async with self._changed:
            self._changed.notify_all()

    async def _carry(self, method: str, send: Callable[[Link], Awaitable[Any]]) -> Any:
        """Sends once; again only if it never left, or if it may be done twice and was not answered."""
        if self._keeper is None and not self._closed:
            self._keeper = asyncio.create_task(self._keep_connected())
        try:
            async with asyncio.timeout(self._request_timeout), self._slots:
                replayable, patience = is_idempotent(method), self._patience
                while True:
                    link = await self._current_link()
                    try:
                        async with asyncio.timeout(patience if replayable else None):
                            return await send(link)
                    except TimeoutError:  # the frame or its answer was lost, or the node is slow
                        patience = min(2 * patience, 4 * self._patience)
                        continue
                    except ConnectionLost as error:
                        if not replayable and not isinstance(error, NotSent):
                            raise
                    await self._gone(link)
        except TimeoutError:
            reason = f"; last trouble: {self._last_error}" if self._last_error else ""
            raise RequestTimeout(f"no answer to {method} in {self._request_timeout:g} s{reason}") from None

    async def _current_link(self) -> Link:
        async with self._changed:
            await self._changed.wait_for(lambda: self._link is not None or self._closed)
        if self._closed or self._link is None:
            raise TransportClosed("the transport is closed")
        return self._link

    async def _gone(self, link: Link) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._link is not link or self._closed)

    async def _keep_connected(self) -> None:
        failures = 0
        while True:
            url = self.urls[failures % len(self.urls)]
            started = asyncio.get_running_loop().time()
            try:
                await self._serve(url)
            except (OSError, TimeoutError, WebSocketException, ChainError) as error:
                self._last_error = error
                log.info("connection to %s ended: %s", _without_credentials(url), error)
            lived = asyncio.get_running_loop().time() - started
            failures = 1 if lived > self._backoff[1] else failures + 1
            first, longest = self._backoff
            await asyncio.sleep(random.uniform(0, min(longest, first * 2 ** min(failures, 16))))

    async def _serve(self, url: str) -> None:
        """One connection from start to end; always raises."""
        async with connect(
            url,
            compression=None,
            max_size=self._max_message,
            ping_interval=self._ping_interval,
            ping_timeout=self._ping_interval,
            open_timeout=max(self._patience, 1.0),
            close_timeout=1,
            proxy=None if _is_local(url) else True,
        ) as socket:
            link = Link(socket)
            reader = asyncio.create_task(link.read())
            end: ChainError = ConnectionLost("the connection ended")
            try:
                await self._greet(link, reader)
                await self._set_link(link)
                await reader
            except asyncio.CancelledError:
                end = TransportClosed("the transport is closed")
                raise
            except ChainError as error:
                end = error
                raise
            finally:
                await self._retire(link, reader, end)

    async def _greet(self, link: Link, reader: asyncio.Task[None]) -> None:
        if self.handshake is None:
            return
        greeting = asyncio.ensure_future(self.handshake(link.request))
        try:
            await asyncio.wait(
                (greeting, reader), return_when=asyncio.FIRST_COMPLETED, timeout=self._patience
            )
            if not greeting.done():
                raise reader.exception() or TransportError() if reader.done() else TimeoutError("handshake")
            greeting.result()
        finally:
            greeting.cancel()

    async def _retire(self, link: Link, reader: asyncio.Task[None], end: ChainError) -> None:
        await self._set_link(None)
        reader.cancel()
        await asyncio.wait((reader,))
        if not reader.cancelled():
            reader.exception()
        link.fail(end)

    async def _set_link(self, link: Link | None) -> None:
        async with self._changed:
            self._link = link
            self._changed.notify_all()


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return (
        f"{parts.scheme}://{parts.hostname}:{parts.port}"
        if parts.port
        else f"{parts.scheme}://{parts.hostname}"
    )
