"""JSON-RPC 2.0: from a request's text to its answer's text."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from llmnet.devnode.errors import DevnodeError
from llmnet.devnode.rpc import (
    archive,
    author,
    chain,
    chain_head,
    chain_spec,
    dev,
    keys,
    offchain,
    payment,
    state,
    system,
    transaction,
)
from llmnet.devnode.rpc.connection import Subscription
from llmnet.devnode.rpc.errors import (
    BATCH_TOO_BIG,
    INTERNAL,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RESPONSE_TOO_BIG,
    RpcError,
    translate,
)
from llmnet.devnode.rpc.registry import METHODS, Context

__all__ = [
    "answer",
    "archive",
    "author",
    "chain",
    "chain_head",
    "chain_spec",
    "dev",
    "keys",
    "offchain",
    "payment",
    "state",
    "system",
    "transaction",
]
_log = logging.getLogger(__name__)


async def answer(
    context: Context, text: str | bytes, *, max_batch: int, max_bytes: int
) -> tuple[str | None, list[Subscription]]:
    """The answer to a request or batch (None: none is due) and the subscriptions to activate after it."""
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        return _encode(_failure(None, RpcError(PARSE_ERROR, "Parse error")), max_bytes), []
    if not isinstance(request, list):
        reply, subscription = await _answer_one(context, request)
        return None if reply is None else _encode(reply, max_bytes), [subscription] if subscription else []
    if not request:
        return _encode(_failure(None, RpcError(INVALID_REQUEST, "Invalid request")), max_bytes), []
    if len(request) > max_batch:
        error = RpcError(
            BATCH_TOO_BIG, "The batch request was too large", f"Exceeded max limit of {max_batch}"
        )
        return _encode(_failure(None, error), max_bytes), []
    return await _answer_batch(context, request, max_bytes)


async def _answer_batch(
    context: Context, requests: list[Any], max_bytes: int
) -> tuple[str | None, list[Subscription]]:
    replies: list[str] = []
    started: list[Subscription] = []
    size = 0
    for request in requests:
        reply, subscription = await _answer_one(context, request)
        if reply is not None:
            text = _encode(reply, max_bytes)
            size += len(text)
            replies.append(text)
        if subscription is not None:
            started.append(subscription)
        if size > max_bytes:
            error = _failure(
                None, RpcError(RESPONSE_TOO_BIG, "Response is too big", f"Exceeded max limit of {max_bytes}")
            )
            return _encode(error, max_bytes), started
    return ("[" + ",".join(replies) + "]" if replies else None), started


async def _answer_one(context: Context, request: Any) -> tuple[dict[str, Any] | None, Subscription | None]:
    valid = (
        isinstance(request, dict)
        and request.get("jsonrpc") == "2.0"
        and isinstance(request.get("method"), str)
    )
    request_id = request.get("id") if isinstance(request, dict) else None
    if not valid or isinstance(request_id, dict | list | bool):
        return _failure(None, RpcError(INVALID_REQUEST, "Invalid request")), None
    try:
        result = await _run(context, request["method"], request.get("params"))
        subscription = result if isinstance(result, Subscription) else None
        reply = {"jsonrpc": "2.0", "id": request_id, "result": subscription.id if subscription else result}
    except RpcError as error:
        reply, subscription = _failure(request_id, error), None
    return (reply if "id" in request else None), subscription


async def _run(context: Context, name: str, params: Any) -> Any:
    method = METHODS.get(name)
    if method is None:
        context.metrics.on_call("unknown", 0.0, failed=True)
        raise RpcError(METHOD_NOT_FOUND, "Method not found")
    started, failed = time.perf_counter(), True
    try:
        result = await method(context, params)
        failed = False
    except DevnodeError as error:
        raise translate(error) from error
    except RpcError:
        raise
    except Exception as error:  # one faulty method must not end the connection
        _log.exception("%s failed", name)
        raise RpcError(INTERNAL, "Internal error", f"{type(error).__name__}: {error}") from error
    finally:
        context.metrics.on_call(name, time.perf_counter() - started, failed=failed)
    return result


def _failure(request_id: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "error": error.as_json()}


def _encode(reply: dict[str, Any], max_bytes: int) -> str:
    text = json.dumps(reply, separators=(",", ":"))
    if len(text) <= max_bytes:
        return text
    error = RpcError(RESPONSE_TOO_BIG, "Response is too big", f"Exceeded max limit of {max_bytes}")
    return json.dumps(_failure(reply.get("id"), error), separators=(",", ":"))
