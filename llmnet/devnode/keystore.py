"""Session keys that a runtime may make and sign with in calls from outside of blocks. They live in memory only."""

from __future__ import annotations

import secrets
import threading
from typing import Literal

import ed25519_zebra
import sr25519

from llmnet.devnode.errors import DevnodeError

Scheme = Literal["sr25519", "ed25519", "ecdsa"]
SEED_BYTES = 32


class BadSeed(DevnodeError):
    """A seed is not 32 bytes in hexadecimal form."""


class Keystore:
    """Key pairs by key type (4 bytes, such as b"aura") and scheme. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seeds: dict[tuple[bytes, Scheme], dict[bytes, bytes]] = {}

    def __repr__(self) -> str:
        return "Keystore()"  # never what is in it

    def generate(self, key_type: bytes, scheme: Scheme, seed: str | None = None) -> bytes:
        """Makes a key pair, from a seed (64 hexadecimal digits) or at random; returns the public key.

        Raises BadSeed.
        """
        secret = secrets.token_bytes(SEED_BYTES) if seed is None else _read_seed(seed)
        public = _public(scheme, secret)
        with self._lock:
            self._seeds.setdefault((key_type, scheme), {})[public] = secret
        return public

    def public_keys(self, key_type: bytes, scheme: Scheme) -> list[bytes]:
        """The public keys of a type and scheme, sorted."""
        with self._lock:
            return sorted(self._seeds.get((key_type, scheme), ()))

    def has(self, key_type: bytes, public: bytes) -> bool:
        """Whether there is a key pair of this type with this public key, of whatever scheme."""
        with self._lock:
            return any(public in keys for (kind, _), keys in self._seeds.items() if kind == key_type)

    def sign(self, key_type: bytes, scheme: Scheme, public: bytes, message: bytes) -> bytes | None:
        """The signature of a message (for ecdsa of a 32-byte digest), None if the key is not here."""
        with self._lock:
            secret = self._seeds.get((key_type, scheme), {}).get(public)
        return None if secret is None else _sign(scheme, secret, message)


def _read_seed(seed: str) -> bytes:
    try:
        secret = bytes.fromhex(seed.removeprefix("0x"))
    except ValueError:
        secret = b""
    if len(secret) != SEED_BYTES:
        raise BadSeed("the keystore takes seeds of 64 hexadecimal digits, no phrases and no derivation paths")
    return secret


def _public(scheme: Scheme, secret: bytes) -> bytes:
    if scheme == "sr25519":
        return bytes(sr25519.pair_from_seed(secret)[0])
    if scheme == "ed25519":
        return bytes(ed25519_zebra.ed_from_seed(secret)[1])
    import coincurve  # slow to import

    return bytes(coincurve.PrivateKey(secret).public_key.format())


def _sign(scheme: Scheme, secret: bytes, message: bytes) -> bytes:
    if scheme == "sr25519":
        return bytes(sr25519.sign(sr25519.pair_from_seed(secret), message))
    if scheme == "ed25519":
        return bytes(ed25519_zebra.ed_sign(ed25519_zebra.ed_from_seed(secret)[0], message))
    import coincurve

    return bytes(coincurve.PrivateKey(secret).sign_recoverable(message, hasher=None))
