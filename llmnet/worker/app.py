"""The HTTP face: OpenAI's chat completions, and the doors of panels and payers."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from llmnet.proof import FinishReason, Leaf

from .admission import ADMITTED, Admission
from .answering import Running
from .backend import Piece
from .body import ChatBody, SignedVoucher, parse_body
from .config import WorkerConfig
from .doors import Doors
from .errors import ApiError, BadRequest, Conflict, TooLarge
from .logprobs import LogprobWriter
from .store import Answer

FINISH = {FinishReason.STOP: "stop", FinishReason.STOP_STRING: "stop", FinishReason.LENGTH: "length"}


@dataclass(frozen=True, slots=True)
class Face:
    """What the HTTP face needs of the worker."""

    config: WorkerConfig
    admission: Admission
    doors: Doors
    policy: dict[str, Any]


async def read_limited(request: Request, limit: int) -> bytes:
    """The body, read no further than `limit` bytes. Raises TooLarge."""
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > limit:
                raise TooLarge("body_too_large", f"the body may have {limit} bytes")
    except ClientDisconnect:
        raise BadRequest("body_incomplete", "the connection ended before the body did") from None
    return bytes(data)


def receipt_fields(answer: Answer) -> dict[str, Any]:
    """The extension of the last chunk."""
    return {
        "receipt": answer.receipt.encode().hex(),
        "signature": answer.signature.hex(),
        "tokens": list(answer.tokens),
        "price": str(answer.price),
    }


def usage(answer: Answer) -> dict[str, int]:
    """OpenAI's token counts."""
    receipt = answer.receipt
    return {
        "prompt_tokens": receipt.n_prompt,
        "completion_tokens": receipt.n_out,
        "total_tokens": receipt.n_prompt + receipt.n_out,
    }


def completion(model: str, answer: Answer, writer: LogprobWriter | None = None) -> dict[str, Any]:
    """A whole answer in OpenAI's shape."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer.text},
        "finish_reason": FINISH[answer.receipt.finish],
    }
    if writer is not None:
        choice["logprobs"] = writer.write(answer.leaves or ())
    return {
        "id": f"chatcmpl-{answer.receipt.session}-{answer.receipt.index}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": usage(answer),
        "llmnet": receipt_fields(answer),
    }


async def pieces(admitted: ADMITTED) -> AsyncGenerator[Piece | Answer, None]:
    """Pieces, then the answer, whether it is running or stored."""
    if isinstance(admitted, Running):
        async for item in admitted.follow():
            yield item
    else:
        yield Piece(admitted.tokens, admitted.text, admitted.leaves or ())
        yield admitted


async def events(
    model: str, name: str, admitted: ADMITTED, writer: LogprobWriter | None = None
) -> AsyncIterator[str]:
    """Server-sent events: deltas, the last chunk with the receipt, `[DONE]`. An error becomes an event of its own."""

    def event(
        delta: dict[str, str], reason: str | None = None, leaves: Sequence[Leaf] = (), **more: Any
    ) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        if writer is not None and leaves:
            choice["logprobs"] = writer.write(leaves)
        head = {"id": name, "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        return f"data: {json.dumps({**head, 'choices': [choice], **more})}\n\n"

    yield event({"role": "assistant", "content": ""})
    told = 0  # leaves; what a backend only says in the end goes into the last chunk
    try:
        async for item in pieces(admitted):
            if isinstance(item, Answer):
                rest = (item.leaves or ())[told:]
                fields = {"usage": usage(item), "llmnet": receipt_fields(item)}
                yield event({}, FINISH[item.receipt.finish], rest, **fields)
                continue
            told += len(item.leaves)
            if item.text or (writer is not None and item.leaves):  # a token may be half a character
                yield event({"content": item.text}, leaves=item.leaves)
    except ApiError as error:
        yield f"data: {json.dumps(error.body())}\n\n"
    yield "data: [DONE]\n\n"


async def whole(admitted: ADMITTED) -> Answer:
    """Wait for the end of an answer. Raises ApiError."""
    async for item in pieces(admitted):
        if isinstance(item, Answer):
            return item
    raise RuntimeError("an answer ended without its end")


def make_app(face: Face) -> FastAPI:
    """The application. Every error has OpenAI's shape."""

    app = FastAPI(title="llmnet-worker", openapi_url=None, docs_url=None, redoc_url=None)

    @app.exception_handler(ApiError)
    async def _refused(_: Request, error: ApiError) -> JSONResponse:
        headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
        return JSONResponse(error.body(), error.status, headers)

    @app.exception_handler(HTTPException)
    async def _other(_: Request, error: HTTPException) -> JSONResponse:
        body = {
            "error": {
                "message": str(error.detail),
                "type": "invalid_request_error",
                "code": f"http_{error.status_code}",
            }
        }
        return JSONResponse(body, error.status_code)

    @app.exception_handler(Exception)
    async def _fault(_: Request, __: Exception) -> JSONResponse:
        message = "a fault of the worker, its log tells more: ask again later"
        return JSONResponse(ApiError("internal_error", message).body(), 500)

    @app.post("/v1/chat/completions")
    async def _chat(request: Request) -> Response:
        body = parse_body(await read_limited(request, face.config.max_body))
        writer = face.admission.logprobs(body)
        admitted = await face.admission.admit(body)
        if writer is not None and isinstance(admitted, Answer) and admitted.leaves is None:
            raise Conflict("leaves_dropped", "the leaves of this old answer are gone: ask without logprobs")
        return await _reply(face.admission.model, body, admitted, writer)

    @app.post("/v1/vouchers", status_code=204)
    async def _voucher(request: Request) -> Response:
        data = await read_limited(request, face.config.max_body)
        try:
            voucher = SignedVoucher.model_validate_json(data)
        except ValueError:
            raise BadRequest("invalid_body", 'the body must be {"payload": hex, "signature": hex}') from None
        await face.admission.take_voucher(voucher.payload, voucher.signature)
        return Response(status_code=204)

    @app.get("/v1/models")
    async def _models() -> dict[str, Any]:
        return {
            "object": "list",
            "data": [{"id": face.admission.model, "object": "model", "owned_by": "llmnet"}],
        }

    @app.get("/v1/policy")
    async def _policy() -> dict[str, Any]:
        return face.policy

    @app.get("/healthz")
    async def _health() -> dict[str, str]:
        return {"status": "ok"}

    _add_doors(app, face.doors)
    return app


def _add_doors(app: FastAPI, doors: Doors) -> None:
    """What panels and payers may fetch."""

    @app.get("/v1/audits/{number}")
    async def _audit(number: str, request: Request) -> dict[str, Any]:
        return await doors.audit(_number(number, 32), *_credentials(request))

    @app.get("/v1/audits/{number}/leaves")
    async def _leaves(number: str, request: Request) -> dict[str, Any]:
        return await doors.leaves(_number(number, 32), *_credentials(request))

    @app.get("/v1/receipts/{session}/{index}")
    async def _receipt(session: str, index: str, request: Request) -> dict[str, Any]:
        return await doors.receipt(_number(session, 64), _number(index, 32), *_credentials(request))


async def _reply(model: str, body: ChatBody, admitted: ADMITTED, writer: LogprobWriter | None) -> Response:
    name = f"chatcmpl-{body.llmnet.session}-{body.llmnet.index}"
    if body.stream:
        return StreamingResponse(
            events(model, name, admitted, writer),
            media_type="text/event-stream",
            headers={"cache-control": "no-cache"},
        )
    return JSONResponse(completion(model, await whole(admitted), writer))


def _number(text: str, bits: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 20 or int(text) >= 1 << bits:
        raise BadRequest("bad_number", f"{text[:40]!r} is not a number of {bits} bits")
    return int(text)


def _credentials(request: Request) -> tuple[str | None, str | None]:
    return request.headers.get("x-llmnet-account"), request.headers.get("x-llmnet-signature")
