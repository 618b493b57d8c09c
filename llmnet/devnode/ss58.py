"""SS58 addresses: base58 of prefix, account id and checksum."""

from __future__ import annotations

import hashlib

from llmnet.devnode.errors import CodecError

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {char: value for value, char in enumerate(_ALPHABET)}


def _from_base58(text: str) -> bytes:
    if len(text) > 64:
        raise CodecError("not an SS58 address: too long")
    number = 0
    for char in text:
        if char not in _DIGITS:
            raise CodecError(f"not an SS58 address: {char!r} is no base58 digit")
        number = number * 58 + _DIGITS[char]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def decode_account(address: str) -> bytes:
    """The 32-byte account id of an address, of whatever network. Raises CodecError."""
    data = _from_base58(address)
    prefix = 1 if data[:1] < b"\x40" else 2
    account, checksum = data[prefix:-2], data[-2:]
    if len(account) != 32:
        raise CodecError("not an SS58 address of a 32-byte account")
    if hashlib.blake2b(b"SS58PRE" + data[:-2]).digest()[:2] != checksum:
        raise CodecError("the address has a wrong checksum (mistyped?)")
    return account
