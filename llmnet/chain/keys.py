"""Key pairs: from a URI, a mnemonic, a seed, a key file or encrypted JSON. The secret is never printed, pickled or
compared."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from llmnet.chain import keystore
from llmnet.chain.curves import SCHEMES, SEED_SIZE, SR25519, Scheme, scheme_named
from llmnet.chain.errors import KeyFormatError, WrongPassword
from llmnet.chain.keyfile import read_private, write_private
from llmnet.chain.ss58 import ss58_encode
from llmnet.chain.uris import DEV_PHRASE, parse_uri, phrase_seed

__all__ = ["DEV_PHRASE", "Keypair", "Password", "signed_by", "verify", "wrapped"]
Password = Callable[[], str]
_WRAPPER = (b"<Bytes>", b"</Bytes>")


class Keypair:
    """A key pair of one scheme. `public` is the raw public key (32 bytes, 33 for ecdsa), `account` the 32-byte account
    that it controls (the same but for ecdsa), `address` the account's SS58 form for network 42."""

    __slots__ = ("__secret", "public", "scheme")

    def __init__(self, public: bytes, secret: bytes, scheme: Scheme = SR25519) -> None:
        if len(public) != scheme.public_size or len(secret) != scheme.secret_size:
            raise KeyFormatError(
                f"an {scheme.name} pair is {scheme.public_size} public and {scheme.secret_size} secret bytes"
            )
        self.public, self.scheme = public, scheme
        self.__secret = secret

    @classmethod
    def from_seed(cls, seed: bytes, scheme: str = "sr25519") -> Keypair:
        """From a 32-byte seed (sr25519: mini secret). Raises KeyFormatError."""
        if len(seed) != SEED_SIZE:
            raise KeyFormatError(f"a seed has 32 bytes, got {len(seed)}")
        kind = scheme_named(scheme)
        return cls(*kind.pair(seed), kind)

    @classmethod
    def from_mnemonic(cls, phrase: str, password: str = "", scheme: str = "sr25519") -> Keypair:
        """From a BIP-39 phrase in English. Raises KeyFormatError, which does not repeat the phrase."""
        return cls.from_seed(phrase_seed(phrase, password), scheme)

    @classmethod
    def from_uri(cls, uri: str, scheme: str = "sr25519") -> Keypair:
        """From `phrase-or-0xseed//hard/soft///password`, or `file:PATH` of a file with such a line.

        Without a phrase (`//Alice`) the public development phrase is used. Raises KeyFormatError."""
        if uri.startswith("file:"):
            return cls.from_file(Path(uri.removeprefix("file:")))
        found = parse_uri(uri)
        pair = cls.from_seed(found.seed, scheme)
        for junction in found.junctions:
            child = pair.scheme.derive(pair.public, pair.__secret, junction.chain_code, junction.hard)
            pair = cls(*child, pair.scheme)
        return pair

    @classmethod
    def from_file(cls, path: Path, password: Password | None = None) -> Keypair:
        """From a key file that only its owner may read: one line `[scheme:]URI`, or encrypted JSON, for which
        `password` is asked.

        Raises KeyFormatError (WrongPassword), OSError."""
        text = read_private(path)
        if text.startswith("{"):
            try:
                return cls.from_json(text, password)
            except KeyFormatError as error:
                raise type(error)(f"{path}: {error}") from None
        name, colon, uri = text.partition(":")
        scheme, uri = (name, uri) if colon and name in SCHEMES else ("sr25519", text)
        if not uri or uri.startswith("file:"):
            raise KeyFormatError(
                f"{path} holds no key: it must be one line, a phrase, 0xseed or //derivation"
            )
        return cls.from_uri(uri, scheme)

    @classmethod
    def from_json(cls, text: str, password: Password | None = None) -> Keypair:
        """From polkadot-js's JSON. Raises WrongPassword, KeyFormatError."""
        found = keystore.parse(text)
        asked = ""
        if keystore.is_encrypted(found):
            if password is None:
                raise WrongPassword("the key is encrypted: a password is needed")
            asked = password()
        key = keystore.unseal(found, asked)
        return cls(key.public, key.secret, key.scheme)

    @classmethod
    def create_file(cls, path: Path, scheme: str = "sr25519") -> Keypair:
        """Writes a fresh random seed into a new file of mode 0600. Raises FileExistsError rather than
        overwrite."""
        seed = os.urandom(SEED_SIZE)
        pair = cls.from_seed(seed, scheme)
        write_private(path, f"{'' if scheme == 'sr25519' else scheme + ':'}0x{seed.hex()}\n")
        return pair

    def to_json(self, password: str, name: str = "") -> str:
        """Encrypted JSON that polkadot-js reads. Raises KeyFormatError for an empty password."""
        return keystore.seal(
            keystore.StoredKey(self.scheme, self.public, self.__secret, {"name": name}), password
        )

    @property
    def account(self) -> bytes:
        return self.scheme.account(self.public)

    @property
    def address(self) -> str:
        return ss58_encode(self.account)

    def sign(self, message: bytes) -> bytes:
        """A signature of 64 bytes, 65 for ecdsa (sr25519 is randomised: two signatures of one message differ)."""
        return self.scheme.sign(self.public, self.__secret, message)

    def __repr__(self) -> str:
        return f"Keypair({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Keypair is not pickled: it holds a secret")


def verify(public: bytes, message: bytes, signature: bytes, scheme: str = "sr25519") -> bool:
    """Whether a signature is right. Malformed input of any length is simply False. Raises KeyFormatError for an unknown
    scheme."""
    kind = scheme_named(scheme)
    if len(public) != kind.public_size or len(signature) != kind.signature_size:
        return False
    return kind.verify(public, message, signature)


def signed_by(account: bytes, message: bytes, signature: bytes) -> str | None:
    """The scheme in which this account signed the message, None if in none."""
    for kind in SCHEMES.values():
        if len(signature) == kind.signature_size and kind.signed_by(account, message, signature):
            return kind.name
    return None


def wrapped(message: bytes) -> bytes:
    """How wallets sign what is not a transaction, so that no signed text can ever be one."""
    return _WRAPPER[0] + message + _WRAPPER[1]
