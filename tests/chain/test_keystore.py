"""Encrypted key files: what polkadot-js's format says, other writers' files, and whatever is wrong with them."""

from __future__ import annotations

import base64
import json
import struct
from hashlib import scrypt
from pathlib import Path
from typing import Any

import nacl.secret
import pytest
import sr25519
from hypothesis import given
from hypothesis import strategies as st
from substrateinterface import Keypair as TheirKeypair

from llmnet.chain import KeyFormatError, Keypair, WrongPassword, verify
from llmnet.chain import keystore as store
from llmnet.chain.curves import SCHEMES

PASSWORD = "a password"
HEADER = bytes.fromhex("3053020101300506032b657004220420")
DIVIDER = bytes.fromhex("a123032100")


@pytest.fixture(scope="module")
def sealed() -> dict[str, str]:
    """Written with cheaper parameters than usual, so that many can be opened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "WRITTEN", (1 << 15, 1, 8))
        return written_by_us()


def written_by_us() -> dict[str, str]:
    return {name: Keypair.from_uri("//Alice", name).to_json(PASSWORD, "mine") for name in SCHEMES}


def written(content: bytes, kind: list[str] | str, scheme: str = "sr25519", version: str = "3") -> str:
    encoding = {"content": ["pkcs8", scheme], "type": kind, "version": version}
    return json.dumps(
        {"encoded": base64.b64encode(content).decode(), "encoding": encoding, "address": "", "meta": {}}
    )


def stretched(content: bytes, numbers: tuple[int, int, int]) -> bytes:
    """As version 3 is written, with scrypt of (N, p, r)."""
    n, p, r = numbers
    salt, nonce = bytes(32), bytes(24)
    key = scrypt(PASSWORD.encode(), salt=salt, n=n, r=r, p=p, dklen=64, maxmem=1 << 28)[:32]
    return (
        salt
        + struct.pack("<3I", *numbers)
        + nonce
        + nacl.secret.SecretBox(key).encrypt(content, nonce).ciphertext
    )


def alice_inside() -> bytes:
    public, secret = sr25519.pair_from_seed(bytes([7] * 32))
    return HEADER + bytes(sr25519.convert_secret_key_to_ed25519(secret)) + DIVIDER + bytes(public)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_sealed_key_opens_with_its_password_only(sealed: dict[str, str], scheme: str) -> None:
    pair = Keypair.from_json(sealed[scheme], lambda: PASSWORD)
    assert (pair.public, pair.scheme.name) == (Keypair.from_uri("//Alice", scheme).public, scheme)
    assert verify(pair.public, b"m", pair.sign(b"m"), scheme)
    for wrong in ("", PASSWORD + " "):
        with pytest.raises(WrongPassword):
            Keypair.from_json(sealed[scheme], lambda wrong=wrong: wrong)  # type: ignore[misc]
    with pytest.raises(WrongPassword, match="a password is needed"):
        Keypair.from_json(sealed[scheme])


def test_what_is_written_says_what_it_is_and_hides_the_secret(sealed: dict[str, str]) -> None:
    text = Keypair.from_uri("//Alice").to_json(PASSWORD, "mine")
    found = json.loads(text)
    assert Keypair.from_json(text, lambda: PASSWORD).address == found["address"]
    assert found["encoding"] == {
        "content": ["pkcs8", "sr25519"],
        "type": ["scrypt", "xsalsa20-poly1305"],
        "version": "3",
    }
    assert found["address"] == "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    assert found["meta"]["name"] == "mine"
    raw = base64.b64decode(found["encoded"])
    assert struct.unpack("<3I", raw[32:44]) == (1 << 17, 1, 8)
    assert json.loads(sealed["sr25519"])["encoded"][:40] != found["encoded"][:40]  # a fresh salt each time
    with pytest.raises(KeyFormatError, match="not empty"):
        Keypair.from_uri("//Alice").to_json("")


@pytest.mark.parametrize("numbers", [n for n in store._ALLOWED if n[0] <= 1 << 15])
def test_older_parameters_of_scrypt_are_read(numbers: tuple[int, int, int]) -> None:
    text = written(stretched(alice_inside(), numbers), ["scrypt", "xsalsa20-poly1305"])
    assert Keypair.from_json(text, lambda: PASSWORD).public == Keypair.from_seed(bytes([7] * 32)).public


@pytest.mark.parametrize("numbers", [(1 << 14, 1, 8), (1 << 20, 1, 8), (0, 0, 0), (1 << 15, 1, 16)])
def test_other_parameters_are_refused_before_any_memory_is_spent(
    numbers: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_stretch", None)  # would fail if called
    content = bytes(32) + struct.pack("<3I", *numbers) + bytes(200)
    with pytest.raises(KeyFormatError, match="scrypt"):
        Keypair.from_json(written(content, ["scrypt", "xsalsa20-poly1305"]), lambda: PASSWORD)


def test_version_2_has_the_padded_password_as_key_and_a_seed_inside() -> None:
    seed, nonce = bytes([7] * 32), bytes(24)
    pair = Keypair.from_seed(seed)
    content = HEADER + seed + DIVIDER + pair.public
    box = nacl.secret.SecretBox(PASSWORD.encode().ljust(32, b"\0")).encrypt(content, nonce).ciphertext
    found = json.loads(written(b"", "xsalsa20-poly1305", version="2"))
    found["encoded"] = "0x" + (nonce + box).hex()
    assert Keypair.from_json(json.dumps(found), lambda: PASSWORD).public == pair.public


def test_a_key_without_a_password_is_read_only_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(written(alice_inside(), ["none"]))
    path.chmod(0o644)
    with pytest.raises(KeyFormatError, match="chmod 600"):
        Keypair.from_file(path)
    path.chmod(0o600)
    assert Keypair.from_file(path).public == Keypair.from_seed(bytes([7] * 32)).public


def test_an_encrypted_file_may_lie_open_and_says_its_name_when_it_does_not_open(
    tmp_path: Path, sealed: dict[str, str]
) -> None:
    path = tmp_path / "key.json"
    path.write_text(sealed["ed25519"])
    path.chmod(0o644)
    assert Keypair.from_file(path, lambda: PASSWORD).scheme.name == "ed25519"
    with pytest.raises(WrongPassword, match=r"key\.json"):
        Keypair.from_file(path, lambda: "no")


def test_what_substrate_interface_wrote_is_read() -> None:
    bob = TheirKeypair.create_from_uri("//Bob")
    text = json.dumps(bob.export_to_encrypted_json(PASSWORD, "theirs"))
    assert Keypair.from_json(text, lambda: PASSWORD).public == bob.public_key


def bent(text: str, **changes: Any) -> str:
    found = json.loads(text)
    for name, value in changes.items():
        target = found["encoding"] if name in found["encoding"] else found
        target[name] = value
    return json.dumps(found)


@pytest.mark.parametrize(
    "change",
    [
        {"content": ["pkcs8"]},
        {"content": ["pkcs8", "sr25518"]},
        {"content": ["batch-pkcs8", "sr25519"]},
        {"content": ["pkcs8", ["sr25519"]]},
        {"content": None},
        {"version": "4"},
        {"version": None},
        {"encoded": "!"},
        {"encoded": "0xabc"},
        {"encoded": ""},
        {"encoded": 17},
        {"encoding": []},
        {"meta": 5},
        {"type": ["none"]},
        {"type": []},
    ],
)
def test_what_is_no_key_file_is_refused(sealed: dict[str, str], change: dict[str, Any]) -> None:
    with pytest.raises(KeyFormatError):
        Keypair.from_json(bent(sealed["sr25519"], **change), lambda: PASSWORD)


@pytest.mark.parametrize("text", ["{", "[]", "null", '"x"', "{}", '{"encoded": "0x"}', "[" * 100_000])
def test_what_is_no_json_of_a_key_is_refused(text: str) -> None:
    with pytest.raises(KeyFormatError):
        Keypair.from_json(text, lambda: PASSWORD)


@given(st.integers(0, 1 << 16), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, flip: int) -> None:
    key = PASSWORD.encode().ljust(32, b"\0")
    box = nacl.secret.SecretBox(key).encrypt(alice_inside(), bytes(24)).ciphertext
    raw = bytearray(bytes(24) + box)
    raw[place % len(raw)] ^= flip
    with pytest.raises(WrongPassword):
        Keypair.from_json(written(bytes(raw), ["xsalsa20-poly1305"], version="2"), lambda: PASSWORD)


@pytest.mark.parametrize("cut", [0, 10, 43, 44, 60, 68, 90])
def test_a_cut_off_file_is_refused(cut: int) -> None:
    raw = stretched(alice_inside(), (1 << 15, 1, 8))
    with pytest.raises(KeyFormatError):
        Keypair.from_json(written(raw[:cut], ["scrypt", "xsalsa20-poly1305"]), lambda: PASSWORD)


def test_a_public_key_that_does_not_belong_to_the_secret_is_noticed() -> None:
    content = alice_inside()
    with pytest.raises(KeyFormatError, match="does not belong"):
        Keypair.from_json(written(content[:-1] + bytes([content[-1] ^ 1]), ["none"]))


@pytest.mark.parametrize("scheme", ["ecdsa", "ed448"])
def test_a_key_of_another_scheme_than_named_is_refused(scheme: str) -> None:
    with pytest.raises(KeyFormatError):
        Keypair.from_json(written(alice_inside(), ["none"], scheme))
