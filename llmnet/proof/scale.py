"""SCALE for the few fixed objects of the protocol: little-endian integers, compact lengths, strict decoding.

Format: Substrate's SCALE codec reference. Only what the objects need is here; a general codec lives in
`llmnet.chain`.
"""

from __future__ import annotations

from .errors import DecodeError, FieldError

_SINGLE, _DOUBLE, _QUAD = 1 << 6, 1 << 14, 1 << 30
MAX_LENGTH = (1 << 32) - 1


def check_uint(value: int, bits: int, what: str) -> int:
    """Return `value` as a plain int in `0..2^bits`; raises FieldError otherwise (bool is refused)."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise FieldError(f"{what} must be an integer, got {type(value).__name__}")
    number = value.__index__()
    if not 0 <= number < 1 << bits:
        raise FieldError(f"{what} must be in 0..2^{bits}, got {number}")
    return number


def check_int(value: int, bits: int, what: str) -> int:
    """Return `value` as a plain signed int of `bits` bits; raises FieldError otherwise."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise FieldError(f"{what} must be an integer, got {type(value).__name__}")
    number = value.__index__()
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise FieldError(f"{what} must be a signed {bits}-bit integer, got {number}")
    return number


def check_bytes(value: bytes, length: int, what: str) -> bytes:
    """Return `value` as bytes of exactly `length`; raises FieldError otherwise."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise FieldError(f"{what} must be bytes, got {type(value).__name__}")
    if len(value) != length:
        raise FieldError(f"{what} must have {length} bytes, got {len(value)}")
    return bytes(value)


def uint(value: int, bits: int) -> bytes:
    """Fixed-width unsigned integer."""
    return check_uint(value, bits, f"u{bits}").to_bytes(bits // 8, "little")


def compact(value: int) -> bytes:
    """Compact form of a length (0..2^32)."""
    number = check_uint(value, 32, "length")
    if number < _SINGLE:
        return bytes([number << 2])
    if number < _DOUBLE:
        return (number << 2 | 1).to_bytes(2, "little")
    if number < _QUAD:
        return (number << 2 | 2).to_bytes(4, "little")
    return b"\x03" + number.to_bytes(4, "little")


def vec_bytes(value: bytes) -> bytes:
    """`Vec<u8>`."""
    return compact(len(value)) + value


class Reader:
    """Reads one object front to back; every refusal is a DecodeError that names the offset."""

    __slots__ = ("_data", "offset")

    def __init__(self, data: bytes) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise FieldError(f"encoded object must be bytes, got {type(data).__name__}")
        self._data = bytes(data)
        self.offset = 0

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self.offset

    def fail(self, kind: str, reason: str) -> DecodeError:
        """The error to raise at the present offset."""
        return DecodeError(kind, self.offset, reason)

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes."""
        if count > self.remaining:
            raise self.fail("truncated", f"{what} needs {count} bytes, {self.remaining} left")
        piece = self._data[self.offset : self.offset + count]
        self.offset += count
        return piece

    def uint(self, bits: int, what: str) -> int:
        """Fixed-width unsigned integer."""
        return int.from_bytes(self.take(bits // 8, what), "little")

    def length(self, what: str, limit: int, item_size: int = 1) -> int:
        """Compact length of at most `limit` items of at least `item_size` bytes each, in its shortest form
        only.
        """
        start = self.offset
        first = self.uint(8, f"length of {what}")
        mode = first & 3
        if mode == 0:
            value, least = first >> 2, 0
        elif mode == 1:
            value, least = (self.uint(8, what) << 8 | first) >> 2, _SINGLE
        elif mode == 2:
            value, least = (int.from_bytes(self.take(3, what), "little") << 8 | first) >> 2, _DOUBLE
        elif first == 3:
            value, least = self.uint(32, what), _QUAD
        else:
            self.offset = start
            raise self.fail("compact", f"length of {what} is wider than 32 bits")
        if value < least:
            self.offset = start
            raise self.fail("compact", f"length of {what} is not in its shortest form")
        if value > limit:
            self.offset = start
            raise self.fail("too_long", f"{what} has {value} items, at most {limit} are allowed")
        if value * item_size > self.remaining:
            raise self.fail("truncated", f"{what} announces {value} items, {self.remaining} bytes left")
        return value

    def vec_bytes(self, what: str, limit: int) -> bytes:
        """`Vec<u8>` of at most `limit` bytes."""
        return self.take(self.length(what, limit), what)

    def variant(self, count: int, what: str) -> int:
        """Index of a fieldless enum with `count` variants."""
        index = self.uint(8, what)
        if index >= count:
            self.offset -= 1
            raise self.fail("enum", f"{what} has {count} variants, got index {index}")
        return index

    def finish(self) -> None:
        """Refuse trailing bytes."""
        if self.remaining:
            raise self.fail("trailing", f"{self.remaining} bytes after the end of the object")
