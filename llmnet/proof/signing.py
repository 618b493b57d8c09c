"""sr25519 signatures bound to a use and to one chain (protocol section 1); the only module that touches the
curve.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import sr25519

from .errors import ProofError
from .hashing import domain
from .scale import check_bytes

SIGNATURE_NAMES = frozenset(("request", "receipt", "voucher", "fetch"))


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An sr25519 key pair; the account is the public key. The secret never shows in a repr."""

    public: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The pair of a 32-byte mini secret."""
        public, secret = sr25519.pair_from_seed(check_bytes(seed, 32, "key seed"))
        return cls(bytes(public), bytes(secret))


def signing_bytes(name: str, genesis_hash: bytes, payload: bytes) -> bytes:
    """What is signed: domain, genesis hash, SCALE payload.

    Raises ProofError for a name that the protocol does not list.
    """
    if name not in SIGNATURE_NAMES:
        raise ProofError(f"unknown signature domain {name!r}; the protocol lists {sorted(SIGNATURE_NAMES)}")
    return domain(name) + check_bytes(genesis_hash, 32, "genesis hash") + payload


def sign(pair: KeyPair, name: str, genesis_hash: bytes, payload: bytes) -> bytes:
    """64-byte signature; sr25519 is randomised, so two signatures of the same bytes differ."""
    return bytes(sr25519.sign((pair.public, pair.secret), signing_bytes(name, genesis_hash, payload)))


def verify_signature(
    account: bytes, signature: bytes, name: str, genesis_hash: bytes, payload: bytes
) -> bool:
    """Whether `account` signed this payload for this use on this chain; false for keys or signatures of the
    wrong form too.
    """
    message = signing_bytes(name, genesis_hash, payload)
    if len(account) != 32 or len(signature) != 64:
        return False
    try:
        return bool(sr25519.verify(signature, message, account))
    except ValueError:  # not a point or a scalar of the curve
        return False
