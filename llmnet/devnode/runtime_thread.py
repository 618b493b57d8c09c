"""The one thread that runs the runtime: calls take turns, a block goes before all that only asks."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")
_BLOCK, _CALL, _END = 0, 1, 2


class RuntimeThread:
    """Runs calls one after another in the order they come, urgent ones first."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self._jobs: queue.PriorityQueue[tuple[int, int, Future[Any], Callable[[], Any] | None]]
        self._jobs = queue.PriorityQueue()
        self._thread = threading.Thread(target=self._work, name="runtime", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], _T], *, urgent: bool = False) -> Future[_T]:
        """Has `function` called; its outcome is the future's, which may be cancelled until it begins."""
        future: Future[_T] = Future()
        self._jobs.put((_BLOCK if urgent else _CALL, next(self._order), future, function))
        return future

    def shutdown(self) -> None:
        """Waits until all that was submitted is done, and ends."""
        self._jobs.put((_END, next(self._order), Future(), None))
        self._thread.join()

    def _work(self) -> None:
        while True:
            _, _, future, function = self._jobs.get()
            if function is None:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the future
                future.set_exception(error)
            del future, function  # nothing is held while waiting for the next one
