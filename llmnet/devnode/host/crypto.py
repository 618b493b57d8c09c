"""Host functions: signature checks, one by one and in what used to be batches."""

from __future__ import annotations

import ed25519_zebra
import sr25519

from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.host.registry import HostCall, HostRefusedError, host_function
from llmnet.devnode.host.secp256k1 import RecoveryError, recover
from llmnet.devnode.instance import MASK32


def _sr25519(host: HostCall, signature: int, message: int, public: int) -> bool:
    instance = host.instance
    try:
        return bool(
            sr25519.verify(
                instance.read(signature & MASK32, 64),
                instance.read_span(message),
                instance.read(public & MASK32, 32),
            )
        )
    except ValueError:  # bytes that are no signature or no point
        return False


def _ed25519(host: HostCall, signature: int, message: int, public: int) -> bool:
    """Follows ZIP-215, as the chain's own verifier does."""
    instance = host.instance
    try:
        return bool(
            ed25519_zebra.ed_verify(
                instance.read(signature & MASK32, 64),
                instance.read_span(message),
                instance.read(public & MASK32, 32),
            )
        )
    except ValueError:
        return False


def _ecdsa(host: HostCall, signature: int, digest: bytes, public: int, *, overflowing: bool = False) -> bool:
    """Unlike recovery, a check takes recovery ids as they are: 27 and 28 are wrong."""
    signed = host.instance.read(signature & MASK32, 65)
    key = host.instance.read(public & MASK32, 33)
    try:
        return bool(recover(signed, digest, overflowing=overflowing).format() == key)
    except RecoveryError:
        return False


@host_function("ext_crypto_sr25519_verify_version_1")
def sr25519_verify_1(host: HostCall, signature: int, message: int, public: int) -> int:
    """Also took signatures of schnorrkel before its audit (no mark in the last byte), which stop the call here."""
    if not host.instance.read((signature & MASK32) + 63, 1)[0] & 0x80:
        raise HostRefusedError(
            "ext_crypto_sr25519_verify_version_1: signatures in schnorrkel's form of before 0.8 cannot be checked"
        )
    return int(_sr25519(host, signature, message, public))


@host_function("ext_crypto_sr25519_verify_version_2")
def sr25519_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    return int(_sr25519(host, signature, message, public))


@host_function("ext_crypto_ed25519_verify_version_1")
def ed25519_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    return int(_ed25519(host, signature, message, public))


@host_function("ext_crypto_ecdsa_verify_version_1")
def ecdsa_verify_1(host: HostCall, signature: int, message: int, public: int) -> int:
    digest = blake2_256(host.instance.read_span(message))
    return int(_ecdsa(host, signature, digest, public, overflowing=True))


@host_function("ext_crypto_ecdsa_verify_version_2")
def ecdsa_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    return int(_ecdsa(host, signature, blake2_256(host.instance.read_span(message)), public))


@host_function("ext_crypto_ecdsa_verify_prehashed_version_1")
def ecdsa_verify_prehashed(host: HostCall, signature: int, digest: int, public: int) -> int:
    return int(_ecdsa(host, signature, host.instance.read(digest & MASK32, 32), public))


def _recover(host: HostCall, signature: int, digest: int, *, compressed: bool, overflowing: bool) -> int:
    signed = host.instance.read(signature & MASK32, 65)
    recovery = signed[64] - 27 if signed[64] > 26 else signed[64]
    message = host.instance.read(digest & MASK32, 32)
    try:
        key = recover(signed[:64] + bytes((recovery,)), message, overflowing=overflowing)
    except RecoveryError as error:
        return host.instance.allocate_span(error.code)
    return host.instance.allocate_span(
        b"\0" + (key.format() if compressed else key.format(compressed=False)[1:])
    )


@host_function("ext_crypto_secp256k1_ecdsa_recover_version_1")
def recover_1(host: HostCall, signature: int, digest: int) -> int:
    return _recover(host, signature, digest, compressed=False, overflowing=True)


@host_function("ext_crypto_secp256k1_ecdsa_recover_version_2")
def recover_2(host: HostCall, signature: int, digest: int) -> int:
    return _recover(host, signature, digest, compressed=False, overflowing=False)


@host_function("ext_crypto_secp256k1_ecdsa_recover_compressed_version_1")
def recover_compressed_1(host: HostCall, signature: int, digest: int) -> int:
    return _recover(host, signature, digest, compressed=True, overflowing=True)


@host_function("ext_crypto_secp256k1_ecdsa_recover_compressed_version_2")
def recover_compressed_2(host: HostCall, signature: int, digest: int) -> int:
    return _recover(host, signature, digest, compressed=True, overflowing=False)


# Batches are of old runtimes. As in today's nodes each signature is checked at once and answered for; the
# batch remembers whether one was wrong.


def _batched(host: HostCall, good: bool) -> int:
    if host.batch is not None:
        host.batch = host.batch and good
    return int(good)


@host_function("ext_crypto_start_batch_verify_version_1")
def start_batch_verify(host: HostCall) -> None:
    if host.batch is not None:
        raise HostRefusedError("the runtime starts a batch of signatures within another one")
    host.batch = True


@host_function("ext_crypto_finish_batch_verify_version_1")
def finish_batch_verify(host: HostCall) -> int:
    if host.batch is None:
        raise HostRefusedError("the runtime finishes a batch of signatures that it did not start")
    good, host.batch = host.batch, None
    return int(good)


@host_function("ext_crypto_ed25519_batch_verify_version_1")
def ed25519_batch_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    return _batched(host, _ed25519(host, signature, message, public))


@host_function("ext_crypto_sr25519_batch_verify_version_1")
def sr25519_batch_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    return _batched(host, _sr25519(host, signature, message, public))


@host_function("ext_crypto_ecdsa_batch_verify_version_1")
def ecdsa_batch_verify(host: HostCall, signature: int, message: int, public: int) -> int:
    digest = blake2_256(host.instance.read_span(message))
    return _batched(host, _ecdsa(host, signature, digest, public))
