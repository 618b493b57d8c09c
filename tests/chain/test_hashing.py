"""Storage hashers and keys against published values."""

from __future__ import annotations

import pytest

from llmnet.chain import Keypair, Runtime
from llmnet.chain.hashing import STORAGE_HASHERS, blake2_128, twox_64, twox_128, twox_256

ACCOUNT_PREFIX = "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"


def test_the_key_of_alices_account_is_the_known_one(runtime: Runtime, alice: Keypair) -> None:
    entry = runtime.storage("System", "Account")
    key = runtime.storage_key(entry, (alice.public,))
    assert key.hex() == ACCOUNT_PREFIX + "de1e86a9a8c739864cf3cc5ec2bea59f" + alice.public.hex()
    assert runtime.storage_key(entry, ()).hex() == ACCOUNT_PREFIX
    assert runtime.storage_key_parts(entry, key) == (alice.public,)


def test_widths_share_their_beginning() -> None:
    data = b"System"
    assert twox_128(data).hex() == "26aa394eea5630e07c48ae0c9558cef7"
    assert twox_256(data)[:16] == twox_128(data)
    assert twox_128(data)[:8] == twox_64(data)
    assert len(blake2_128(data)) == 16


@pytest.mark.parametrize("name", STORAGE_HASHERS)
def test_digest_lengths_are_as_stated(name: str) -> None:
    function, size, _ = STORAGE_HASHERS[name]
    assert len(function(b"key")) == size
