"""The seam between the client and a node: JSON-RPC requests and subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Protocol

from llmnet.chain.errors import ChainError, QueueOverflow

QUEUE_SIZE = 256

# Reading twice is harmless, so these are sent again after a reconnect. Everything else is not: above all author_submit*.
_READS = ("chain_get", "state_get", "state_call", "state_query", "payment_query", "chainSpec_", "archive_")
_READ_METHODS = frozenset(
    "rpc_methods author_pendingExtrinsics system_accountNextIndex system_chain system_chainType system_health"
    " system_localListenAddresses system_localPeerId system_name system_properties system_syncState system_version".split()
)


def is_idempotent(method: str) -> bool:
    return method in _READ_METHODS or method.startswith(_READS)


class Transport(Protocol):
    """What a client needs of a connection. Implementations: `WebSocketTransport`, `FakeTransport`."""

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """The `result` of a call. Raises RpcError, RequestTimeout, ConnectionLost (only where the method may not
        be replayed: whether it was carried out is then not known), ProtocolViolation, TransportClosed."""

    async def subscribe(self, method: str, params: Sequence[Any], unsubscribe: str) -> Subscription:
        """Opens a subscription; raises like `request`."""

    async def close(self) -> None:
        """Ends everything; pending requests raise TransportClosed. Idempotent."""


class Subscription(AsyncIterator[Any]):
    """Notifications of one subscription, in a bounded queue.

    Iteration raises SubscriptionLost when the connection died or the queue overflowed; the consumer opens a new
    subscription and fills the gap. Use as `async with`, so that the node is told when nobody listens any more."""

    def __init__(self, on_close: Callable[[], Awaitable[None]], size: int = QUEUE_SIZE) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue(size)
        self._on_close = on_close
        self._end: ChainError | None = None
        self._ended = asyncio.Event()
        self._closed = False

    def push(self, item: Any) -> None:
        """Called by the transport for each notification."""
        if self._end is not None or self._closed:
            return
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            self.end(QueueOverflow(f"more than {self._queue.maxsize} notifications were waiting"))

    def end(self, error: ChainError) -> None:
        """Called by the transport: what is queued is still delivered, then `error` is raised."""
        if self._end is None:
            self._end = error
            self._ended.set()

    async def __anext__(self) -> Any:
        if self._closed:
            raise StopAsyncIteration
        if self._queue.empty() and self._end is None:
            await self._wait()
        if not self._queue.empty():
            return self._queue.get_nowait()
        if self._end is not None:
            raise self._end
        raise StopAsyncIteration

    async def _wait(self) -> None:
        """Until there is an item or an end; consumes neither."""
        getter, ended = asyncio.ensure_future(self._queue.get()), asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((getter, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            if not getter.cancel() and getter.done() and not getter.cancelled():
                self._requeue(getter.result())

    def _requeue(self, item: Any) -> None:
        # The getter took the item in the same tick: it goes back to the front.
        self._queue._queue.appendleft(item)  # type: ignore[attr-defined]

    async def aclose(self) -> None:
        """Stops listening and tells the node. Idempotent."""
        if not self._closed:
            self._closed = True
            self._ended.set()
            await self._on_close()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
