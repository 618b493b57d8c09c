"""The hash functions of a Substrate chain."""

from __future__ import annotations

import hashlib

import xxhash

_blake2b = hashlib.blake2b
_xxh64 = xxhash.xxh64_intdigest


def blake2_256(data: bytes) -> bytes:
    """BLAKE2b with 32 bytes of output, the chain's hash."""
    return _blake2b(data, digest_size=32).digest()


def blake2_128(data: bytes) -> bytes:
    """BLAKE2b with 16 bytes of output."""
    return _blake2b(data, digest_size=16).digest()


def twox_64(data: bytes) -> bytes:
    """XXH64 with seed 0, little endian."""
    return _xxh64(data, 0).to_bytes(8, "little")


def twox_128(data: bytes) -> bytes:
    """XXH64 with seeds 0 and 1, the prefix hash of FRAME storage."""
    return _xxh64(data, 0).to_bytes(8, "little") + _xxh64(data, 1).to_bytes(8, "little")


def twox_256(data: bytes) -> bytes:
    """XXH64 with seeds 0 to 3."""
    return b"".join(_xxh64(data, seed).to_bytes(8, "little") for seed in range(4))


def sha2_256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def keccak_256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (not SHA-3)."""
    from Crypto.Hash import keccak  # rarely used by runtimes, slow to import

    return keccak.new(digest_bits=256, data=data).digest()


def keccak_512(data: bytes) -> bytes:
    """Keccak-512 (not SHA-3)."""
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=512, data=data).digest()
