"""Host functions that check signatures: what is accepted, and what versions and batches differ in."""

from __future__ import annotations

import hashlib

import pytest
import sr25519
from ecdsa import SECP256k1, SigningKey
from ecdsa.util import sigencode_string

from llmnet.devnode import RuntimeTrap

from .support import HostScript, Ptr

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ECDSA_KEY = SigningKey.from_string(b"\7" * 32, SECP256k1)
ECDSA_DIGEST = hashlib.blake2b(b"message", digest_size=32).digest()


def test_sr25519_signatures() -> None:
    public, secret = sr25519.pair_from_seed(bytes(32))
    signature = sr25519.sign((public, secret), b"message")
    name = "ext_crypto_sr25519_verify_version_2"

    def verify(signed: bytes, message: bytes, key: bytes) -> int:
        return HostScript().call(name, Ptr(signed), message, Ptr(key), result="i32").run()[0]

    assert verify(signature, b"message", public) == 1
    assert verify(signature, b"massage", public) == 0
    assert verify(bytes(64), b"message", public) == 0
    assert verify(b"\xff" * 64, b"message", b"\xff" * 32) == 0


def test_ed25519_signatures_follow_zip_215() -> None:
    name = "ext_crypto_ed25519_verify_version_1"
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )

    def verify(signed: bytes, message: bytes, key: bytes) -> int:
        return HostScript().call(name, Ptr(signed), message, Ptr(key), result="i32").run()[0]

    assert verify(signature, b"", public) == 1  # RFC 8032, test 1
    assert verify(signature, b"x", public) == 0
    assert verify(b"\xff" * 64, b"", b"\xff" * 32) == 0
    # A key of small order with an all-zero signature is valid under ZIP-215 and refused by strict verifiers.
    assert verify(b"\1" + bytes(63), b"whatever", b"\1" + bytes(31)) == 1


def test_secp256k1_recovery_and_verification() -> None:
    key = SigningKey.from_string(b"\7" * 32, SECP256k1)
    message = b"message"
    digest = hashlib.blake2b(message, digest_size=32).digest()
    body = key.sign_digest_deterministic(digest, hashlib.sha256, sigencode=sigencode_string)
    public = key.get_verifying_key()
    name = "ext_crypto_secp256k1_ecdsa_recover_version_2"
    answers = {
        v: HostScript().call(name, Ptr(body + bytes([v])), Ptr(digest), result="i64").run()
        for v in (0, 1, 27, 28)
    }
    wanted = b"\0" + public.to_string()
    assert [answers[0], answers[1]].count(wanted) == 1
    assert (answers[0], answers[1]) == (answers[27], answers[28])
    right = 0 if answers[0] == wanted else 1
    compressed = public.to_string("compressed")
    verify = "ext_crypto_ecdsa_verify_version_2"
    for v, wanted_flag in ((right, 1), (1 - right, 0)):
        signed = Ptr(body + bytes([v]))
        assert (
            HostScript().call(verify, signed, message, Ptr(compressed), result="i32").run()[0] == wanted_flag
        )
    assert HostScript().call(name, Ptr(body + b"\5"), Ptr(digest), result="i64").run() == b"\1\1"
    assert HostScript().call(name, Ptr(bytes(64) + b"\0"), Ptr(digest), result="i64").run() == b"\1\2"


def recovered(signature: bytes, version: int = 2, compressed: bool = True) -> bytes:
    name = f"ext_crypto_secp256k1_ecdsa_recover_{'compressed_' if compressed else ''}version_{version}"
    return HostScript().call(name, Ptr(signature), Ptr(ECDSA_DIGEST), result="i64").run()


def ecdsa_signature() -> tuple[bytes, bytes]:
    """A signature with its right recovery id, and the compressed public key."""
    public = ECDSA_KEY.get_verifying_key().to_string("compressed")
    body = ECDSA_KEY.sign_digest_deterministic(ECDSA_DIGEST, hashlib.sha256, sigencode=sigencode_string)
    right = next(v for v in (0, 1) if recovered(body + bytes([v])) == b"\0" + public)
    return body + bytes([right]), public


def test_recovery_errors_are_told_apart() -> None:
    signature, _ = ecdsa_signature()
    zero, over = bytes(32), N.to_bytes(32, "big")
    for version in (1, 2):
        assert recovered(signature[:64] + b"\4", version) == b"\1\1"  # no recovery id
        assert recovered(signature[:64] + b"\x1f", version) == b"\1\1"  # 31 - 27 = 4
        assert recovered(zero + signature[32:], version) == b"\1\2"
        assert recovered(signature[:32] + zero + signature[64:], version) == b"\1\2"
    # Numbers from the order on: refused by the second version, reduced (here to zero) by the first.
    assert recovered(over + signature[32:], 2) == b"\1\0"
    assert recovered(over + signature[32:], 1) == b"\1\2"


def test_recovery_ids_2_and_3_name_points_beyond_the_order() -> None:
    signature, _ = ecdsa_signature()
    assert recovered(signature[:64] + b"\2") == b"\1\2"  # r + n is no coordinate
    small = (2).to_bytes(32, "big") + signature[32:64]  # r + n is one
    assert recovered(small + b"\2")[:1] == b"\0"
    assert recovered(small + b"\2") != recovered(small + b"\3")


def test_the_first_version_reduces_overflowing_numbers() -> None:
    signature, _ = ecdsa_signature()
    s = 5
    plain = signature[:32] + s.to_bytes(32, "big") + signature[64:]
    overflowing = signature[:32] + (s + N).to_bytes(32, "big") + signature[64:]
    assert recovered(plain, 1) == recovered(plain, 2) == recovered(overflowing, 1)
    assert recovered(plain, 1)[:1] == b"\0"
    assert recovered(overflowing, 2) == b"\1\0"
    key = recovered(plain)[1:]
    for version, answer in ((1, 1), (2, 0)):
        name = f"ext_crypto_ecdsa_verify_version_{version}"
        assert (
            HostScript().call(name, Ptr(overflowing), b"message", Ptr(key), result="i32").run()[0] == answer
        )


def test_verifying_takes_no_recovery_ids_of_27_and_28() -> None:
    """Recovery does; a node that verified them would accept blocks that others refuse."""
    signature, public = ecdsa_signature()
    shifted = signature[:64] + bytes([signature[64] + 27])
    assert recovered(shifted) == b"\0" + public
    for name, message in (("verify_version_1", b"message"), ("verify_version_2", b"message"),
                          ("verify_prehashed_version_1", Ptr(ECDSA_DIGEST))):  # fmt: skip
        verify = [
            HostScript()
            .call(f"ext_crypto_ecdsa_{name}", Ptr(one), message, Ptr(public), result="i32")
            .run()[0]
            for one in (signature, shifted)
        ]
        assert verify == [1, 0]


def test_a_batch_remembers_a_wrong_signature() -> None:
    public, secret = sr25519.pair_from_seed(bytes(32))
    good = sr25519.sign((public, secret), b"message")
    start, finish = "ext_crypto_start_batch_verify_version_1", "ext_crypto_finish_batch_verify_version_1"

    def batch(*messages: bytes) -> int:
        script = HostScript().call(start)
        for message in messages:
            script.call(
                "ext_crypto_sr25519_batch_verify_version_1", Ptr(good), message, Ptr(public), result="i32"
            )
        return script.call(finish, result="i32").run()[0]

    assert [batch(), batch(b"message"), batch(b"message", b"massage"), batch(b"massage", b"message")] == [
        1,
        1,
        0,
        0,
    ]
    alone = HostScript().call(
        "ext_crypto_sr25519_batch_verify_version_1", Ptr(good), b"x", Ptr(public), result="i32"
    )
    assert alone.run()[0] == 0
    with pytest.raises(RuntimeTrap, match="did not start"):
        HostScript().call(finish, result="i32").run()
    with pytest.raises(RuntimeTrap, match="within another"):
        HostScript().call(start).call(start).run()


def test_signatures_of_before_the_audit_stop_the_call() -> None:
    name = "ext_crypto_sr25519_verify_version_1"
    public, secret = sr25519.pair_from_seed(bytes(32))
    good = sr25519.sign((public, secret), b"message")
    assert HostScript().call(name, Ptr(good), b"massage", Ptr(public), result="i32").run()[0] == 0
    unmarked = good[:63] + bytes([good[63] & 0x7F])
    with pytest.raises(RuntimeTrap, match=r"before 0\.8"):
        HostScript().call(name, Ptr(unmarked), b"message", Ptr(public), result="i32").run()
