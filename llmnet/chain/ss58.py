"""SS58 addresses of 32-byte accounts. Source: docs.substrate.io, SS58 registry and checksum format."""

from __future__ import annotations

import hashlib

from llmnet.chain.errors import KeyFormatError

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT = {char: value for value, char in enumerate(_ALPHABET)}


def ss58_encode(public: bytes, prefix: int = 42) -> str:
    """The address of a 32-byte account for a network prefix (0 to 16383). Raises KeyFormatError."""
    if len(public) != 32:
        raise KeyFormatError(f"an account has 32 bytes, got {len(public)}")
    payload = _prefix_bytes(prefix) + public
    return _base58_encode(payload + _checksum(payload))


def ss58_decode(address: str, prefix: int | None = None) -> bytes:
    """The 32-byte account of an address; any network is accepted unless `prefix` is given. Raises
    KeyFormatError."""
    raw = _base58_decode(address)
    size = 2 if raw and raw[0] & 0x40 else 1
    if len(raw) != size + 34 or raw[0] & 0x80:
        raise KeyFormatError(f"{address!r} is not the address of a 32-byte account")
    payload, check = raw[:-2], raw[-2:]
    if _checksum(payload) != check:
        raise KeyFormatError(f"the checksum of {address!r} is wrong: mistyped?")
    if prefix is not None and payload[:size] != _prefix_bytes(prefix):
        raise KeyFormatError(f"{address!r} belongs to another network than {prefix}")
    return payload[size:]


def _prefix_bytes(prefix: int) -> bytes:
    if not 0 <= prefix < 1 << 14:
        raise KeyFormatError(f"network prefix {prefix} is not in 0..16383")
    if prefix < 64:
        return bytes((prefix,))
    return bytes((0x40 | (prefix & 0xFC) >> 2, prefix >> 8 | (prefix & 3) << 6))


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(b"SS58PRE" + payload).digest()[:2]


def _base58_encode(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def _base58_decode(text: str) -> bytes:
    if not text or len(text) > 64 or any(char not in _DIGIT for char in text):
        raise KeyFormatError(f"{text[:70]!r} is not a base58 address")
    number = 0
    for char in text:
        number = number * 58 + _DIGIT[char]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
