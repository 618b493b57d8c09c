"""Builds one block: initialise, inherents, extrinsics, finalise; and executes a finished one again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from llmnet.devnode.block import ZERO_HASH, Block, Header, pre_runtime, read_extrinsic
from llmnet.devnode.errors import (
    AuthoringError,
    CodecError,
    InvalidTransaction,
    NoSuchEntryPoint,
    RuntimeFault,
    TransactionError,
)
from llmnet.devnode.executor import Runtime
from llmnet.devnode.hashing import twox_128
from llmnet.devnode.overlay import Overlay
from llmnet.devnode.runtime_api import Applied, RuntimeVersion, decode_applied
from llmnet.devnode.scale import Reader, compact, u64, vec
from llmnet.devnode.state import Changes, State

DEFAULT_SLOT_MILLISECONDS = 6_000
TIMESTAMP_KEY = twox_128(b"Timestamp") + twox_128(b"Now")
_ALL_EXTRINSICS = (b"", b"\0")  # old runtimes return nothing


@dataclass
class Built:
    """A finished block with the state after it."""

    block: Block
    state: State
    timestamp: int
    inherents: int
    results: list[Applied] = field(default_factory=list)
    seconds: float = 0.0


def slot_duration(runtime: Runtime, state: State) -> int | None:
    """Aura's slot duration in milliseconds, None for runtimes without Aura."""
    try:
        return int.from_bytes(runtime.call("AuraApi_slot_duration", b"", Overlay(state)), "little") or None
    except NoSuchEntryPoint:
        return None


def next_timestamp(state: State, wall_milliseconds: int, slot_milliseconds: int | None) -> int:
    """The time of the next block: the clock's, but at least one slot behind the previous block.

    Aura wants a new slot for each block and `slot == timestamp / slot duration`; so blocks that come faster
    than slots run ahead of the clock.
    """
    last = int.from_bytes(state.get(TIMESTAMP_KEY) or b"", "little")
    return max(wall_milliseconds, last + (slot_milliseconds or DEFAULT_SLOT_MILLISECONDS) if last else 0)


class BlockBuilder:
    """A block in the making. After an error other than TransactionError the builder is to be thrown away."""

    def __init__(
        self,
        runtime: Runtime,
        version: RuntimeVersion,
        parent: Header,
        state: State,
        timestamp: int,
        slot_milliseconds: int | None,
    ) -> None:
        self._runtime = runtime
        self._version = version
        self._started = time.perf_counter()
        self._state = state
        self._overlay = Overlay(state)
        self._timestamp = timestamp
        self._slot = None if slot_milliseconds is None else timestamp // slot_milliseconds
        self._body: list[bytes] = []
        self._results: list[Applied] = []
        self.body_bytes = 0
        digest = () if self._slot is None else (pre_runtime(b"aura", u64(self._slot)),)
        header = Header(parent.hash, parent.number + 1, ZERO_HASH, ZERO_HASH, digest)
        mode = self._call("Core_initialize_block", header.encode())
        self.takes_extrinsics = mode in _ALL_EXTRINSICS
        for inherent in self._create_inherents():
            self._apply_inherent(inherent)
        self._inherents = len(self._body)

    def _call(self, function: str, argument: bytes) -> bytes:
        try:
            return self._runtime.call(function, argument, self._overlay)
        except RuntimeFault as error:
            raise AuthoringError(f"the block cannot be built: {error}") from error

    def _create_inherents(self) -> list[bytes]:
        """Asks the runtime for its inherents; what it writes meanwhile is dropped."""
        data = [(b"timstap0", u64(self._timestamp))]
        if self._slot is not None:
            data.append((b"auraslot", u64(self._slot)))
        encoded = compact(len(data)) + b"".join(name + vec(value) for name, value in data)
        self._overlay.begin()
        try:
            reader = Reader(self._call("BlockBuilder_inherent_extrinsics", encoded))
            return [read_extrinsic(reader) for _ in range(reader.count(1))]
        except CodecError as error:
            raise AuthoringError(f"the runtime's inherents cannot be read: {error}") from error
        finally:
            self._overlay.rollback()

    def _apply_inherent(self, inherent: bytes) -> None:
        try:
            applied = self._apply(inherent)
        except TransactionError as error:
            raise AuthoringError(f"the runtime refuses its own inherent: {error}") from error
        if not applied.succeeded:
            raise AuthoringError(f"an inherent failed with dispatch error 0x{(applied.error or b'').hex()}")

    def push(self, extrinsic: bytes) -> Applied:
        """Adds an extrinsic (with length prefix).

        Raises TransactionError, and changes nothing, if it is not valid here.

        A panic while it is applied is an InvalidTransaction of kind `panic`; AuthoringError while the runtime
        takes only inherents.
        """
        if not self.takes_extrinsics:
            raise AuthoringError("the runtime takes only inherents in this block: a migration is under way")
        try:
            applied = self._apply(extrinsic)
        except RuntimeFault as error:
            raise InvalidTransaction("panic", str(error)) from error
        self._results.append(applied)
        return applied

    def preview(self, extrinsic: bytes) -> bytes:
        """The encoded result of applying an extrinsic, which is not added."""
        self._overlay.begin()
        try:
            return self._call("BlockBuilder_apply_extrinsic", extrinsic)
        finally:
            self._overlay.rollback()

    def preview_changes(self, extrinsic: bytes) -> tuple[bytes, Changes]:
        """As `preview`, with what the extrinsic would write to the top trie."""
        before = self._overlay.changes().top
        self._overlay.begin()
        try:
            applied = self._call("BlockBuilder_apply_extrinsic", extrinsic)
            after = self._overlay.changes().top
        finally:
            self._overlay.rollback()
        missing = object()
        return applied, Changes({key: now for key, now in after.items() if before.get(key, missing) != now})

    def _apply(self, extrinsic: bytes) -> Applied:
        overlay = self._overlay
        depth = overlay.depth
        overlay.begin()
        try:
            applied = decode_applied(self._runtime.call("BlockBuilder_apply_extrinsic", extrinsic, overlay))
            overlay.commit()
        finally:
            if overlay.depth > depth:
                overlay.rollback()
        self._body.append(extrinsic)
        self.body_bytes += len(extrinsic)
        return applied

    def finish(self) -> Built:
        """Seals the block; raises AuthoringError if the header's state root is not that of the state."""
        try:
            header = Header.decode(self._call("BlockBuilder_finalize_block", b""))
        except CodecError as error:
            raise AuthoringError(f"the runtime's header cannot be read: {error}") from error
        state = self._overlay.sealed(self._version.state_version)
        assert isinstance(state, State)
        if state.root() != header.state_root:
            raise AuthoringError(
                "the runtime's header has another state root than the state (host and runtime disagree)"
            )
        return Built(
            Block(header, tuple(self._body)),
            state,
            self._timestamp,
            self._inherents,
            self._results,
            time.perf_counter() - self._started,
        )


def execute_block(runtime: Runtime, version: RuntimeVersion, block: Block, parent_state: State) -> State:
    """Executes a finished block, its seal taken off, on its parent's state as an importing node does.

    Returns the state after it. Raises AuthoringError if the runtime refuses it or the state root differs.
    """
    overlay = Overlay(parent_state)
    try:
        runtime.call("Core_execute_block", block.encode(), overlay)
    except RuntimeFault as error:
        raise AuthoringError(f"block {block.number} does not survive its re-execution: {error}") from error
    state = overlay.sealed(version.state_version)
    assert isinstance(state, State)
    if state.root() != block.header.state_root:
        raise AuthoringError(f"re-execution of block {block.number} ends in another state")
    return state
