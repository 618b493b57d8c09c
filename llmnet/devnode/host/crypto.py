"""Host functions: signature checks.

There is no keystore: functions that sign or generate keys are missing.
"""

from __future__ import annotations

import ed25519_zebra
import sr25519

from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.host.registry import HostCall, HostRefusedError, host_function
from llmnet.devnode.instance import MASK32

_BAD_V, _BAD_SIGNATURE = b"\1\1", b"\1\2"


@host_function("ext_crypto_sr25519_verify_version_2")
def sr25519_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    instance = host.instance
    try:
        return int(
            sr25519.verify(
                instance.read(signature & MASK32, 64),
                instance.read_span(message),
                instance.read(public & MASK32, 32),
            )
        )
    except ValueError:  # bytes that are no signature or no point
        return 0


@host_function("ext_crypto_ed25519_verify_version_1")
def ed25519_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    """Follows ZIP-215, as the chain's own verifier does."""
    instance = host.instance
    try:
        return int(
            ed25519_zebra.ed_verify(
                instance.read(signature & MASK32, 64),
                instance.read_span(message),
                instance.read(public & MASK32, 32),
            )
        )
    except ValueError:
        return 0


def _recover(signature: bytes, digest: bytes) -> tuple[bytes, bytes] | bytes:
    """The 64-byte and the 33-byte public key that signed, or the encoded error."""
    try:
        from eth_keys import exceptions, keys  # type: ignore[attr-defined, unused-ignore]
        from eth_utils import ValidationError  # type: ignore[attr-defined, unused-ignore]
    except ImportError:
        raise HostRefusedError("ECDSA needs the Python package eth-keys, which is not installed") from None
    recovery = signature[64] - 27 if signature[64] > 26 else signature[64]
    if recovery > 3:
        return _BAD_V
    try:
        key = keys.Signature(signature[:64] + bytes((recovery,))).recover_public_key_from_msg_hash(digest)
        return key.to_bytes(), key.to_compressed_bytes()
    except (exceptions.BadSignature, ValidationError):
        return _BAD_SIGNATURE


def _recover_from(host: HostCall, signature: int, digest: int, compressed: bool) -> int:
    instance = host.instance
    found = _recover(instance.read(signature & MASK32, 65), instance.read(digest & MASK32, 32))
    return instance.allocate_span(found if isinstance(found, bytes) else b"\0" + found[compressed])


for _version in (1, 2):
    host_function(f"ext_crypto_secp256k1_ecdsa_recover_version_{_version}")(
        lambda host, signature, digest: _recover_from(host, signature, digest, False)
    )
    host_function(f"ext_crypto_secp256k1_ecdsa_recover_compressed_version_{_version}")(
        lambda host, signature, digest: _recover_from(host, signature, digest, True)
    )


def _ecdsa_matches(host: HostCall, signature: int, digest: bytes, public: int) -> int:
    found = _recover(host.instance.read(signature & MASK32, 65), digest)
    return int(not isinstance(found, bytes) and found[1] == host.instance.read(public & MASK32, 33))


@host_function("ext_crypto_ecdsa_verify_version_2")
def ecdsa_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    return _ecdsa_matches(host, signature, blake2_256(host.instance.read_span(message)), public)


@host_function("ext_crypto_ecdsa_verify_prehashed_version_1")
def ecdsa_verify_prehashed(host: HostCall, signature: int, digest: int, public: int) -> int:
    return _ecdsa_matches(host, signature, host.instance.read(digest & MASK32, 32), public)
