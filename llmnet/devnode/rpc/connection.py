"""A WebSocket client as the node sees it: a bounded queue of messages to it, and its subscriptions."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any

from llmnet.devnode.rpc.errors import TOO_MANY_SUBSCRIPTIONS, RpcError


class Subscription:
    """A stream of notifications. What is sent before `activate` waits until the client knows the id."""

    def __init__(
        self, connection: Connection, notification: str, on_end: Callable[[Subscription], None]
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self._connection = connection
        self._notification = notification
        self._on_end = on_end
        self._held: list[Any] | None = []
        self.ended = False

    def send(self, result: Any) -> None:
        """Notifies the client."""
        if self._held is not None:
            self._held.append(result)
            return
        params = {"subscription": self.id, "result": result}
        self._connection.send({"jsonrpc": "2.0", "method": self._notification, "params": params})

    def activate(self) -> None:
        """Sends what waited, and from now on everything at once."""
        held, self._held = self._held or [], None
        for result in held:
            self.send(result)

    def end(self) -> None:
        """Stops the stream on the node's side."""
        if not self.ended:
            self.ended = True
            self._connection.subscriptions.pop(self.id, None)
            self._on_end(self)


class Connection:
    """Messages for one client. A client that does not keep up is cut off, so memory stays bounded."""

    def __init__(self, max_queue: int, max_queue_bytes: int, max_subscriptions: int) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self._max_subscriptions = max_subscriptions
        self._max_bytes = max_queue_bytes
        self._queue: asyncio.Queue[str] = asyncio.Queue(max_queue)
        self._bytes = 0
        self.overrun = asyncio.Event()

    def send(self, message: Any) -> None:
        """Queues a message (JSON value or text); sets `overrun` if the client is too far behind."""
        text = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        if self._queue.full() or self._bytes + len(text) > self._max_bytes:
            self.overrun.set()
            return
        self._bytes += len(text)
        self._queue.put_nowait(text)

    async def next_message(self) -> str:
        """The next message to write out."""
        text = await self._queue.get()
        self._bytes -= len(text)
        return text

    def subscribe(self, notification: str, on_end: Callable[[Subscription], None]) -> Subscription:
        """A new subscription; it is held until the dispatcher activates it."""
        if len(self.subscriptions) >= self._max_subscriptions:
            raise RpcError(
                TOO_MANY_SUBSCRIPTIONS,
                f"Too many subscriptions on the connection (at most {self._max_subscriptions})",
            )
        subscription = Subscription(self, notification, on_end)
        self.subscriptions[subscription.id] = subscription
        return subscription

    def close(self) -> None:
        """Ends all subscriptions."""
        for subscription in list(self.subscriptions.values()):
            subscription.end()
