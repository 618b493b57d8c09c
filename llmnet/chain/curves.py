"""The signature schemes of a Substrate account: sr25519, ed25519, ecdsa (secp256k1).

One object per scheme; all of them take and give bytes. What a secret is differs: 64 bytes (scalar and nonce) for sr25519, the
32-byte seed for ed25519, the 32-byte scalar for ecdsa. Source of derivation and accounts: sp_core::{sr25519, ed25519, ecdsa},
sp_runtime::MultiSigner.
"""

from __future__ import annotations

from typing import Any, Protocol

import coincurve
import ed25519_zebra
import sr25519

from llmnet.chain.errors import KeyFormatError
from llmnet.chain.hashing import blake2_256
from llmnet.chain.scale import encode_bytes

SEED_SIZE = 32


class Scheme(Protocol):
    """name: as key files and `--scheme` call it. variant: its name in `MultiSignature`."""

    name: str
    variant: str
    public_size: int
    secret_size: int
    signature_size: int

    def pair(self, seed: bytes) -> tuple[bytes, bytes]:
        """(public, secret) of a 32-byte seed. Raises KeyFormatError for a seed that is no key of the curve."""

    def public_of(self, secret: bytes) -> bytes:
        """Raises KeyFormatError."""

    def derive(self, public: bytes, secret: bytes, chain_code: bytes, hard: bool) -> tuple[bytes, bytes]:
        """The child pair. Raises KeyFormatError where the scheme has no soft derivation."""

    def account(self, public: bytes) -> bytes:
        """The 32-byte account of a public key."""

    def sign(self, public: bytes, secret: bytes, message: bytes) -> bytes: ...

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Sizes were checked; anything malformed is simply False."""

    def signed_by(self, account: bytes, message: bytes, signature: bytes) -> bool:
        """The same where only the account is known."""


class _Sr25519:
    name, variant = "sr25519", "Sr25519"
    public_size, secret_size, signature_size = 32, 64, 64

    def pair(self, seed: bytes) -> tuple[bytes, bytes]:
        public, secret = sr25519.pair_from_seed(seed)
        return bytes(public), bytes(secret)

    def public_of(self, secret: bytes) -> bytes:
        try:
            return bytes(sr25519.public_from_secret_key(secret))
        except ValueError:
            raise KeyFormatError("the secret is not one of sr25519") from None

    def derive(self, public: bytes, secret: bytes, chain_code: bytes, hard: bool) -> tuple[bytes, bytes]:
        step = sr25519.hard_derive_keypair if hard else sr25519.derive_keypair
        _, child, child_secret = step((chain_code, public, secret), b"")
        return bytes(child), bytes(child_secret)

    def account(self, public: bytes) -> bytes:
        return public

    def sign(self, public: bytes, secret: bytes, message: bytes) -> bytes:
        return bytes(sr25519.sign((public, secret), message))

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            return bool(sr25519.verify(signature, message, public))
        except ValueError:
            return False

    signed_by = verify


class _Ed25519:
    name, variant = "ed25519", "Ed25519"
    public_size, secret_size, signature_size = 32, 32, 64

    def pair(self, seed: bytes) -> tuple[bytes, bytes]:
        return self.public_of(seed), seed

    def public_of(self, secret: bytes) -> bytes:
        return bytes(ed25519_zebra.ed_public_from_secret(secret))

    def derive(self, public: bytes, secret: bytes, chain_code: bytes, hard: bool) -> tuple[bytes, bytes]:  # noqa: ARG002
        return self.pair(_hard_seed("Ed25519HDKD", self.name, secret, chain_code, hard))

    def account(self, public: bytes) -> bytes:
        return public

    def sign(self, public: bytes, secret: bytes, message: bytes) -> bytes:  # noqa: ARG002 - it is in the secret
        return bytes(ed25519_zebra.ed_sign(secret, message))

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            return bool(ed25519_zebra.ed_verify(signature, message, public))
        except ValueError:
            return False

    signed_by = verify


class _Ecdsa:
    """secp256k1 over the blake2 hash of the message; signatures carry their recovery id (65 bytes)."""

    name, variant = "ecdsa", "Ecdsa"
    public_size, secret_size, signature_size = 33, 32, 65

    def pair(self, seed: bytes) -> tuple[bytes, bytes]:
        return self.public_of(seed), seed

    def public_of(self, secret: bytes) -> bytes:
        try:
            return bytes(coincurve.PrivateKey(secret).public_key.format())
        except ValueError:
            raise KeyFormatError(
                "the seed is not a key of secp256k1: zero, or above the curve's order"
            ) from None

    def derive(self, public: bytes, secret: bytes, chain_code: bytes, hard: bool) -> tuple[bytes, bytes]:  # noqa: ARG002
        return self.pair(_hard_seed("Secp256k1HDKD", self.name, secret, chain_code, hard))

    def account(self, public: bytes) -> bytes:
        return blake2_256(public)

    def sign(self, public: bytes, secret: bytes, message: bytes) -> bytes:  # noqa: ARG002 - it is in the secret
        return bytes(coincurve.PrivateKey(secret).sign_recoverable(blake2_256(message), hasher=None))

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        return self._signer(message, signature) == public

    def signed_by(self, account: bytes, message: bytes, signature: bytes) -> bool:
        signer = self._signer(message, signature)
        return signer is not None and self.account(signer) == account

    @staticmethod
    def _signer(message: bytes, signature: bytes) -> bytes | None:
        try:
            key = coincurve.PublicKey.from_signature_and_message(signature, blake2_256(message), hasher=None)
            return bytes(key.format())
        except Exception:  # noqa: BLE001 - the library raises bare Exception for a point that is none
            return None


def _hard_seed(label: str, scheme: str, seed: bytes, chain_code: bytes, hard: bool) -> bytes:
    """The seed of a hard junction: the hash of (label, seed, chain code) in SCALE."""
    if not hard:
        raise KeyFormatError(f"{scheme} keys have no soft derivation: use //hard junctions only")
    return blake2_256(encode_bytes(label.encode()) + seed + chain_code)


SR25519: Scheme = _Sr25519()
ED25519: Scheme = _Ed25519()
ECDSA: Scheme = _Ecdsa()
SCHEMES = {scheme.name: scheme for scheme in (SR25519, ED25519, ECDSA)}


def scheme_named(name: Any) -> Scheme:
    """Raises KeyFormatError."""
    found = SCHEMES.get(name) if isinstance(name, str) else None
    if found is None:
        raise KeyFormatError(f"{str(name)[:40]!r} is no signature scheme: there are {', '.join(SCHEMES)}")
    return found
