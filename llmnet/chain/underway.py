"""What a daemon does beside its loop: pieces of work that a block sets off and that outlast it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Work = Coroutine[Any, Any, None]


class Underway(Generic[Key]):
    """One piece of work a key at a time, each run by `guard(key, work)`, which must let nothing but a cancellation out."""

    def __init__(self, guard: Callable[[Key, Work], Work]) -> None:
        self._guard = guard
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._tasks

    def begin(self, key: Key, work: Work) -> None:
        """Run it, unless something of this key is under way."""
        if key in self._tasks:
            work.close()
            return
        task = asyncio.create_task(self._guard(key, work), name=str(key))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._over(key, work))

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def close(self) -> None:
        """Stop what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, key: Key, work: Work) -> None:
        del self._tasks[key]
        work.close()  # it has not begun if its task was cancelled before its first step
