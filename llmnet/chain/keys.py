"""sr25519 keys: from a URI, a mnemonic, a seed or a key file. The secret is never printed, pickled or
compared."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import NoReturn

import bip39  # type: ignore[import-untyped, unused-ignore]
import sr25519

from llmnet.chain.errors import KeyFormatError
from llmnet.chain.hashing import blake2_256
from llmnet.chain.scale import encode_bytes
from llmnet.chain.ss58 import ss58_encode

# The phrase that every Substrate development chain derives //Alice and the others from. It is public.
DEV_PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
_JUNCTION = re.compile(r"//?[^/]+")
_MAX_KEY_FILE = 4096


class Keypair:
    """An sr25519 key pair. `public` is the account (32 bytes), `address` its SS58 form for network 42."""

    __slots__ = ("__secret", "public")

    def __init__(self, public: bytes, secret: bytes) -> None:
        if len(public) != 32 or len(secret) != 64:
            raise KeyFormatError("an sr25519 pair is 32 public and 64 secret bytes")
        self.public = public
        self.__secret = secret

    @classmethod
    def from_seed(cls, seed: bytes) -> Keypair:
        """From a 32-byte mini secret."""
        if len(seed) != 32:
            raise KeyFormatError(f"a seed has 32 bytes, got {len(seed)}")
        return cls(*sr25519.pair_from_seed(seed))

    @classmethod
    def from_mnemonic(cls, phrase: str, password: str = "") -> Keypair:
        """From a BIP-39 phrase in English. Raises KeyFormatError, which does not repeat the phrase."""
        try:
            return cls.from_seed(bytes(bip39.bip39_to_mini_secret(phrase, password, "en")))
        except ValueError:
            raise KeyFormatError("the phrase is not a valid English BIP-39 mnemonic") from None

    @classmethod
    def from_uri(cls, uri: str) -> Keypair:
        """From `phrase-or-0xseed//hard/soft///password`, or `file:PATH` of a file with such a line.

        Without a phrase (`//Alice`) the public development phrase is used. Raises KeyFormatError."""
        if uri.startswith("file:"):
            return cls.from_file(Path(uri.removeprefix("file:")))
        body, _, password = uri.partition("///")
        start = body.find("/")
        secret, path = (body, "") if start < 0 else (body[:start], body[start:])
        junctions = _JUNCTION.findall(path)
        if "".join(junctions) != path or not (secret or path):
            raise KeyFormatError("the key is empty or its derivation path is malformed: use //hard and /soft")
        pair = cls._root(secret, password)
        for junction in junctions:
            pair = pair._derive(junction)
        return pair

    @classmethod
    def from_file(cls, path: Path) -> Keypair:
        """From a key file that only its owner may read (mode 0600 or 0400).

        Raises KeyFormatError, OSError."""
        # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise KeyFormatError(f"{path} is not a regular file")
            if mode & 0o077:
                raise KeyFormatError(f"{path} can be read by others: run chmod 600 {path}")
            raw = file.read(_MAX_KEY_FILE + 1)
        if len(raw) > _MAX_KEY_FILE:
            raise KeyFormatError(f"{path} is too long for a key file")
        try:
            text = raw.decode().strip()
        except UnicodeDecodeError:
            raise KeyFormatError(f"{path} is not text") from None
        if not text or text.startswith("file:"):
            raise KeyFormatError(
                f"{path} holds no key: it must be one line, a phrase, 0xseed or //derivation"
            )
        return cls.from_uri(text)

    @classmethod
    def create_file(cls, path: Path) -> Keypair:
        """Writes a fresh random seed into a new file of mode 0600. Raises FileExistsError rather than
        overwrite."""
        seed = os.urandom(32)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"0x{seed.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        return cls.from_seed(seed)

    @classmethod
    def _root(cls, secret: str, password: str) -> Keypair:
        if not secret.startswith("0x"):
            return cls.from_mnemonic(secret or DEV_PHRASE, password)
        if password:
            raise KeyFormatError("a password applies to a phrase, not to a seed")
        try:
            return cls.from_seed(bytes.fromhex(secret[2:]))
        except ValueError:
            raise KeyFormatError("the seed is not 0x and 64 hex digits") from None

    def _derive(self, junction: str) -> Keypair:
        hard = junction.startswith("//")
        extended = (_chain_code(junction.lstrip("/")), self.public, self.__secret)
        derive = sr25519.hard_derive_keypair if hard else sr25519.derive_keypair
        _, public, secret = derive(extended, b"")
        return Keypair(bytes(public), bytes(secret))

    @property
    def address(self) -> str:
        return ss58_encode(self.public)

    def sign(self, message: bytes) -> bytes:
        """A 64-byte signature (randomised: two signatures of one message differ)."""
        return bytes(sr25519.sign((self.public, self.__secret), message))

    def __repr__(self) -> str:
        return f"Keypair({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Keypair is not pickled: it holds a secret")


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an sr25519 signature is right. Malformed input of any length is simply False."""
    if len(public) != 32 or len(signature) != 64:
        return False
    try:
        return bool(sr25519.verify(signature, message, public))
    except ValueError:
        return False


def _chain_code(name: str) -> bytes:
    """A number stands for its u64, anything else for its SCALE string, hashed if longer than 32 bytes."""
    is_number = name.isascii() and name.isdigit() and int(name) < 1 << 64
    code = int(name).to_bytes(8, "little") if is_number else encode_bytes(name.encode())
    return blake2_256(code) if len(code) > 32 else code.ljust(32, b"\0")
