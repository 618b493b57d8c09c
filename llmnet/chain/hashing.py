"""The hash functions of storage keys and extrinsics."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import xxhash


def blake2_128(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def blake2_256(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def twox_64(data: bytes) -> bytes:
    return xxhash.xxh64_intdigest(data).to_bytes(8, "little")


def twox_128(data: bytes) -> bytes:
    return b"".join(xxhash.xxh64_intdigest(data, seed=seed).to_bytes(8, "little") for seed in range(2))


def twox_256(data: bytes) -> bytes:
    return b"".join(xxhash.xxh64_intdigest(data, seed=seed).to_bytes(8, "little") for seed in range(4))


# name -> (hash, digest length, whether the key itself follows the digest)
STORAGE_HASHERS: dict[str, tuple[Callable[[bytes], bytes], int, bool]] = {
    "Blake2_128": (blake2_128, 16, False),
    "Blake2_256": (blake2_256, 32, False),
    "Blake2_128Concat": (blake2_128, 16, True),
    "Twox128": (twox_128, 16, False),
    "Twox256": (twox_256, 32, False),
    "Twox64Concat": (twox_64, 8, True),
    "Identity": (lambda _: b"", 0, True),
}
