"""One WebSocket connection: matches answers to requests and notifications to subscriptions. It never
reconnects."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from llmnet.chain.errors import (
    ChainError,
    ConnectionLost,
    MethodNotFound,
    ProtocolViolation,
    RpcError,
    TransportError,
)
from llmnet.chain.transport import Subscription

log = logging.getLogger(__name__)
_MESSAGE_TOO_BIG = 1009
_METHOD_NOT_FOUND = -32601
_MAX_EARLY = 64  # notifications kept that came before the answer naming their subscription


class NotSent(ConnectionLost):
    """The connection was down before the request left: sending it on another one is safe whatever it is."""


@dataclass
class _Pending:
    method: str
    future: asyncio.Future[Any]
    unsubscribe: str | None
    queue_size: int


class Link:
    """Owned by one `WebSocketTransport` for the life of one connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._next_id = 1
        self._pending: dict[int, _Pending] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._early: OrderedDict[str, list[Any]] = OrderedDict()
        self._error: ChainError | None = None
        self._farewells: set[asyncio.Task[None]] = set()

    async def request(self, method: str, params: Sequence[Any]) -> Any:
        return await self._send(method, params, None, 0)

    async def subscribe(
        self, method: str, params: Sequence[Any], unsubscribe: str, size: int
    ) -> Subscription:
        subscription = await self._send(method, params, unsubscribe, size)
        assert isinstance(subscription, Subscription)
        return subscription

    async def _send(self, method: str, params: Sequence[Any], unsubscribe: str | None, size: int) -> Any:
        if self._error is not None:
            raise NotSent("the connection is down") from self._error
        request_id, self._next_id = self._next_id, self._next_id + 1
        future = asyncio.get_running_loop().create_future()
        self._pending[request_id] = _Pending(method, future, unsubscribe, size)
        frame = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": list(params)}
        try:
            await self._socket.send(json.dumps(frame))
        except ConnectionClosed as error:
            self._pending.pop(request_id, None)
            raise ConnectionLost(f"the connection died while {method} was sent") from error
        try:
            return await future
        finally:
            if unsubscribe is None:  # a subscription that is answered too late must still be given back
                self._pending.pop(request_id, None)

    async def read(self) -> None:
        """Handles frames until the connection ends. Raises ConnectionLost or ProtocolViolation, never returns
        else."""
        try:
            async for frame in self._socket:
                self._on_frame(frame)
        except ConnectionClosed as error:
            if error.sent is not None and error.sent.code == _MESSAGE_TOO_BIG:
                raise ProtocolViolation(
                    f"the node sent a frame larger than allowed: {error.sent.reason}"
                ) from error
            raise ConnectionLost("the connection died") from error
        raise ConnectionLost("the node closed the connection")

    def fail(self, error: ChainError) -> None:
        """Ends all requests and subscriptions of this connection."""
        self._error = error
        pending, self._pending = self._pending, {}
        for entry in pending.values():
            if not entry.future.done():
                entry.future.set_exception(error)
                entry.future.exception()  # retrieved here: its waiter may be gone
        subscriptions, self._subscriptions = self._subscriptions, {}
        for subscription in subscriptions.values():
            subscription.end(error if isinstance(error, ConnectionLost) else ConnectionLost(str(error)))

    def _on_frame(self, frame: str | bytes) -> None:
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError) as error:
            raise ConnectionLost("the node sent a frame that is not JSON") from error
        for part in message if isinstance(message, list) else [message]:
            if not isinstance(part, dict):
                raise ConnectionLost("the node sent JSON that is not JSON-RPC")
            if isinstance(part.get("params"), dict):
                self._on_notification(part["params"])
            else:
                self._on_answer(part)

    def _on_notification(self, params: dict[str, Any]) -> None:
        name = str(params.get("subscription"))
        if name in self._subscriptions:
            self._subscriptions[name].push(params.get("result"))
            return
        # Either ahead of the answer that names it, or the tail of one already closed.
        self._early.setdefault(name, []).append(params.get("result"))
        while sum(map(len, self._early.values())) > _MAX_EARLY:
            self._early.popitem(last=False)

    def _on_answer(self, message: dict[str, Any]) -> None:
        request_id = message.get("id")
        entry = self._pending.pop(request_id, None) if isinstance(request_id, int) else None
        if entry is None:
            log.debug("ignored an answer to no open request (id %r)", request_id)
            return
        if "error" in message:
            if not entry.future.done():
                entry.future.set_exception(_rpc_error(message["error"], entry.method))
                entry.future.exception()
            return
        result = message.get("result")
        if entry.unsubscribe is not None:
            result = self._open(str(result), entry)
        if not entry.future.done():
            entry.future.set_result(result)

    def _open(self, name: str, entry: _Pending) -> Subscription | None:
        """Registers a subscription in the same tick as its answer, so that no notification falls between."""
        unsubscribe = entry.unsubscribe
        assert unsubscribe is not None
        if entry.future.done():  # the caller gave up waiting: tell the node
            self._farewell(unsubscribe, name)
            return None

        async def close() -> None:
            if self._subscriptions.pop(name, None) is not None:
                self._farewell(unsubscribe, name)

        subscription = Subscription(close, entry.queue_size)
        self._subscriptions[name] = subscription
        for item in self._early.pop(name, []):
            subscription.push(item)
        return subscription

    def _farewell(self, unsubscribe: str, name: str) -> None:
        """Unsubscribes without making anybody wait for it."""

        async def tell() -> None:
            try:
                await asyncio.wait_for(self.request(unsubscribe, [name]), 5)
            except (TransportError, RpcError, TimeoutError) as error:
                log.debug("%s failed: %s", unsubscribe, error)

        if self._error is None:
            task = asyncio.ensure_future(tell())
            self._farewells.add(task)
            task.add_done_callback(self._farewells.discard)


def _rpc_error(error: Any, method: str) -> RpcError:
    if not isinstance(error, dict):
        return RpcError(0, str(error)[:500], None, method)
    code = error.get("code")
    code = code if isinstance(code, int) else 0
    kind = MethodNotFound if code == _METHOD_NOT_FOUND else RpcError
    return kind(code, str(error.get("message", "")), error.get("data"), method)
