"""The objects of protocol section 2: frozen, checked when made, each with one canonical encoding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import NamedTuple, Self

from . import scale
from .errors import DecodeError, FieldError
from .hashing import domain_hash
from .scale import Reader, check_bytes, check_int, check_uint, sint, uint, vec_bytes

MAX_NAME = 64
MAX_TOP_K = 32
LANES = 8
# Off-chain limits of a request: far above any context window, small enough that nobody can exhaust a daemon's memory with one.
MAX_MESSAGES = 1024
MAX_CONTENT = 1 << 20
MAX_STOPS = 16
MAX_STOP_BYTES = 256
MAX_LEAVES = 1 << 20


class NumericsClass(IntEnum):
    """Arithmetic a worker promises; calibration belongs to it."""

    FP32 = 0
    FP16 = 1
    BF16_FP32_RESIDUAL = 2
    BF16 = 3


class Role(IntEnum):
    """Who speaks in a message."""

    SYSTEM = 0
    USER = 1
    ASSISTANT = 2


class FinishReason(IntEnum):
    """Why an answer ended: end-of-turn token, token limit, or a stop string."""

    STOP = 0
    LENGTH = 1
    STOP_STRING = 2


class Encoded:
    """An object with exactly one encoding; `decode` accepts that and nothing else."""

    __slots__ = ()

    def encode(self) -> bytes:
        """SCALE bytes."""
        raise NotImplementedError

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read one object at the reader's offset; raises DecodeError."""
        raise NotImplementedError

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The object whose encoding is `data`; raises DecodeError for anything else."""
        reader = Reader(data)
        item = cls.read(reader)
        reader.finish()
        return item

    def _set(self, **values: object) -> None:
        """Store normalised values (numpy integers, lists, bytearrays become plain ones) in the frozen object."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _uints(self, **bits: int) -> None:
        self._set(**{name: check_uint(getattr(self, name), width, name) for name, width in bits.items()})

    def _hashes(self, *names: str) -> None:
        self._set(**{name: check_bytes(getattr(self, name), 32, name) for name in names})


def _variant[E: IntEnum](kind: type[E], value: int, what: str) -> E:
    try:
        return kind(value)
    except ValueError:
        raise FieldError(f"{what} must be one of {[item.name for item in kind]}, got {value!r}") from None


def _utf8(value: bytes, limit: int, what: str) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise FieldError(f"{what} must be UTF-8 bytes, got {type(value).__name__}")
    if len(value) > limit:
        raise FieldError(f"{what} may have {limit} bytes, got {len(value)}")
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise FieldError(f"{what} is not UTF-8: {error.reason} at byte {error.start}") from None
    return bytes(value)


def _read_utf8(reader: Reader, what: str, limit: int) -> bytes:
    raw = reader.vec_bytes(what, limit)
    try:
        return _utf8(raw, limit, what)
    except FieldError as error:
        raise DecodeError("utf8", reader.offset - len(raw), str(error)) from None


def _made[T](reader: Reader, start: int, make: type[T], *values: object) -> T:
    """Construct from decoded values, telling a refused one as a DecodeError at the object's start."""
    try:
        return make(*values)
    except FieldError as error:
        raise DecodeError("range", start, str(error)) from None
