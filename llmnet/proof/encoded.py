"""What all committed objects share: one canonical encoding, values checked when made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import Self, TypeVar

from .errors import DecodeError, FieldError
from .scale import Reader, check_bytes, check_uint

E = TypeVar("E", bound=IntEnum)
T = TypeVar("T")


class Encoded(ABC):
    """An object with exactly one encoding; `decode` accepts that and nothing else."""

    __slots__ = ()

    @abstractmethod
    def encode(self) -> bytes:
        """SCALE bytes."""

    @classmethod
    @abstractmethod
    def read(cls, reader: Reader) -> Self:
        """Read one object at the reader's offset; raises DecodeError."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The object whose encoding is `data`; raises DecodeError for anything else."""
        reader = Reader(data)
        item = cls.read(reader)
        reader.finish()
        return item

    def _set(self, **values: object) -> None:
        """Store normalised values in the frozen object (numpy integers and lists become plain)."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _uints(self, **bits: int) -> None:
        self._set(**{name: check_uint(getattr(self, name), width, name) for name, width in bits.items()})

    def _hashes(self, *names: str) -> None:
        self._set(**{name: check_bytes(getattr(self, name), 32, name) for name in names})


def variant(kind: type[E], value: int, what: str) -> E:
    """`value` as a member of the enum, or FieldError."""
    try:
        return kind(value)
    except ValueError:
        raise FieldError(f"{what} must be one of {[item.name for item in kind]}, got {value!r}") from None


def short(value: bytes, limit: int, what: str) -> bytes:
    """`value` as at most `limit` bytes, or FieldError."""
    if not isinstance(value, (bytes, bytearray)):
        raise FieldError(f"{what} must be bytes, got {type(value).__name__}")
    if len(value) > limit:
        raise FieldError(f"{what} may have {limit} bytes, got {len(value)}")
    return bytes(value)


def utf8(value: bytes, limit: int, what: str) -> bytes:
    """`value` as at most `limit` bytes of UTF-8, or FieldError."""
    given = short(value, limit, what)
    try:
        given.decode()
    except UnicodeDecodeError as error:
        raise FieldError(f"{what} is not UTF-8: {error.reason} at byte {error.start}") from None
    return given


def read_utf8(reader: Reader, what: str, limit: int) -> bytes:
    """A `Vec<u8>` that must be UTF-8."""
    raw = reader.vec_bytes(what, limit)
    try:
        return utf8(raw, limit, what)
    except FieldError as error:
        raise DecodeError("utf8", reader.offset - len(raw), str(error)) from None


def made(make: type[T], start: int, *values: object) -> T:
    """Construct from decoded values; a value that the object refuses is a DecodeError at the object's first
    byte.
    """
    try:
        return make(*values)
    except FieldError as error:
        raise DecodeError("range", start, str(error)) from None
