"""Signed extrinsics from encoded calls, at the speed of the signature."""

from __future__ import annotations

from functools import lru_cache

import sr25519
from substrateinterface import Keypair

from llmnet.devnode import Node
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.scale import compact, u32, vec

ADDRESS_ID = b"\0"
_SIGNED_V4, _SR25519 = b"\x84", b"\1"
_IMMORTAL = b"\0"
# Pallet and call indices in this project's runtime.
TRANSFER_KEEP_ALIVE = b"\4\3"
FORCE_SET_BALANCE = b"\4\x08"
SUDO = b"\6\0"


@lru_cache(maxsize=1024)
def keypair(uri: str) -> Keypair:
    """The sr25519 keys of a development account."""
    return Keypair.create_from_uri(uri)


def account(uri: str) -> bytes:
    """The id of a development account."""
    return bytes(keypair(uri).public_key)


def mortal(period: int, number: int) -> bytes:
    """The encoded era of `period` blocks (a power of two from 4 to 4096) that begins at block `number`."""
    return (period.bit_length() - 2 | number % period << 4).to_bytes(2, "little")


def transfer_call(target: bytes, amount: int) -> bytes:
    """Balances.transfer_keep_alive."""
    return TRANSFER_KEEP_ALIVE + ADDRESS_ID + target + compact(amount)


class RawSigner:
    """Signs for the runtime of this project: its transaction extensions in their order."""

    def __init__(self, node: Node, genesis: bytes | None = None) -> None:
        version = node.version()
        self._genesis = genesis or node.genesis_hash
        self._versions = u32(version.spec_version) + u32(version.transaction_version)

    def sign(
        self,
        uri: str,
        call: bytes,
        nonce: int,
        *,
        tip: int = 0,
        era: bytes = _IMMORTAL,
        born: bytes | None = None,
    ) -> bytes:
        """An extrinsic with length prefix; `born` is the hash of the block in which `era` begins."""
        keys = keypair(uri)
        explicit = era + compact(nonce) + compact(tip) + b"\0"  # metadata hash: disabled
        implicit = self._versions + self._genesis + (born or self._genesis) + b"\0"
        payload = call + explicit + implicit
        message = blake2_256(payload) if len(payload) > 256 else payload
        signature = sr25519.sign((keys.public_key, keys.private_key), message)
        signed = _SIGNED_V4 + ADDRESS_ID + keys.public_key + _SR25519 + signature
        return vec(signed + explicit + call)

    def transfer(self, source: str, target: str, amount: int, nonce: int) -> bytes:
        """A signed transfer between development accounts."""
        return self.sign(source, transfer_call(account(target), amount), nonce)
