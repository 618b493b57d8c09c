"""Headers and blocks in their encoded form; extrinsics stay opaque bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from llmnet.devnode.errors import CodecError
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.scale import Reader, compact, vec

_OTHER, _CONSENSUS, _SEAL, _PRE_RUNTIME, _ENVIRONMENT_UPDATED = 0, 4, 5, 6, 8
ZERO_HASH = bytes(32)


@dataclass(frozen=True)
class DigestItem:
    """What an author (or the runtime) says through a header; `engine` has 4 bytes."""

    kind: int
    engine: bytes
    data: bytes

    @property
    def is_seal(self) -> bool:
        """Whether it is an author's signature over the rest of the header."""
        return self.kind == _SEAL

    @property
    def is_pre_runtime(self) -> bool:
        """Whether it speaks to the runtime."""
        return self.kind == _PRE_RUNTIME


def pre_runtime(engine: bytes, data: bytes) -> bytes:
    """A digest item with which the author speaks to the runtime; `engine` has 4 bytes."""
    return bytes((_PRE_RUNTIME,)) + engine + vec(data)


def decode_digest_item(data: bytes) -> DigestItem:
    """Takes an encoded item apart; items without an engine have an empty one. Raises CodecError."""
    reader = Reader(data)
    item = _read_digest_item(reader)
    reader.end()
    return item


def _read_digest_item(reader: Reader) -> DigestItem:
    kind = reader.uint(1)
    if kind in (_CONSENSUS, _SEAL, _PRE_RUNTIME):
        return DigestItem(kind, reader.take(4), reader.vector())
    if kind == _OTHER:
        return DigestItem(kind, b"", reader.vector())
    if kind != _ENVIRONMENT_UPDATED:
        raise CodecError(f"unknown digest item {kind}")
    return DigestItem(kind, b"", b"")


def _take_digest_item(reader: Reader) -> bytes:
    start = reader.at
    _read_digest_item(reader)
    return reader.data[start : reader.at]


@dataclass(frozen=True)
class Header:
    """A block header; hashes have 32 bytes, `digest` holds encoded items."""

    parent: bytes
    number: int
    state_root: bytes
    extrinsics_root: bytes
    digest: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The header in SCALE."""
        parts = (self.parent, compact(self.number), self.state_root, self.extrinsics_root)
        return b"".join((*parts, compact(len(self.digest)), *self.digest))

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Reads an encoded header; raises CodecError for anything else."""
        reader = Reader(data)
        parent, number = reader.take(32), reader.compact()
        state_root, extrinsics_root = reader.take(32), reader.take(32)
        digest = tuple(_take_digest_item(reader) for _ in range(reader.count(1)))
        reader.end()
        return cls(parent, number, state_root, extrinsics_root, digest)

    @cached_property
    def hash(self) -> bytes:
        """The block hash."""
        return blake2_256(self.encode())


def without_seal(header: Header) -> tuple[Header, DigestItem | None]:
    """The header that its author signed and the runtime sees, and the seal that was taken off (None: none).

    A seal is the last item of a digest; one in another place is left there (the runtime refuses it).
    """
    last = decode_digest_item(header.digest[-1]) if header.digest else None
    if last is None or not last.is_seal:
        return header, None
    return replace(header, digest=header.digest[:-1]), last


@dataclass(frozen=True)
class Block:
    """A header with its extrinsics."""

    header: Header
    body: tuple[bytes, ...] = field(repr=False)

    @property
    def number(self) -> int:
        """The height."""
        return self.header.number

    @property
    def hash(self) -> bytes:
        """The block hash."""
        return self.header.hash

    def encode(self) -> bytes:
        """The block in SCALE, as `Core_execute_block` takes it."""
        return self.header.encode() + encode_body(self.body)


def encode_body(body: Sequence[bytes]) -> bytes:
    """Extrinsics carry their own length, so a body is their number and their bytes."""
    return compact(len(body)) + b"".join(body)


def decode_body(data: bytes) -> tuple[bytes, ...]:
    """Takes a body apart into extrinsics with their length prefixes."""
    reader = Reader(data)
    body = tuple(read_extrinsic(reader) for _ in range(reader.count(1)))
    reader.end()
    return body


def read_extrinsic(reader: Reader) -> bytes:
    """One extrinsic with its length prefix."""
    start = reader.at
    reader.vector()
    return reader.data[start : reader.at]
