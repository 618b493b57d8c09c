"""A WebSocket client as the node sees it: bounded queues of messages to it, and its subscriptions."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

from llmnet.devnode.rpc.errors import TOO_MANY_SUBSCRIPTIONS, RpcError

# Notifications that may wait for the end of the batch in which the client subscribed.
_MAX_HELD = 4096


class Subscription:
    """A stream of notifications. What is sent before `activate` waits until the client knows the id."""

    def __init__(
        self, connection: Connection, notification: str, on_end: Callable[[Subscription], None]
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self.connection = connection
        self.notification = notification
        self._on_end = on_end
        self._held: list[Any] | None = []
        self._begin: Callable[[], None] | None = None
        self.ended = False

    def send(self, result: Any) -> None:
        """Notifies the client."""
        if self._held is not None:
            self._held.append(result)
            if len(self._held) > _MAX_HELD:
                self.connection.cut_off()
            return
        params = {"subscription": self.id, "result": result}
        self.connection.send({"jsonrpc": "2.0", "method": self.notification, "params": params})

    def activate(self) -> None:
        """Sends what waited, and from now on everything at once."""
        held, self._held = self._held or [], None
        for result in held:
            self.send(result)
        if self._begin is not None and not self.ended:
            self._begin()

    def when_active(self, begin: Callable[[], None]) -> None:
        """Has `begin` called as soon as the client knows the id."""
        self._begin = begin

    def end(self) -> None:
        """Stops the stream on the node's side."""
        if not self.ended:
            self.ended = True
            self.connection.subscriptions.pop(self.id, None)
            self._on_end(self)


class Backlog:
    """The bytes that wait for all clients together: over `most`, the client that is furthest behind goes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.bytes = 0
        self.connections: set[Connection] = set()

    def add(self, size: int) -> None:
        """Counts bytes that begin (positive) or cease (negative) to wait."""
        self.bytes += size
        while self.bytes > self._most and self.connections:
            worst = max(self.connections, key=lambda connection: connection.bytes)
            if not worst.bytes:
                return
            worst.cut_off()


class Connection:
    """Messages for one client.

    Notifications come whether the client wants them or not: one that falls further behind than `max_queue`
    messages or `max_queue_bytes` is cut off. Answers are never refused, but while more than `pause_bytes` (or
    half of `max_queue` messages) wait, no further request is read (`room`). So what waits for a client is bounded either way.
    """

    def __init__(
        self,
        max_queue: int,
        max_queue_bytes: int,
        max_subscriptions: int,
        *,
        pause_bytes: int = 1024 * 1024,
        backlog: Backlog | None = None,
    ) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.bytes = 0
        self.overrun = asyncio.Event()
        self._max_subscriptions = max_subscriptions
        self._max_queue = max_queue
        self._max_bytes = max_queue_bytes
        self._pause_bytes = pause_bytes
        self._queue: deque[str] = deque()
        self._at_close: list[Callable[[], None]] = []
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._backlog = backlog or Backlog(1 << 62)
        self._backlog.connections.add(self)

    def send(self, message: Any) -> None:
        """Queues a notification; sets `overrun` if the client is too far behind to take it."""
        text = json.dumps(message, separators=(",", ":"))
        if len(self._queue) >= self._max_queue or self.bytes + len(text) > self._max_bytes:
            self.cut_off()
        else:
            self._put(text)

    def reply(self, text: str) -> None:
        """Queues an answer."""
        self._put(text)

    def _put(self, text: str) -> None:
        if self.overrun.is_set():
            return
        self._queue.append(text)
        self._filled.set()
        self._count(len(text))

    def _count(self, size: int) -> None:
        self.bytes += size
        if self.bytes > self._pause_bytes or len(self._queue) > self._max_queue // 2:
            self._room.clear()
        else:
            self._room.set()
        self._backlog.add(size)

    def cut_off(self) -> None:
        """Throws away what waits for the client and has it disconnected."""
        self.overrun.set()
        self._queue.clear()
        self._count(-self.bytes)

    async def room(self) -> None:
        """Waits until the client has read enough of its answers to be heard again."""
        await self._room.wait()

    async def next_message(self) -> str:
        """The next message to write out."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        text = self._queue.popleft()
        self._count(-len(text))
        return text

    def subscribe(self, notification: str, on_end: Callable[[Subscription], None]) -> Subscription:
        """A new subscription; it is held until the dispatcher activates it."""
        if len(self.subscriptions) >= self._max_subscriptions:
            raise RpcError(
                TOO_MANY_SUBSCRIPTIONS,
                "Too many subscriptions on the connection",
                f"Exceeded max limit of {self._max_subscriptions}",
            )
        subscription = Subscription(self, notification, on_end)
        self.subscriptions[subscription.id] = subscription
        return subscription

    def on_close(self, action: Callable[[], None]) -> None:
        """Has `action` called when the connection ends."""
        self._at_close.append(action)

    def close(self) -> None:
        """Ends all subscriptions and forgets what waits."""
        for subscription in list(self.subscriptions.values()):
            subscription.end()
        for action in self._at_close:
            action()
        self._queue.clear()
        self._count(-self.bytes)
        self._backlog.connections.discard(self)
