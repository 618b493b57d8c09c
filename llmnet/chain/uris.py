"""Secret URIs, `phrase-or-0xseed//hard/soft///password`, as polkadot-sdk's `subkey` reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import bip39  # type: ignore[import-untyped, unused-ignore]

from llmnet.chain.curves import SEED_SIZE
from llmnet.chain.errors import KeyFormatError
from llmnet.chain.hashing import blake2_256
from llmnet.chain.scale import encode_bytes

# The phrase that every Substrate development chain derives //Alice and the others from. It is public.
DEV_PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
_JUNCTION = re.compile(r"//?[^/]+")
WORDS = (12, 15, 18, 21, 24)


@dataclass(frozen=True, slots=True)
class Junction:
    """One step of a derivation. Only hard ones hide the parent from whoever learns a child's secret."""

    name: str
    hard: bool

    @property
    def chain_code(self) -> bytes:
        """A number stands for its u64, anything else for its SCALE string, hashed if longer than 32 bytes."""
        is_number = self.name.isascii() and self.name.isdigit() and int(self.name) < 1 << 64
        code = int(self.name).to_bytes(8, "little") if is_number else encode_bytes(self.name.encode())
        return blake2_256(code) if len(code) > 32 else code.ljust(32, b"\0")


@dataclass(frozen=True, slots=True)
class SecretUri:
    """seed: of the root, 32 bytes. It never shows in a repr."""

    seed: bytes = field(repr=False)
    junctions: tuple[Junction, ...]


def parse_uri(uri: str) -> SecretUri:
    """Without a phrase (`//Alice`) the public development phrase is used.

    Raises KeyFormatError, which does not repeat the URI."""
    body, _, password = uri.partition("///")
    start = body.find("/")
    secret, path = (body, "") if start < 0 else (body[:start], body[start:])
    steps = _JUNCTION.findall(path)
    if "".join(steps) != path or not (secret or path):
        raise KeyFormatError("the key is empty or its derivation path is malformed: use //hard and /soft")
    junctions = tuple(Junction(step.lstrip("/"), step.startswith("//")) for step in steps)
    return SecretUri(_seed(secret, password), junctions)


def _seed(secret: str, password: str) -> bytes:
    if not secret.startswith("0x"):
        return phrase_seed(secret or DEV_PHRASE, password)
    if password:
        raise KeyFormatError("a password applies to a phrase, not to a seed")
    try:
        seed = bytes.fromhex(secret[2:])
    except ValueError:
        seed = b""
    if len(seed) != SEED_SIZE:
        raise KeyFormatError("the seed is not 0x and 64 hex digits")
    return seed


def phrase_seed(phrase: str, password: str = "") -> bytes:
    """The 32-byte seed of a BIP-39 phrase in English: Substrate stretches the phrase's entropy, not its text.

    Raises KeyFormatError, which does not repeat the phrase."""
    try:
        return bytes(bip39.bip39_to_mini_secret(phrase, password, "en"))
    except ValueError:
        raise KeyFormatError("the phrase is not a valid English BIP-39 mnemonic") from None


def new_phrase(words: int = 12) -> str:
    """A fresh phrase from the system's randomness. Raises KeyFormatError for a length that BIP-39 has not."""
    if words not in WORDS:
        raise KeyFormatError(f"a phrase has {', '.join(map(str, WORDS))} words, not {words}")
    return str(bip39.bip39_generate(words, "en"))
