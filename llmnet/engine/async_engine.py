"""The engine behind a thread of its own, for daemons that are asyncio programs."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from llmnet.engine.engine import Engine
from llmnet.engine.errors import EngineClosedError, EngineError
from llmnet.engine.request import GenerationRequest, Output
from llmnet.proof import Leaf

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Ticket:
    """One running `generate`: what it asked for and where its outputs go."""

    request: GenerationRequest
    deliver: Callable[[Output | EngineError], None]


class AsyncEngine:
    """Runs `engine.step()` in a thread while there is work.

    Outputs go into one queue a request, which its token limit bounds: a slow reader delays nobody. Leaving
    the iterator early (cancellation, `break`, an exception) aborts the request.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._inbox: queue.SimpleQueue[tuple[str, _Ticket | None]] = queue.SimpleQueue()
        self._tickets: dict[str, _Ticket] = {}  # owned by the thread
        self._lock = threading.Lock()
        self._closed: EngineClosedError | None = None
        self._thread = threading.Thread(target=self._run, name="llmnet-engine", daemon=True)
        self._thread.start()

    async def generate(self, request: GenerationRequest) -> AsyncIterator[Output]:
        """Yield outputs until the request finishes. Raises what `Engine.add` raises, `NumericsError`, or
        `EngineClosedError`.
        """
        loop = asyncio.get_running_loop()
        mailbox: asyncio.Queue[Output | EngineError] = asyncio.Queue()
        ticket = _Ticket(request, lambda item: _call_soon(loop, mailbox, item))
        self._send("add", ticket)
        try:
            finished = False
            while not finished:
                item = await mailbox.get()
                if isinstance(item, EngineError):
                    raise item
                if item.error is not None:
                    raise item.error
                finished = item.finished
                yield item
        finally:
            self._send_quietly("abort", ticket)

    async def score(
        self, prompt_ids: Sequence[int], output_ids: Sequence[int], request_seed: bytes
    ) -> list[Leaf]:
        """`Engine.score` in a thread, beside the running requests."""
        return await asyncio.to_thread(self._engine.score, prompt_ids, output_ids, request_seed)

    def close(self) -> None:
        """Stop the thread; running requests end with `EngineClosedError`. May be called twice."""
        self._send_quietly("close", None)
        self._thread.join()

    def _send(self, verb: str, ticket: _Ticket | None) -> None:
        with (
            self._lock
        ):  # after the thread has closed the inbox nothing may be put into it: nobody would answer
            if self._closed is not None:
                raise self._closed
            self._inbox.put((verb, ticket))

    def _send_quietly(self, verb: str, ticket: _Ticket | None) -> None:
        with self._lock:
            if self._closed is None:
                self._inbox.put((verb, ticket))

    def _run(self) -> None:
        reason = EngineClosedError("the engine was closed")
        try:
            while self._take_messages():
                for output in self._engine.step():
                    self._deliver(output)
        except Exception as error:
            log.exception("the engine's thread died")
            reason = EngineClosedError(f"the engine's thread died: {error!r}")
            reason.__cause__ = error
        finally:
            self._shut(reason)

    def _take_messages(self) -> bool:
        """Handle what is in the inbox, waiting for a message only if there is no other work. False: close."""
        wait = not self._tickets
        while True:
            try:
                verb, ticket = self._inbox.get(block=wait)
            except queue.Empty:
                return True
            if ticket is None:
                return False
            (self._add if verb == "add" else self._abort)(ticket)
            wait = not self._tickets

    def _add(self, ticket: _Ticket) -> None:
        try:
            self._engine.add(ticket.request)
        except EngineError as error:
            ticket.deliver(error)
        else:
            self._tickets[ticket.request.request_id] = ticket

    def _abort(self, ticket: _Ticket) -> None:
        # Every iterator ends with an abort, also after its request finished and the id was taken again by
        # another.
        if self._tickets.get(ticket.request.request_id) is ticket:
            del self._tickets[ticket.request.request_id]
            self._engine.abort(ticket.request.request_id)

    def _deliver(self, output: Output) -> None:
        ticket = self._tickets[output.request_id]
        if output.finished:
            del self._tickets[output.request_id]
        ticket.deliver(output)

    def _shut(self, reason: EngineClosedError) -> None:
        with self._lock:
            self._closed = reason
        tickets = list(self._tickets.values())
        while not self._inbox.empty():
            verb, ticket = self._inbox.get()
            if verb == "add" and ticket is not None:
                tickets.append(ticket)
        for ticket in tickets:
            ticket.deliver(reason)


def _call_soon(
    loop: asyncio.AbstractEventLoop, mailbox: asyncio.Queue[Output | EngineError], item: Output | EngineError
) -> None:
    try:
        loop.call_soon_threadsafe(mailbox.put_nowait, item)
    except RuntimeError:  # the reader's loop is gone, and so is the reader
        log.debug("an output had no reader left")
