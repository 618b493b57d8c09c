"""SCALE primitives: compact integers, strings, and a cursor for fixed layouts. Source: docs.polkadot.com,
SCALE codec."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TypeVar

from llmnet.chain.errors import DecodeError, EncodeError

T = TypeVar("T")
_U16, _U32 = struct.Struct("<H"), struct.Struct("<I")
COMPACT_MAX = (1 << 536) - 1


def encode_compact(value: int) -> bytes:
    """The compact form of a non-negative integer below 2**536. Raises EncodeError."""
    if not 0 <= value <= COMPACT_MAX:
        raise EncodeError(f"{value} is outside the compact range")
    if value < 1 << 6:
        return bytes((value << 2,))
    if value < 1 << 14:
        return _U16.pack(value << 2 | 1)
    if value < 1 << 30:
        return _U32.pack(value << 2 | 2)
    body = value.to_bytes((value.bit_length() + 7) // 8, "little")
    return bytes((len(body) - 4 << 2 | 3,)) + body


def decode_compact(data: bytes, pos: int) -> tuple[int, int]:
    """(value, position after it). Only the shortest form is accepted. Raises DecodeError, IndexError,
    struct.error."""
    first = data[pos]
    mode = first & 3
    if mode == 0:
        return first >> 2, pos + 1
    if mode == 1:
        value, end, least = _U16.unpack_from(data, pos)[0] >> 2, pos + 2, 1 << 6
    elif mode == 2:
        value, end, least = _U32.unpack_from(data, pos)[0] >> 2, pos + 4, 1 << 14
    else:
        size = (first >> 2) + 4
        end = pos + 1 + size
        body = data[pos + 1 : end]
        if len(body) != size:
            raise DecodeError("compact integer is cut off")
        value, least = int.from_bytes(body, "little"), max(1 << 30, 1 << 8 * (size - 1))
    if value < least:
        raise DecodeError("compact integer is not in its shortest form")
    return value, end


def encode_bytes(value: bytes) -> bytes:
    """`Vec<u8>`: compact length, then the bytes."""
    return encode_compact(len(value)) + value


class Reader:
    """A cursor over bytes for layouts that are fixed (the metadata's own). Every read raises DecodeError when
    cut off."""

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes, pos: int = 0) -> None:
        self.data, self.pos = data, pos

    def raw(self, size: int) -> bytes:
        part = self.data[self.pos : self.pos + size]
        if len(part) != size:
            raise DecodeError(f"wanted {size} bytes, {len(part)} left")
        self.pos += size
        return part

    def u8(self) -> int:
        return self.raw(1)[0]

    def u32(self) -> int:
        return int.from_bytes(self.raw(4), "little")

    def compact(self) -> int:
        try:
            value, self.pos = decode_compact(self.data, self.pos)
        except (IndexError, struct.error) as error:
            raise DecodeError("compact integer is cut off") from error
        return value

    def bytes(self) -> bytes:
        return self.raw(self.compact())

    def text(self) -> str:
        try:
            return self.bytes().decode()
        except UnicodeDecodeError as error:
            raise DecodeError("text is not UTF-8") from error

    def vec(self, item: Callable[[], T]) -> list[T]:
        count = self.compact()
        if count > len(self.data) - self.pos:
            raise DecodeError(f"{count} items announced, {len(self.data) - self.pos} bytes left")
        return [item() for _ in range(count)]

    def option(self, item: Callable[[], T]) -> T | None:
        tag = self.u8()
        if tag > 1:
            raise DecodeError(f"option tag {tag}")
        return item() if tag else None

    def tag(self, *known: str) -> str:
        """A C-like enum."""
        index = self.u8()
        if index >= len(known):
            raise DecodeError(f"tag {index}, known are {known}")
        return known[index]

    def end(self) -> None:
        if self.pos != len(self.data):
            raise DecodeError(f"{len(self.data) - self.pos} bytes too many")
