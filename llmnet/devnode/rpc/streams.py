"""Subscriptions that a task feeds with what it reads, no faster than the client takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from llmnet.devnode.errors import DevnodeError
from llmnet.devnode.rpc.connection import Connection, Subscription


def stream(
    connection: Connection,
    notification: str,
    produce: Callable[[], AsyncIterator[Any]],
    failed: Callable[[str], Any],
) -> Subscription:
    """A subscription to what `produce` yields; it ends after the last item.

    Where producing fails with a DevnodeError, `failed` makes the last item of its text.
    """
    task: asyncio.Task[None] | None = None

    async def feed() -> None:
        try:
            async for item in produce():
                await connection.room()
                subscription.send(item)
        except DevnodeError as error:
            subscription.send(failed(str(error)))
        subscription.end()

    def begin() -> None:
        nonlocal task
        task = asyncio.get_running_loop().create_task(feed(), name=notification)

    def stop(_ended: Subscription) -> None:
        # A feed that has come to its end calls this itself.
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    subscription = connection.subscribe(notification, stop)
    subscription.when_active(begin)
    return subscription
