"""A worker's HTTP face, seen from outside. Nothing that comes through it is believed; sizes are limited."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from llmnet.proof import FieldError, Request, Role, Voucher

from .errors import WorkerBroken

MAX_LINE = 8 << 20
MAX_TEXT = 8 << 20
MAX_RECORD = 64 << 20
MAX_ERROR = 1 << 16
OnText = Callable[[str], None]


class Refusal(Exception):
    """An error that the worker answered. `details` are its further fields."""

    def __init__(
        self, status: int, code: str, message: str, retry_after: float | None, details: dict[str, Any]
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.retry_after, self.details = retry_after, details

    def number(self, name: str) -> int | None:
        """A whole number among the details, sent as a number or as text."""
        value = self.details.get(name)
        text = str(value)
        return (
            int(text)
            if type(value) in (int, str) and text.isascii() and text.isdigit() and len(text) < 40
            else None
        )


class Interrupted(Exception):
    """The connection could not be made, or ended before the answer did."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: its text and what the worker sent beside it, unchecked."""

    text: str
    extension: Any


def request_body(model: str, request: Request, signature: bytes) -> dict[str, Any]:
    """OpenAI's fields and the signed request, which say the same."""
    return {
        "model": model,
        "messages": [
            {"role": Role(message.role).name.lower(), "content": message.text} for message in request.messages
        ],
        "temperature": request.temperature / 256,
        "max_tokens": request.max_tokens,
        "stop": [item.decode() for item in request.stop],
        "stream": True,
        "llmnet": {
            "session": request.session,
            "index": request.index,
            "request": request.encode().hex(),
            "signature": signature.hex(),
        },
    }


class Door:
    """One worker at one address."""

    def __init__(self, http: httpx.AsyncClient, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WorkerBroken(
                f"the worker's address {endpoint!r} is not an http address: choose another worker"
            )
        self._http, self.endpoint = http, endpoint.rstrip("/")

    async def ask(self, body: dict[str, Any], on_text: OnText) -> Reply:
        """Send a request and read the answer as it comes. Raises Refusal, Interrupted or WorkerBroken."""
        try:
            async with self._http.stream(
                "POST", f"{self.endpoint}/v1/chat/completions", json=body
            ) as response:
                if response.status_code != 200:
                    raise _refusal(
                        response.status_code, response.headers, await _limited(response, MAX_ERROR)
                    )
                return await _read_answer(response, on_text)
        except httpx.HTTPError as error:
            raise Interrupted(
                f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            ) from None

    async def voucher(self, voucher: Voucher, signature: bytes) -> None:
        """Hand over a voucher. Raises Refusal or Interrupted."""
        body = {"payload": voucher.encode().hex(), "signature": signature.hex()}
        await self._call("POST", "/v1/vouchers", MAX_ERROR, json=body)

    async def record(self, session: int, index: int, account: bytes, signature: bytes) -> dict[str, Any]:
        """The whole record of an answer, for its payer. Raises Refusal, Interrupted or WorkerBroken."""
        headers = {"x-llmnet-account": account.hex(), "x-llmnet-signature": signature.hex()}
        data = await self._call("GET", f"/v1/receipts/{session}/{index}", MAX_RECORD, headers=headers)
        value = _json(data)
        if not isinstance(value, dict):
            raise WorkerBroken("the worker's record of the answer is not a JSON object")
        return value

    async def _call(self, method: str, path: str, limit: int, **options: Any) -> bytes:
        try:
            async with self._http.stream(method, self.endpoint + path, **options) as response:
                data = await _limited(response, limit)
        except httpx.HTTPError as error:
            raise Interrupted(f"{type(error).__name__}: {error}") from None
        if response.status_code // 100 != 2:
            raise _refusal(response.status_code, response.headers, data)
        return data


async def _limited(response: httpx.Response, limit: int) -> bytes:
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > limit:
            raise WorkerBroken(f"the worker's answer is longer than {limit} bytes")
    return bytes(data)


def _json(data: bytes | str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise WorkerBroken(f"the worker sent something that is not JSON: {data[:60]!r}") from None


def _refusal(status: int, headers: httpx.Headers, data: bytes) -> Refusal:
    try:
        error = json.loads(data)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        error, code, message = {}, f"http_{status}", f"HTTP status {status}"
    retry = headers.get("retry-after", "")
    return Refusal(
        status, code, message[:2000], float(retry) if retry.isascii() and retry.isdigit() else None, error
    )


async def _lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    """The data lines of server-sent events."""
    buffer = bytearray()
    async for chunk in response.aiter_bytes():
        buffer += chunk
        *lines, rest = buffer.split(b"\n")
        buffer = bytearray(rest)
        if len(buffer) > MAX_LINE:
            raise WorkerBroken(f"the worker sent a line of more than {MAX_LINE} bytes")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip().decode(errors="replace")


async def _read_answer(response: httpx.Response, on_text: OnText) -> Reply:
    parts: list[str] = []
    size = 0
    extension: Any = None
    async with aclosing(_lines(response)) as lines:
        async for line in lines:
            if line == "[DONE]":
                break
            event = _json(line)
            if not isinstance(event, dict):
                raise WorkerBroken("the worker sent an event that is not a JSON object")
            if "error" in event:
                # The status line was sent long ago; a worker that fails in the middle means 503.
                raise _refusal(503, response.headers, line.encode(errors="replace"))
            text = _delta(event)
            size += len(text)
            if size > MAX_TEXT:
                raise WorkerBroken(f"the worker's answer is longer than {MAX_TEXT} characters")
            if text:
                parts.append(text)
                on_text(text)
            extension = event.get("llmnet", extension)
    if extension is None:
        raise Interrupted("the answer ended without a receipt")
    return Reply("".join(parts), extension)


def _delta(event: dict[str, Any]) -> str:
    try:
        text = event["choices"][0]["delta"].get("content") or ""
        text.encode()
    except (LookupError, TypeError, AttributeError, UnicodeEncodeError):
        raise WorkerBroken("the worker sent an event that is not a chat completion chunk") from None
    if not isinstance(text, str):
        raise WorkerBroken("the worker sent content that is not text")
    return text


def signed_fetch(session: int, index: int) -> bytes:
    """What a payer signs to fetch a record."""
    if not (0 <= session < 1 << 64 and 0 <= index < 1 << 32):
        raise FieldError("a session is a number of 64 bits, an index one of 32")
    return session.to_bytes(8, "little") + index.to_bytes(4, "little")
