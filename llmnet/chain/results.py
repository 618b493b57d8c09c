"""What reading and writing a chain gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from llmnet.chain.entries import PalletError, PalletEvent
    from llmnet.chain.runtime import Runtime

E = TypeVar("E", bound="PalletEvent")


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
class EventSource:
    """The bytes of an event (pallet, variant, fields), and the runtime that wrote them."""

    runtime: Runtime
    data: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One runtime event. `fields` of a tuple variant are named "0", "1", …; `extrinsic_index` is None outside
    extrinsics. `source` is what generated event classes are read from. `retracted`: it was given before, and its block
    is no longer on the best chain."""

    block_number: int
    block_hash: bytes
    extrinsic_index: int | None
    pallet: str
    name: str
    fields: dict[str, Any]
    source: EventSource | None = field(default=None, compare=False, repr=False)
    retracted: bool = False

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

    def is_a(self, kind: type[PalletError]) -> bool:
        """Whether it is this error of a pallet."""
        return (self.pallet, self.name) == (kind.ENTRY.pallet, kind.ENTRY.name)

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
class Weight:
    """What a dispatch used: `ref_time` in picoseconds, `proof_size` in bytes."""

    ref_time: int
    proof_size: int


@dataclass(frozen=True, slots=True)
class TxStatus:
    """What the node says of a transaction on its way. kind: ready, future, broadcast, in_block, retracted, finalized,
    invalid, dropped, usurped; `searching` when the node says nothing any more and the blocks are read instead.
    `block_hash` with in_block, retracted and finalized."""

    kind: str
    extrinsic_hash: bytes
    block_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class TxResult:
    """Where a transaction landed. `fee` in plancks as paid (None if the runtime reports none), tip included.
    `error` is set when the call failed, or a call inside it (batch, proxy, multisig, sudo)."""

    block_hash: bytes
    block_number: int
    extrinsic_hash: bytes
    index: int
    fee: int | None
    events: tuple[Event, ...]
    error: DispatchError | None = None
    finalized: bool = True
    weight: Weight | None = None

    @overload
    def find(self, pallet: type[E]) -> E | None: ...
    @overload
    def find(self, pallet: str, name: str) -> Event | None: ...
    def find(self, pallet: str | type[E], name: str = "") -> Event | E | None:
        """The first of its events of this class, or with that name."""
        if isinstance(pallet, str):
            return next(
                (event for event in self.events if (event.pallet, event.name) == (pallet, name)), None
            )
        found = (pallet.read(event) for event in self.events)
        return next((event for event in found if event is not None), None)


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
