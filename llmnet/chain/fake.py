"""An in-memory transport, so that everything above the transport is tested without sockets."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmnet.chain.errors import ConnectionLost, MethodNotFound, TransportClosed
from llmnet.chain.transport import QUEUE_SIZE, Subscription


class FakeTransport:
    """Answers requests from functions.

    answers: method -> function of the parameters (plain or async); it may raise any error of the transport.
    streams: method -> function of (subscription, *parameters), called when it is opened; it may push and keep
        it.
    """

    def __init__(
        self,
        answers: Mapping[str, Callable[..., Any]] | None = None,
        streams: Mapping[str, Callable[..., Any]] | None = None,
        queue_size: int = QUEUE_SIZE,
    ) -> None:
        self.answers, self.streams, self.queue_size = dict(answers or {}), dict(streams or {}), queue_size
        self.requests: list[tuple[str, tuple[Any, ...]]] = []
        self.open: dict[str, list[Subscription]] = {}
        self.closed = False

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        return await self._answer(self.answers, method, *params)

    async def subscribe(self, method: str, params: Sequence[Any], unsubscribe: str) -> Subscription:
        listening = self.open.setdefault(method, [])

        async def close() -> None:
            if subscription in listening:
                listening.remove(subscription)
                self.requests.append((unsubscribe, ()))

        subscription = Subscription(close, self.queue_size)
        listening.append(subscription)
        try:
            await self._answer(self.streams, method, *params, prepend=(subscription,))
        except BaseException:
            listening.remove(subscription)
            raise
        return subscription

    def notify(self, method: str, item: Any) -> None:
        """Pushes to every open subscription of a method."""
        for subscription in list(self.open.get(method, [])):
            subscription.push(item)

    def drop(self) -> None:
        """The connection dies: every subscription ends."""
        for listening in self.open.values():
            for subscription in listening:
                subscription.end(ConnectionLost("dropped"))
            listening.clear()

    async def close(self) -> None:
        self.closed = True
        self.drop()

    async def _answer(
        self,
        table: Mapping[str, Callable[..., Any]],
        method: str,
        *params: Any,
        prepend: tuple[Any, ...] = (),
    ) -> Any:
        if self.closed:
            raise TransportClosed("the transport is closed")
        self.requests.append((method, params))
        if method not in table:
            raise MethodNotFound(-32601, "Method not found", None, method)
        result = table[method](*prepend, *params)
        return await result if inspect.isawaitable(result) else result
