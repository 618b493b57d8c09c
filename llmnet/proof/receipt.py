"""What a worker signs for an answer, what a requester signs for the money, and how answers are committed in
bulk.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from .encoded import Encoded, made, variant
from .errors import FieldError
from .hashing import domain_hash
from .scale import Reader, uint


class FinishReason(IntEnum):
    """Why an answer ended: end-of-turn token, token limit, or a stop string."""

    STOP = 0
    LENGTH = 1
    STOP_STRING = 2


@dataclass(frozen=True, slots=True)
class Receipt(Encoded):
    """The worker's signed statement about one answer.

    `n_prompt`, `n_out`: tokens; an answer has at least one output token.
    """

    session: int
    index: int
    request_hash: bytes
    temperature: int
    output_hash: bytes
    text_hash: bytes
    n_prompt: int
    n_out: int
    finish: FinishReason
    transcript_root: bytes

    def __post_init__(self) -> None:
        self._uints(session=64, index=32, temperature=16, n_prompt=32, n_out=32)
        self._hashes("request_hash", "output_hash", "text_hash", "transcript_root")
        self._set(finish=variant(FinishReason, self.finish, "finish"))
        if self.n_out == 0:
            raise FieldError("n_out must be at least 1: the end-of-turn token counts")

    def encode(self) -> bytes:
        """SCALE bytes."""
        head = uint(self.session, 64) + uint(self.index, 32) + self.request_hash + uint(self.temperature, 16)
        counts = uint(self.n_prompt, 32) + uint(self.n_out, 32) + bytes([self.finish])
        return head + self.output_hash + self.text_hash + counts + self.transcript_root

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one receipt; raises DecodeError."""
        start = reader.offset
        head = reader.uint(64, "session"), reader.uint(32, "index"), reader.take(32, "request_hash")
        temperature = reader.uint(16, "temperature")
        hashes = reader.take(32, "output_hash"), reader.take(32, "text_hash")
        counts = reader.uint(32, "n_prompt"), reader.uint(32, "n_out")
        finish = reader.variant(len(FinishReason), "finish")
        return made(
            cls, start, *head, temperature, *hashes, *counts, finish, reader.take(32, "transcript_root")
        )

    @property
    def hash(self) -> bytes:
        """`receipt_hash`."""
        return domain_hash("receipt", self.encode())


@dataclass(frozen=True, slots=True)
class Voucher(Encoded):
    """The requester's signed promise: `amount` (plancks) and `answers`, both cumulative over the session."""

    session: int
    amount: int
    answers: int

    def __post_init__(self) -> None:
        self._uints(session=64, amount=128, answers=32)

    def encode(self) -> bytes:
        """SCALE bytes."""
        return uint(self.session, 64) + uint(self.amount, 128) + uint(self.answers, 32)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one voucher; raises DecodeError."""
        return cls(reader.uint(64, "session"), reader.uint(128, "amount"), reader.uint(32, "answers"))


@dataclass(frozen=True, slots=True)
class Segment(Encoded):
    """The receipts `first..=last` of one session under one root, worth `amount` plancks together."""

    session: int
    first: int
    last: int
    receipts_root: bytes
    amount: int

    def __post_init__(self) -> None:
        self._uints(session=64, first=32, last=32, amount=128)
        self._hashes("receipts_root")
        if self.first > self.last:
            raise FieldError(
                f"a segment runs from first to last request index, got {self.first}..={self.last}"
            )

    @property
    def count(self) -> int:
        """Number of receipts."""
        return self.last - self.first + 1

    def encode(self) -> bytes:
        """SCALE bytes."""
        head = uint(self.session, 64) + uint(self.first, 32) + uint(self.last, 32)
        return head + self.receipts_root + uint(self.amount, 128)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one segment; raises DecodeError."""
        start = reader.offset
        span = reader.uint(64, "session"), reader.uint(32, "first"), reader.uint(32, "last")
        return made(cls, start, *span, reader.take(32, "receipts_root"), reader.uint(128, "amount"))


@dataclass(frozen=True, slots=True)
class PlacedSegment(Encoded):
    """A segment in a batch; `start` is the ordinal of its first receipt there."""

    start: int
    segment: Segment

    def __post_init__(self) -> None:
        self._uints(start=32)
        if not isinstance(self.segment, Segment):
            raise FieldError(f"segment must be a Segment, got {type(self.segment).__name__}")

    def encode(self) -> bytes:
        """SCALE bytes."""
        return uint(self.start, 32) + self.segment.encode()

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one placed segment; raises DecodeError."""
        return cls(reader.uint(32, "start"), Segment.read(reader))
