"""The part of the SCALE codec that a node needs: compact integers, byte vectors, options.

Format: https://docs.polkadot.com (SCALE); non-canonical compact integers are refused.
"""

from __future__ import annotations

from llmnet.devnode.errors import CodecError


def compact(value: int) -> bytes:
    """Encodes a non-negative integer below 2**536 in compact form."""
    if value < 0:
        raise CodecError(f"a compact integer cannot be negative: {value}")
    if value < 1 << 6:
        return bytes((value << 2,))
    if value < 1 << 14:
        return (value << 2 | 1).to_bytes(2, "little")
    if value < 1 << 30:
        return (value << 2 | 2).to_bytes(4, "little")
    body = value.to_bytes((value.bit_length() + 7) // 8, "little")
    if len(body) > 67:
        raise CodecError("a compact integer has at most 536 bits")
    return bytes(((len(body) - 4) << 2 | 3,)) + body


def read_compact(data: bytes, at: int = 0) -> tuple[int, int]:
    """Returns the compact integer at `at` and the offset behind it.

    Raises CodecError when it is cut off or longer than necessary.
    """
    try:
        first = data[at]
    except IndexError:
        raise CodecError(f"compact integer expected at byte {at}, the input ends there") from None
    mode = first & 3
    if mode == 0:
        return first >> 2, at + 1
    if mode == 3:
        size = (first >> 2) + 4
        value, end, least = int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size, 1 << 30
        least = max(least, 1 << 8 * (size - 1))
    else:
        size = 2 * mode
        value, end = int.from_bytes(data[at : at + size], "little") >> 2, at + size
        least = 1 << 6 if mode == 1 else 1 << 14
    if end > len(data):
        raise CodecError(f"compact integer at byte {at} is cut off")
    if value < least:
        raise CodecError(f"compact integer at byte {at} is not in its shortest form")
    return value, end


def vec(data: bytes) -> bytes:
    """Encodes a byte vector: its length in compact form, then the bytes."""
    return compact(len(data)) + data


def option(data: bytes | None) -> bytes:
    """Encodes an optional byte vector."""
    return b"\0" if data is None else b"\1" + compact(len(data)) + data


def u32(value: int) -> bytes:
    """Encodes a 32-bit unsigned integer."""
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    """Encodes a 64-bit unsigned integer."""
    return value.to_bytes(8, "little")


class Reader:
    """Reads SCALE values one after another; every method raises CodecError on short input."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.at + size
        if end > len(self.data):
            raise CodecError(f"{size} bytes expected at byte {self.at}, {len(self.data) - self.at} are left")
        out = self.data[self.at : end]
        self.at = end
        return out

    def uint(self, size: int) -> int:
        """A little-endian unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def compact(self) -> int:
        """A compact integer."""
        value, self.at = read_compact(self.data, self.at)
        return value

    def vector(self) -> bytes:
        """A byte vector."""
        return self.take(self.compact())

    def text(self) -> str:
        """A string."""
        try:
            return self.vector().decode()
        except UnicodeDecodeError as error:
            raise CodecError(f"not a string: {error}") from None

    def flag(self) -> bool:
        """A boolean or the tag of an option."""
        value = self.uint(1)
        if value > 1:
            raise CodecError(f"0 or 1 expected at byte {self.at - 1}, found {value}")
        return value == 1

    def count(self, least_size: int) -> int:
        """The length of a vector whose items have at least `least_size` bytes each."""
        number = self.compact()
        if number * least_size > len(self.data) - self.at:
            raise CodecError(f"{number} items announced at byte {self.at}, the input is too short for them")
        return number

    def optional_bytes(self) -> bytes | None:
        """An optional byte vector."""
        return self.vector() if self.flag() else None

    def end(self) -> None:
        """Raises CodecError if anything is left."""
        if self.at != len(self.data):
            raise CodecError(f"{len(self.data) - self.at} bytes too many")
