"""The seam between the client and a node: JSON-RPC requests and subscriptions."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Protocol

from llmnet.chain.errors import ChainError, QueueOverflow

QUEUE_SIZE = 256

# Reading twice is harmless, so these are sent again after a reconnect. Everything else is not: above all
# author_submit*.
_READS = (
    "archive_v1_",
    "chainSpec_v1_",
    "chain_get",
    "chain_subscribe",
    "state_get",
    "state_call",
    "state_query",
    "state_subscribe",
    "payment_query",
)
_READ_METHODS = frozenset(
    (
        "author_pendingExtrinsics",
        "rpc_methods",
        "system_accountNextIndex",
        "system_chain",
        "system_chainType",
        "system_health",
        "system_name",
        "system_properties",
        "system_syncState",
        "system_version",
    )
)


def is_idempotent(method: str) -> bool:
    return method in _READ_METHODS or method.startswith(_READS)


class Transport(Protocol):
    """What a client needs of a connection. Implementations: `WebSocketTransport`, `FakeTransport`."""

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """The `result` of a call. Raises RpcError, RequestTimeout, ConnectionLost (only where the method may
        not be replayed: whether it was carried out is then not known), ProtocolViolation, TransportClosed."""

    async def subscribe(self, method: str, params: Sequence[Any], unsubscribe: str) -> Subscription:
        """Opens a subscription; raises like `request`."""

    async def close(self) -> None:
        """Ends everything; pending requests raise TransportClosed. Idempotent."""


class Subscription(AsyncIterator[Any]):
    """Notifications of one subscription, in a bounded queue.

    Iteration raises SubscriptionLost when the connection died or the queue overflowed; the consumer opens a
    new subscription and fills the gap. Use as `async with`, so that the node is told when nobody listens any
    more."""

    def __init__(self, on_close: Callable[[], Awaitable[None]], size: int = QUEUE_SIZE) -> None:
        self._items: deque[Any] = deque()
        self._size, self._on_close = size, on_close
        self._end: ChainError | None = None
        self._closed = False
        self._wake = asyncio.Event()

    def push(self, item: Any) -> None:
        """Called by the transport for each notification."""
        if self._end is not None or self._closed:
            return
        if len(self._items) >= self._size:
            self.end(QueueOverflow(f"more than {self._size} notifications were waiting"))
            return
        self._items.append(item)
        self._wake.set()

    def end(self, error: ChainError) -> None:
        """Called by the transport: what is queued is still delivered, then `error` is raised."""
        if self._end is None:
            self._end = error
            self._wake.set()

    async def __anext__(self) -> Any:
        while not self._closed:
            if self._items:
                return self._items.popleft()
            if self._end is not None:
                raise self._end
            self._wake.clear()
            await self._wake.wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stops listening and tells the node. Idempotent."""
        if not self._closed:
            self._closed = True
            self._wake.set()
            await self._on_close()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
