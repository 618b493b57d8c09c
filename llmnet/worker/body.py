"""The body of `POST /v1/chat/completions`: OpenAI's schema and the signed request, which have to say the same."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmnet.proof import DecodeError, Message, Request, Role

from .errors import BadRequest

MAX_HEX = 4 << 20
Hex = Annotated[str, Field(pattern=r"^(0x)?([0-9a-fA-F]{2})*$", max_length=MAX_HEX)]
MAX_ECHO = 200  # characters of a client's own input that an error repeats
TEMPERATURE_UNIT = 256
DEFAULT_TEMPERATURE = 1.0


class _Strict(BaseModel):
    # An option that is silently ignored would be a lie about the answer: unknown fields are refused by name.
    model_config = ConfigDict(extra="forbid", strict=True)


class ChatMessage(_Strict):
    """One turn."""

    role: Literal["system", "user", "assistant"]
    content: str


class SignedVoucher(_Strict):
    """A voucher for earlier answers, sent along."""

    payload: Hex
    signature: Hex


class Extension(_Strict):
    """What LLM-Net adds: the signed request. `session` and `index` repeat it for people who read logs."""

    session: int = Field(ge=0)
    index: int = Field(ge=0)
    request: Hex
    signature: Hex
    voucher: SignedVoucher | None = None


class StreamOptions(_Strict):
    """OpenAI's; usage is always sent."""

    include_usage: bool = True


class ChatBody(_Strict):
    """OpenAI's fields that this worker serves, the neutral values of some it does not, and the extension."""

    model: str
    messages: list[ChatMessage] = Field(min_length=1, max_length=1024)
    llmnet: Extension
    temperature: float | None = Field(default=None, ge=0, le=255)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stop: str | list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None
    n: Literal[1] | None = None
    top_p: Literal[1] | None = None
    presence_penalty: Literal[0] | None = None
    frequency_penalty: Literal[0] | None = None

    @property
    def stops(self) -> list[str]:
        """Stop strings as a list."""
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or [])


def unhex(text: str) -> bytes:
    """Bytes of validated hex."""
    return bytes.fromhex(text.removeprefix("0x"))


def parse_body(data: bytes) -> ChatBody:
    """Raises BadRequest that names the field."""
    try:
        return ChatBody.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:MAX_ECHO] or "body"
        hint = (
            "; a request needs a session: open one and sign the request, `llmnet ask` does both"
            if where.startswith("llmnet")
            else ""
        )
        raise BadRequest("invalid_body", f"{where}: {first['msg']}{hint}") from None


def signed_request(body: ChatBody) -> tuple[Request, bytes]:
    """The request that was signed and its signature.

    Raises BadRequest if it cannot be decoded or differs from the OpenAI fields.
    """
    try:
        request = Request.decode(unhex(body.llmnet.request))
    except DecodeError as error:
        raise BadRequest("invalid_request", f"llmnet.request cannot be decoded: {error}") from None
    for name, signed, said in _pairs(request, body):
        if signed != said:
            raise BadRequest(
                "request_mismatch",
                f"{name} is {_brief(said)} in the body but {_brief(signed)} in the signed request: sign what you send",
            )
    return request, unhex(body.llmnet.signature)


def _pairs(request: Request, body: ChatBody) -> list[tuple[str, object, object]]:
    messages = tuple(Message.of(Role[message.role.upper()], message.content) for message in body.messages)
    temperature = DEFAULT_TEMPERATURE if body.temperature is None else body.temperature
    return [
        ("llmnet.session", request.session, body.llmnet.session),
        ("llmnet.index", request.index, body.llmnet.index),
        ("messages", request.messages, messages),
        ("temperature", request.temperature, round(temperature * TEMPERATURE_UNIT)),
        ("max_tokens", request.max_tokens, _or(body.max_tokens, request.max_tokens)),
        ("max_completion_tokens", request.max_tokens, _or(body.max_completion_tokens, request.max_tokens)),
        ("stop", request.stop, tuple(stop.encode() for stop in body.stops)),
    ]


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_ECHO else text[:MAX_ECHO] + "…"
