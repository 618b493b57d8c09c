"""Keys encrypted by a password, in the JSON of polkadot-js (version 3 is written; 0 to 3 are read).

    encoded  = base64( salt 32 | N u32 | p u32 | r u32 | nonce 24 | secretbox )       version 3: scrypt
               hex(    nonce 24 | secretbox )                                         versions 1, 2: the padded password is the key
    the box holds  header 16 | secret | divider 5 | public

Source: @polkadot/keyring (pair/encode, pair/decode) and @polkadot/util-crypto (json, scrypt).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import nacl.exceptions
import nacl.secret
import sr25519

from llmnet.chain.curves import ED25519, SR25519, Scheme, scheme_named
from llmnet.chain.errors import KeyFormatError, WrongPassword
from llmnet.chain.ss58 import ss58_encode

_HEADER = bytes((48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32))
_DIVIDER = bytes((161, 35, 3, 33, 0))
_NONCE, _SALT = 24, 32
WRITTEN = (1 << 17, 1, 8)  # N, p, r: what polkadot-js writes today
# What polkadot-js has ever written and still reads. Anything else is refused: a file must not choose how much memory we spend.
_ALLOWED = (
    (1 << 13, 10, 8),
    (1 << 14, 5, 8),
    (1 << 15, 3, 8),
    (1 << 15, 1, 8),
    (1 << 16, 2, 8),
    WRITTEN,
)
_MAX_MEMORY = 160 << 20
_ENCRYPTED = ["scrypt", "xsalsa20-poly1305"]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What a key file holds. `secret` in this package's form (see curves.py); it never shows in a repr."""

    scheme: Scheme
    public: bytes
    secret: bytes = field(repr=False)
    meta: Mapping[str, Any] = field(default_factory=dict)


def seal(key: StoredKey, password: str) -> str:
    """The JSON text of an encrypted key. Raises KeyFormatError for an empty password."""
    if not password:
        raise KeyFormatError("an encrypted key needs a password that is not empty")
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    box = nacl.secret.SecretBox(_stretch(password, salt, WRITTEN))
    content = _HEADER + _their_secret(key) + _DIVIDER + key.public
    sizes = b"".join(number.to_bytes(4, "little") for number in WRITTEN)
    encoded = salt + sizes + nonce + box.encrypt(content, nonce).ciphertext
    meta = {"name": "", "whenCreated": int(time.time() * 1000), **key.meta}
    return json.dumps(
        {
            "encoded": base64.b64encode(encoded).decode(),
            "encoding": {"content": ["pkcs8", key.scheme.name], "type": _ENCRYPTED, "version": "3"},
            "address": ss58_encode(key.scheme.account(key.public)),
            "meta": meta,
        }
    )


def parse(text: str) -> dict[str, Any]:
    """The JSON object of a key file, its outline checked. Raises KeyFormatError."""
    try:
        found = json.loads(text)
        known = isinstance(found["encoded"], str) and isinstance(found["encoding"], dict)
    except (ValueError, RecursionError, KeyError, TypeError):
        known = False
    if not known or not isinstance(found.get("meta", {}), dict):
        raise KeyFormatError("this is not a key file in the JSON of polkadot-js")
    return dict(found)


def is_encrypted(found: Mapping[str, Any]) -> bool:
    return "xsalsa20-poly1305" in _types(found)


def scheme_of(found: Mapping[str, Any]) -> Scheme:
    """Raises KeyFormatError."""
    content = found["encoding"].get("content")
    if not isinstance(content, list) or len(content) != 2 or content[0] != "pkcs8":
        raise KeyFormatError("the key file holds something else than one key")
    return scheme_named(content[1])


def unseal(found: Mapping[str, Any], password: str) -> StoredKey:
    """The key in a parsed file. Raises WrongPassword, KeyFormatError."""
    version = str(found["encoding"].get("version"))
    if version not in ("0", "1", "2", "3"):
        raise KeyFormatError(f"key files of version {version[:10]!r} are not known here")
    scheme, data = scheme_of(found), _decoded(found["encoded"])
    if is_encrypted(found):
        data = _open_box(data, password, "scrypt" in _types(found))
    secret, public = _split(data)
    key = _our_key(scheme, secret, found.get("meta") or {})
    if public[:32] != key.public[:32]:
        raise KeyFormatError("the key file is damaged: its public key does not belong to its secret")
    return key


def _types(found: Mapping[str, Any]) -> list[Any]:
    kind = found["encoding"].get("type")
    return kind if isinstance(kind, list) else [kind]


def _decoded(text: str) -> bytes:
    try:
        return bytes.fromhex(text[2:]) if text.startswith("0x") else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise KeyFormatError("the key file is damaged: its content is neither base64 nor hex") from None


def _open_box(data: bytes, password: str, stretched: bool) -> bytes:
    if not password:
        raise WrongPassword("the key is encrypted: a password is needed")
    if stretched:
        head, data = data[: _SALT + 12], data[_SALT + 12 :]
        numbers = tuple(int.from_bytes(head[at : at + 4], "little") for at in range(_SALT, _SALT + 12, 4))
        if len(head) < _SALT + 12 or numbers not in _ALLOWED:
            raise KeyFormatError(
                f"the key file wants scrypt with (N, p, r) = {numbers}, which no writer of this format uses"
            )
        key = _stretch(password, head[:_SALT], numbers)
    else:
        key = password.encode()[:32].ljust(32, b"\0")
    try:
        return nacl.secret.SecretBox(key).decrypt(data[_NONCE:], data[:_NONCE])
    except (nacl.exceptions.CryptoError, ValueError):
        raise WrongPassword("the password is wrong, or the key file is damaged") from None


def _stretch(password: str, salt: bytes, numbers: tuple[int, ...]) -> bytes:
    n, p, r = numbers
    stretched = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=64)
    return stretched[:32]


def _split(data: bytes) -> tuple[bytes, bytes]:
    """(secret, public): the secret has 64 bytes, or 32 in old files and for ecdsa."""
    for size in (64, 32):
        end = len(_HEADER) + size
        if data.startswith(_HEADER) and data[end : end + len(_DIVIDER)] == _DIVIDER:
            return data[len(_HEADER) : end], data[end + len(_DIVIDER) :]
    raise KeyFormatError("the key file is damaged: what it holds has not the form of a key")


def _their_secret(key: StoredKey) -> bytes:
    """polkadot-js keeps sr25519 secrets multiplied by the cofactor, and ed25519 ones with their public key."""
    if key.scheme is SR25519:
        return bytes(sr25519.convert_secret_key_to_ed25519(key.secret))
    return key.secret + key.public if key.scheme is ED25519 else key.secret


def _our_key(scheme: Scheme, secret: bytes, meta: Mapping[str, Any]) -> StoredKey:
    if len(secret) == 64 and scheme is SR25519:
        public, ours = sr25519.pair_from_ed25519_secret_key(secret)
        return StoredKey(scheme, bytes(public), bytes(ours), meta)
    if len(secret) == 64 and scheme is not ED25519:
        raise KeyFormatError(f"the key file holds 64 bytes where an {scheme.name} key has 32")
    public, ours = scheme.pair(secret[:32])
    return StoredKey(scheme, public, ours, meta)
