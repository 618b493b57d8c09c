"""Signatures bind account, use, chain and every byte of the payload."""

from __future__ import annotations

import pytest
import sr25519
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.proof import FieldError, KeyPair, ProofError, sign, verify_signature

PAIR, OTHER = KeyPair.from_seed(b"k" * 32), KeyPair.from_seed(b"l" * 32)
GENESIS = b"g" * 32


def test_a_signature_verifies_here_and_with_the_bare_binding() -> None:
    signature = sign(PAIR, "voucher", GENESIS, b"payload")
    assert verify_signature(PAIR.public, signature, "voucher", GENESIS, b"payload")
    assert sr25519.verify(signature, b"llmnet/voucher/1" + GENESIS + b"payload", PAIR.public)


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=50), st.binary(max_size=50))
def test_another_payload_does_not_verify(signed: bytes, shown: bytes) -> None:
    signature = sign(PAIR, "receipt", GENESIS, signed)
    assert verify_signature(PAIR.public, signature, "receipt", GENESIS, shown) == (signed == shown)


@pytest.mark.parametrize("name", ["request", "receipt", "fetch"])
def test_another_use_does_not_verify(name: str) -> None:
    signature = sign(PAIR, "voucher", GENESIS, b"")
    assert not verify_signature(PAIR.public, signature, name, GENESIS, b"")


def test_another_chain_account_or_signature_does_not_verify() -> None:
    signature = sign(PAIR, "voucher", GENESIS, b"")
    assert not verify_signature(PAIR.public, signature, "voucher", b"h" * 32, b"")
    assert not verify_signature(OTHER.public, signature, "voucher", GENESIS, b"")
    for place in (0, 31, 32, 63):
        bent = bytearray(signature)
        bent[place] ^= 1
        assert not verify_signature(PAIR.public, bytes(bent), "voucher", GENESIS, b"")


@pytest.mark.parametrize(
    ("account", "signature"),
    [
        (b"", b""),
        (b"x", bytes(64)),
        (b"\xff" * 32, bytes(64)),
        (PAIR.public, b"\xff" * 64),
        (PAIR.public, bytes(63)),
    ],
)
def test_bytes_that_are_no_key_or_signature_are_false_not_a_crash(account: bytes, signature: bytes) -> None:
    assert verify_signature(account, signature, "voucher", GENESIS, b"") is False


def test_unknown_uses_and_bad_genesis_raise() -> None:
    with pytest.raises(ProofError, match="unknown signature domain"):
        sign(PAIR, "spec", GENESIS, b"")
    with pytest.raises(FieldError, match="genesis hash"):
        sign(PAIR, "voucher", b"", b"")
    with pytest.raises(FieldError, match="key seed"):
        KeyPair.from_seed(b"short")


def test_the_secret_never_shows() -> None:
    assert PAIR.secret.hex() not in repr(PAIR)
    assert repr(PAIR.secret) not in repr(PAIR)
