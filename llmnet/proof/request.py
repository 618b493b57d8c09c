"""What a requester asks and signs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from .encoded import Encoded, made, read_utf8, utf8, variant
from .errors import FieldError
from .hashing import domain_hash
from .scale import Reader, compact, uint, vec_bytes

# Off-chain limits: far above any context window, small enough that nobody can exhaust a daemon's memory with
# one request.
MAX_MESSAGES = 1024
MAX_CONTENT = 1 << 20
MAX_STOPS = 16
MAX_STOP_BYTES = 256


class Role(IntEnum):
    """Who speaks in a message."""

    SYSTEM = 0
    USER = 1
    ASSISTANT = 2


@dataclass(frozen=True, slots=True)
class Message(Encoded):
    """One turn of a conversation; `content` is UTF-8."""

    role: Role
    content: bytes

    def __post_init__(self) -> None:
        self._set(role=variant(Role, self.role, "role"), content=utf8(self.content, MAX_CONTENT, "content"))

    @classmethod
    def of(cls, role: Role, text: str) -> Self:
        """A message from a str."""
        return cls(role, text.encode())

    @property
    def text(self) -> str:
        """The content as str."""
        return self.content.decode()

    def encode(self) -> bytes:
        """SCALE bytes."""
        return bytes([self.role]) + vec_bytes(self.content)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one message; raises DecodeError."""
        role = Role(reader.variant(len(Role), "role"))
        return cls(role, read_utf8(reader, "content", MAX_CONTENT))


@dataclass(frozen=True, slots=True)
class Request(Encoded):
    """One question of a session: `temperature` in 1/256 (0 = greedy), `stop` as UTF-8 strings.

    Whether a worker serves it (an empty conversation, zero tokens) is the worker's policy; here only what can
    be encoded counts.
    """

    session: int
    index: int
    messages: tuple[Message, ...]
    temperature: int
    max_tokens: int
    stop: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        self._uints(session=64, index=32, temperature=16, max_tokens=32)
        messages, stops = tuple(self.messages), tuple(self.stop)
        if len(messages) > MAX_MESSAGES:
            raise FieldError(f"a request may have {MAX_MESSAGES} messages, got {len(messages)}")
        if not all(isinstance(message, Message) for message in messages):
            raise FieldError("messages must be Message objects; use Message.of(role, text)")
        if len(stops) > MAX_STOPS:
            raise FieldError(f"a request may have {MAX_STOPS} stop strings, got {len(stops)}")
        self._set(messages=messages, stop=tuple(utf8(item, MAX_STOP_BYTES, "stop string") for item in stops))

    def encode(self) -> bytes:
        """SCALE bytes."""
        messages = compact(len(self.messages)) + b"".join(message.encode() for message in self.messages)
        stops = compact(len(self.stop)) + b"".join(vec_bytes(item) for item in self.stop)
        sampling = uint(self.temperature, 16) + uint(self.max_tokens, 32)
        return uint(self.session, 64) + uint(self.index, 32) + messages + sampling + stops

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one request; raises DecodeError."""
        start = reader.offset
        session, index = reader.uint(64, "session"), reader.uint(32, "index")
        messages = tuple(
            Message.read(reader) for _ in range(reader.length("messages", MAX_MESSAGES, item_size=2))
        )
        temperature, max_tokens = reader.uint(16, "temperature"), reader.uint(32, "max_tokens")
        count = reader.length("stop", MAX_STOPS)
        stops = tuple(read_utf8(reader, "stop string", MAX_STOP_BYTES) for _ in range(count))
        return made(cls, start, session, index, messages, temperature, max_tokens, stops)

    @property
    def hash(self) -> bytes:
        """`request_hash`."""
        return domain_hash("request", self.encode())
