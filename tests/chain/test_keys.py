"""Keys and addresses: published vectors, substrate-interface as oracle, files, and that no secret leaks."""

from __future__ import annotations

import copy
import hashlib
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scalecodec.utils.ss58 import ss58_decode as their_decode
from scalecodec.utils.ss58 import ss58_encode as their_encode
from substrateinterface import Keypair as TheirKeypair
from substrateinterface import KeypairType

from llmnet.chain import KeyFormatError, Keypair, ss58_decode, ss58_encode, verify
from llmnet.chain.curves import SCHEMES
from llmnet.chain.hashing import blake2_256
from llmnet.chain.uris import DEV_PHRASE, new_phrase

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


def test_alice_is_alice() -> None:
    pair = Keypair.from_uri("//Alice")
    assert pair.public.hex() == "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
    assert pair.address == ALICE


@pytest.mark.parametrize(
    "uri",
    [
        "//Alice",
        "//Bob//stash",
        "//1",
        "//0",
        "//Alice/soft/2",
        "//a-name-that-is-longer-than-thirty-two-bytes-long",
        DEV_PHRASE,
    ],
)
def test_uris_derive_what_substrate_interface_derives(uri: str) -> None:
    assert Keypair.from_uri(uri).public == TheirKeypair.create_from_uri(uri).public_key


def test_seeds_as_hex() -> None:
    seed = bytes([7] * 32)
    theirs = TheirKeypair.create_from_seed(seed)
    assert Keypair.from_uri("0x" + seed.hex()).public == Keypair.from_seed(seed).public == theirs.public_key
    assert Keypair.from_uri("0x" + seed.hex() + "//hard").public != theirs.public_key


@pytest.mark.parametrize("password", ["", "password", "pass/word//with///slashes"])
def test_passwords_are_stretched_into_the_seed(password: str) -> None:
    phrase = "abandon " * 11 + "about"  # the phrase of sixteen zero bytes
    seed = hashlib.pbkdf2_hmac("sha512", bytes(16), b"mnemonic" + password.encode(), 2048)[:32]
    uri = f"{phrase}///{password}" if password else phrase
    assert Keypair.from_uri(uri).public == TheirKeypair.create_from_seed(seed).public_key


# Known from polkadot-sdk's tests and from `subkey inspect --scheme … //Alice`.
@pytest.mark.parametrize(
    ("uri", "scheme", "public", "address"),
    [
        (
            "//Alice",
            "ed25519",
            "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee",
            "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu",
        ),
        (
            "//Alice",
            "ecdsa",
            "020a1091341fe5664bfa1782d5e04779689068c916b04cb365ec3153755684d9a1",
            "5C7C2Z5sWbytvHpuLTvzKunnnRwQxft1jiqrLD5rhucQ5S9X",
        ),
        (
            "//Bob",
            "ecdsa",
            "0390084fdbf27d2b79d26a4f13f0ccd982cb755a661969143c37cbc49ef5b91f27",
            "5DVskgSC9ncWQpxFMeUn45NU43RUq93ByEge6ApbnLk6BR9N",
        ),
    ],
)
def test_published_keys_of_the_other_schemes(uri: str, scheme: str, public: str, address: str) -> None:
    pair = Keypair.from_uri(uri, scheme)
    assert (pair.public.hex(), pair.address) == (public, address)
    assert pair.account == (pair.public if scheme == "ed25519" else blake2_256(pair.public))


def test_ed25519_phrases_and_seeds_give_what_substrate_interface_makes() -> None:
    seed = bytes([7] * 32)
    theirs = [
        TheirKeypair.create_from_mnemonic(DEV_PHRASE, crypto_type=KeypairType.ED25519),
        TheirKeypair.create_from_seed(seed, crypto_type=KeypairType.ED25519),
    ]
    ours = [Keypair.from_mnemonic(DEV_PHRASE, scheme="ed25519"), Keypair.from_seed(seed, "ed25519")]
    assert [pair.public for pair in ours] == [pair.public_key for pair in theirs]
    assert theirs[0].verify(b"message", ours[0].sign(b"message"))


@pytest.mark.parametrize("scheme", ["ed25519", "ecdsa"])
def test_soft_junctions_are_refused_where_the_scheme_has_none(scheme: str) -> None:
    with pytest.raises(KeyFormatError, match="soft"):
        Keypair.from_uri("//Alice/soft", scheme)


def test_seeds_that_are_no_scalar_of_secp256k1_are_refused() -> None:
    for seed in (bytes(32), b"\xff" * 32):
        with pytest.raises(KeyFormatError, match="secp256k1"):
            Keypair.from_seed(seed, "ecdsa")
    with pytest.raises(KeyFormatError, match="signature scheme"):
        Keypair.from_seed(bytes(32), "rsa")


@given(st.binary(max_size=300), st.sampled_from(sorted(SCHEMES)))
def test_signatures_of_every_scheme_verify_and_only_as_they_are(message: bytes, scheme: str) -> None:
    pair, other = Keypair.from_uri("//Alice", scheme), Keypair.from_uri("//Bob", scheme)
    signature = pair.sign(message)
    assert len(signature) == pair.scheme.signature_size
    assert verify(pair.public, message, signature, scheme)
    assert not verify(other.public, message, signature, scheme)
    assert not verify(pair.public, message + b"\0", signature, scheme)
    assert not verify(pair.public, message, bytes([signature[0] ^ 1]) + signature[1:], scheme)
    for another in SCHEMES:
        assert another == scheme or not verify(pair.public, message, signature, another)


@pytest.mark.parametrize("words", [12, 24])
def test_new_phrases_are_fresh_and_usable(words: int) -> None:
    one, two = new_phrase(words), new_phrase(words)
    assert (len(one.split()), one == two) == (words, False)
    assert Keypair.from_mnemonic(one).public == TheirKeypair.create_from_mnemonic(one).public_key
    with pytest.raises(KeyFormatError, match="words"):
        new_phrase(13)


@given(st.binary(max_size=300))
def test_signatures_verify_and_only_as_they_are(message: bytes) -> None:
    pair, other = Keypair.from_uri("//Alice"), Keypair.from_uri("//Bob")
    signature = pair.sign(message)
    assert verify(pair.public, message, signature)
    assert TheirKeypair(public_key=pair.public, ss58_format=42).verify(message, signature)
    assert not verify(other.public, message, signature)
    assert not verify(pair.public, message + b"\0", signature)
    assert not verify(pair.public, message, bytes([signature[0] ^ 1]) + signature[1:])


@pytest.mark.parametrize(
    ("public", "signature"),
    [
        (b"", bytes(64)),
        (bytes(32), b""),
        (b"\xff" * 32, b"\xff" * 64),
        (bytes(33), bytes(65)),
        (b"\xff" * 33, b"\xff" * 65),
        (b"\2" + bytes(31) + b"\1", b"\1" * 64 + b"\4"),
    ],
)
def test_malformed_keys_and_signatures_are_simply_wrong(public: bytes, signature: bytes) -> None:
    for scheme in SCHEMES:
        assert verify(public, b"message", signature, scheme) is False


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "hello",
        "not a phrase at all",
        "0x00",
        "0x" + "zz" * 32,
        "0x" + "00" * 32 + "///password",
        "//Alice//",
        "//a/",
    ],
)
def test_bad_uris_are_refused_without_repeating_them(uri: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        Keypair.from_uri(uri)
    assert not uri or uri not in str(caught.value)


def test_the_secret_is_not_shown_copied_or_pickled() -> None:
    seed = bytes(range(32))
    pair = Keypair.from_seed(seed)
    assert repr(pair) == f"Keypair({pair.address})" == str(pair)
    assert not hasattr(pair, "__dict__")
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="secret"):
            leak(pair)


def test_key_files(tmp_path: Path) -> None:
    path = tmp_path / "worker.key"
    created = Keypair.create_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keypair.from_uri(f"file:{path}").public == created.public
    with pytest.raises(FileExistsError):
        Keypair.create_file(path)
    path.write_text("//Alice\n")
    assert Keypair.from_file(path).address == ALICE


@pytest.mark.parametrize("scheme", SCHEMES)
def test_key_files_name_a_scheme_other_than_sr25519(tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "key"
    created = Keypair.create_file(path, scheme)
    assert path.read_text().startswith("0x" if scheme == "sr25519" else f"{scheme}:0x")
    found = Keypair.from_file(path)
    assert (found.public, found.scheme.name) == (created.public, scheme)
    path.write_text(f"{scheme}://Alice")
    assert Keypair.from_file(path).public == Keypair.from_uri("//Alice", scheme).public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o644, 0o610])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text("//Alice")
    path.chmod(mode)
    with pytest.raises(KeyFormatError, match="chmod 600"):
        Keypair.from_file(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no key"),
        (b"file:/elsewhere", "no key"),
        (b"\xff\xfe", "not text"),
        (b"a" * 20_000, "too long"),
        (b"what", "phrase"),
    ],
)
def test_a_malformed_key_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFormatError, match=message):
        Keypair.from_file(path)


def test_a_key_file_must_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Keypair.from_file(tmp_path / "none")
    path = tmp_path / "folder"
    path.mkdir(mode=0o700)
    with pytest.raises((KeyFormatError, OSError)):
        Keypair.from_file(path)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    with pytest.raises(KeyFormatError, match="regular file"):
        Keypair.from_file(fifo)


@given(
    st.binary(min_size=32, max_size=32), st.integers(0, 16383).filter(lambda prefix: prefix not in (46, 47))
)
def test_addresses_are_those_of_scalecodec(public: bytes, prefix: int) -> None:
    address = ss58_encode(public, prefix)
    assert address == their_encode(public, prefix)
    assert (
        ss58_decode(address) == ss58_decode(address, prefix) == public == bytes.fromhex(their_decode(address))
    )
    with pytest.raises(KeyFormatError, match="another network"):
        ss58_decode(address, (prefix + 1) % 16384)


@given(
    st.integers(0, len(ALICE) - 1),
    st.sampled_from("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
)
def test_a_mistyped_address_is_noticed(position: int, char: str) -> None:
    typed = ALICE[:position] + char + ALICE[position + 1 :]
    if typed == ALICE:
        assert ss58_decode(typed).hex().startswith("d435")
        return
    with pytest.raises(KeyFormatError):
        ss58_decode(typed)


@pytest.mark.parametrize(
    "text", ["", "0", "l", ALICE[:-1], ALICE + "1", "1" * 70, "5" * 10_000, "\N{SNOWMAN}"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(KeyFormatError):
        ss58_decode(text)


@pytest.mark.parametrize(
    ("public", "prefix"), [(b"", 42), (bytes(33), 42), (bytes(32), -1), (bytes(32), 16384)]
)
def test_what_has_no_address_is_refused(public: bytes, prefix: int) -> None:
    with pytest.raises(KeyFormatError):
        ss58_encode(public, prefix)
