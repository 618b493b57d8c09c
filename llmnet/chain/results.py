"""What reading and writing a chain gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last block that was processed completely. Persist it; `client.blocks(after=cursor)` goes on from
    there."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Header:
    hash: bytes
    number: int
    parent: bytes
    state_root: bytes
    extrinsics_root: bytes
    logs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One runtime event. `fields` of a tuple variant are named "0", "1", …; `extrinsic_index` is None outside
    extrinsics."""

    block_number: int
    block_hash: bytes
    extrinsic_index: int | None
    pallet: str
    name: str
    fields: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.pallet}.{self.name}"


@dataclass(frozen=True, slots=True)
class Block:
    """One block and its events. `retracts` (only when following the best chain): hashes yielded before,
    newest first, that a reorganisation has since removed."""

    header: Header
    events: tuple[Event, ...]
    retracts: tuple[bytes, ...] = ()

    @property
    def number(self) -> int:
        return self.header.number

    @property
    def hash(self) -> bytes:
        return self.header.hash

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.number, self.hash)


@dataclass(frozen=True, slots=True)
class DispatchError:
    """Why a call failed: ("Module", pallet, error name, the error's Rust docs) or ("Token", None,
    "FundsUnavailable", "")."""

    kind: str
    pallet: str | None
    name: str
    docs: str = ""

    def __str__(self) -> str:
        where = (
            f"{self.pallet}.{self.name}"
            if self.pallet
            else f"{self.kind}.{self.name}"
            if self.name
            else self.kind
        )
        return f"{where}: {self.docs}" if self.docs else where


@dataclass(frozen=True, slots=True)
class TxResult:
    """Where a transaction landed. `fee` in plancks as paid (None if the runtime reports none), tip included.
    `error` is set when the call failed, or the call inside a `Sudo.sudo`."""

    block_hash: bytes
    block_number: int
    extrinsic_hash: bytes
    index: int
    fee: int | None
    events: tuple[Event, ...]
    error: DispatchError | None = None
    finalized: bool = True

    def find(self, pallet: str, name: str) -> Event | None:
        """The first of its events with that name."""
        return next((event for event in self.events if (event.pallet, event.name) == (pallet, name)), None)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a transaction would do now. `invalid` names why it may not be included at all."""

    error: DispatchError | None = None
    invalid: str | None = None

    @property
    def ok(self) -> bool:
        return self.error is None and self.invalid is None


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    spec_name: str
    spec_version: int
    impl_version: int
    transaction_version: int


@dataclass(frozen=True, slots=True)
class SignedExtrinsic:
    """Ready to be sent. It can be included in blocks `first_block` to `last_block` (None: immortal)."""

    data: bytes
    hash: bytes
    signer: bytes
    nonce: int
    first_block: int
    last_block: int | None
    tip: int = 0
    call: str = field(default="")
