"""A whole node without its network face: chain, pool, author and runtime calls, in one thread-safe object."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from llmnet.devnode.author import BlockBuilder, Built, execute_block, next_timestamp, slot_duration
from llmnet.devnode.block import Block
from llmnet.devnode.chain import Chain
from llmnet.devnode.chainspec import ChainSpec, read_code
from llmnet.devnode.database import Database
from llmnet.devnode.errors import (
    CodecError,
    InvalidTransaction,
    MalformedTransaction,
    RuntimeFault,
    RuntimeTrap,
    TransactionError,
)
from llmnet.devnode.executor import DEFAULT_CALL_SECONDS, DEFAULT_MEMORY_BYTES, Runtime, default_cache_dir
from llmnet.devnode.genesis import Json, genesis_block
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.importer import check_place, execute_import
from llmnet.devnode.keystore import Keystore
from llmnet.devnode.overlay import Overlay
from llmnet.devnode.pool import Pool, PooledTransaction, PoolLimits
from llmnet.devnode.runtime_api import Applied, RuntimeVersion, ValidTransaction, decode_validity
from llmnet.devnode.scale import read_compact
from llmnet.devnode.state import CODE_KEY, Changes, State

_log = logging.getLogger(__name__)
_EXTERNAL_SOURCE = b"\2"
_KEPT_RUNTIMES = 3
_GENESIS_MARK = "genesis mark"
# How many transactions may find no room before a block counts as full.
_MAX_TURNED_AWAY = 8


@dataclass(frozen=True)
class NodeConfig:
    """What a node can be told; times in seconds.

    `keep_states`: of how many blocks the state can be read (None: of all, an archive). `self_check`: execute every block again, as an
    importing node would. `finality_lag`: how many blocks behind the best one is final. `block_seconds`: how
    long the author may go on adding transactions to one block.
    """

    base_path: Path | None = None
    keep_states: int | None = 256
    finality_lag: int = 0
    self_check: bool = False
    block_seconds: float = 2.0
    block_bytes: int = 5 * 1024 * 1024
    call_seconds: float = DEFAULT_CALL_SECONDS
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    cache_dir: Path | None = field(default_factory=default_cache_dir)
    pool: PoolLimits = field(default_factory=PoolLimits)
    wall_clock: Callable[[], float] = time.time


@dataclass(frozen=True)
class Produced:
    """A new block, what became of its extrinsics (inherents left out), and how long it took."""

    block: Block
    results: tuple[Applied, ...]
    seconds: float


class Node:
    """A development node.

    All methods may be called from any thread; those that run the runtime take turns.
    """

    def __init__(self, spec: ChainSpec, config: NodeConfig | None = None) -> None:
        self.config = config or NodeConfig()
        self.spec = spec
        self.keystore = Keystore()
        self._lock = threading.RLock()
        self._runtimes: list[tuple[bytes, Runtime, RuntimeVersion]] = []
        self._block_listeners: list[Callable[[Block], None]] = []
        self._status_listeners: list[Callable[[bytes, str, bytes | None], None]] = []
        self._clock_offset = 0
        # Whether waiting transactions are checked as part of each block; a service does that between blocks.
        self.maintains_pool = True
        base = self.config.base_path
        self._database = Database(
            None if base is None else database_path(base, spec.id), self.config.keep_states
        )
        try:
            self.chain = self._open_chain()
        except BaseException:
            self._database.close()
            raise
        self.pool = Pool(self._validate, limits=self.config.pool, listener=self._tell_status)

    def _open_chain(self) -> Chain:
        """The chain in the database; the genesis is built only if it may be another than the one there."""
        database, mark = self._database, self.spec.genesis_mark()
        lag = self.config.finality_lag
        if database.recall(_GENESIS_MARK) == mark and (first := database.block(0)) is not None:
            return Chain.open(database, first, State(), finality_lag=lag)
        runtime = self._load(self.spec.code)
        version = RuntimeVersion.decode(runtime.call("Core_version", b"", Overlay(State())))
        state = State().apply(self.spec.storage(runtime), version.state_version)
        chain = Chain.open(database, genesis_block(state), state, finality_lag=lag)
        database.remember(_GENESIS_MARK, mark)
        return chain

    @classmethod
    def from_preset(
        cls,
        wasm: bytes | Path,
        preset: str = "development",
        genesis_patch: Json | None = None,
        config: NodeConfig | None = None,
        **identity: Any,
    ) -> Node:
        """A node whose genesis is a preset of the runtime (blob or path), merged with `genesis_patch`.

        `identity` goes to `ChainSpec.from_preset` (name, chain_id, properties).
        """
        code = wasm if isinstance(wasm, bytes) else read_code(wasm)
        settings = config or NodeConfig()
        runtime = Runtime(code, cache_dir=settings.cache_dir)
        return cls(ChainSpec.from_preset(code, runtime, preset, patch=genesis_patch, **identity), settings)

    def close(self) -> None:
        """Closes the database. The node is not to be used afterwards."""
        with self._lock:
            self.chain.close()

    # -- reading

    @property
    def best(self) -> Block:
        """The best block."""
        return self.chain.best

    @property
    def finalized(self) -> Block:
        """The last final block."""
        return self.chain.finalized

    @property
    def genesis_hash(self) -> bytes:
        """The hash of block 0."""
        return self.chain.genesis.hash

    def storage(self, key: bytes, at: bytes | None = None, child: bytes | None = None) -> bytes | None:
        """A storage value at a block (None: the best). Raises UnknownBlock or StatePruned."""
        return self.chain.at(at)[1].get(key, child)

    def version(self, at: bytes | None = None) -> RuntimeVersion:
        """The version of the runtime that serves calls at a block."""
        return self._runtime(self.chain.at(at)[1])[1]

    def call(self, function: str, argument: bytes = b"", at: bytes | None = None) -> bytes:
        """Calls a runtime entry point on the state of a block (None: the best); its writes are dropped.

        Raises RuntimeFault, UnknownBlock or StatePruned.
        """
        return self.call_state(self.chain.at(at)[1], function, argument)

    def call_state(self, state: State, function: str, argument: bytes = b"") -> bytes:
        """As `call`, on a state at hand, which may be older than the states that are kept."""
        with self._lock:
            return self._runtime(state)[0].call(function, argument, Overlay(state), keystore=self.keystore)

    def account_nonce(self, account: bytes) -> int:
        """The next nonce of an account (its encoded id), counting transactions that are ready in the pool."""
        with self._lock:
            encoded = self.call("AccountNonceApi_account_nonce", account)
            nonce = int.from_bytes(encoded, "little")
            while self.pool.provides(account + nonce.to_bytes(len(encoded), "little")):
                nonce += 1
            return nonce

    def dry_run(self, extrinsic: bytes, at: bytes | None = None) -> bytes:
        """The encoded `ApplyExtrinsicResult` of an extrinsic on top of a block; nothing is kept."""
        block, state = self.chain.at(at)
        with self._lock:
            return self._builder(block, state).preview(extrinsic)

    def preview(self, extrinsic: bytes, at: bytes | None = None) -> tuple[bytes, Changes]:
        """As `dry_run`, with what the extrinsic would write."""
        block, state = self.chain.at(at)
        with self._lock:
            return self._builder(block, state).preview_changes(extrinsic)

    # -- transactions

    def submit(self, extrinsic: bytes) -> bytes:
        """Takes a length-prefixed extrinsic into the pool; returns its hash or raises TransactionError."""
        _check_extrinsic(extrinsic, self.config.block_bytes)
        with self._lock:
            return self.pool.submit(extrinsic, self.best.number)

    def pending(self) -> list[bytes]:
        """The extrinsics that are ready in the pool, in the order of the next block."""
        with self._lock:
            return self.pool.pending()

    def remove(self, hashes: Sequence[bytes]) -> list[bytes]:
        """Removes transactions, and those that depend on them, from the pool; returns the hashes found."""
        with self._lock:
            return [tx_hash for tx_hash in hashes if self.pool.remove(tx_hash, "dropped")]

    def maintain_pool(self, most: int) -> int:
        """Checks up to `most` waiting transactions again; returns how many there were to check."""
        with self._lock:
            return self.pool.revalidate(self.best.number, most)

    def _validate(self, extrinsic: bytes) -> ValidTransaction:
        argument = _EXTERNAL_SOURCE + extrinsic + self.best.hash
        try:
            return decode_validity(self.call("TaggedTransactionQueue_validate_transaction", argument))
        except RuntimeTrap as error:
            raise MalformedTransaction(f"the runtime cannot take the extrinsic: {error.reason}") from error
        except CodecError as error:
            raise MalformedTransaction(f"the runtime's answer cannot be read: {error}") from error

    # -- blocks

    def produce_block(self, extrinsics: Sequence[bytes] = ()) -> Produced:
        """Builds, stores and returns the next block: `extrinsics` first, then the pool's.

        Raises TransactionError if one of `extrinsics` is not valid there, AuthoringError if no block can be
        built; then nothing has changed.
        """
        with self._lock:
            started = time.perf_counter()
            builder = self._builder(self.best, self.chain.state)
            for extrinsic in extrinsics:
                builder.push(extrinsic)
            invalid = self._fill(builder, {blake2_256(extrinsic) for extrinsic in extrinsics})
            built = builder.finish()
            self._check_again(built)
            self.chain.append(built.block, built.state)
            for tx_hash in invalid:
                self.pool.remove(tx_hash)
            self._settle(built.block, built.block.body[built.inherents :])
            return Produced(built.block, tuple(built.results), time.perf_counter() - started)

    def draft(self, extrinsics: Sequence[bytes] = ()) -> Block:
        """The block that would come next with these extrinsics and none of the pool's; nothing is kept.

        `import_block` takes it while its parent is the best block. Raises TransactionError as `produce_block` does.
        """
        with self._lock:
            builder = self._builder(self.best, self.chain.state)
            for extrinsic in extrinsics:
                builder.push(extrinsic)
            return builder.finish().block

    def set_storage(self, changes: Changes) -> Block:
        """Makes a block whose state holds `changes` beside what the block itself does, and returns it.

        Its header has the root of that state, so everything agrees but a re-execution of the block: another
        node would refuse it. For development only.
        """
        with self._lock:
            builder = self._builder(self.best, self.chain.state)
            built = builder.finish()
            version = self._runtime(self.chain.state)[1].state_version
            state = built.state.apply(changes, version)
            block = Block(replace(built.block.header, state_root=state.root()), built.block.body)
            self.chain.append(block, state)
            self._settle(block, block.body[built.inherents :])
            return block

    def travel(self, milliseconds: int) -> None:
        """Sets the node's clock: the next block has this time (Unix) or, if it must, a later one."""
        self._clock_offset = milliseconds - int(self.config.wall_clock() * 1000)

    def _now(self) -> int:
        return int(self.config.wall_clock() * 1000) + self._clock_offset

    def _builder(self, parent: Block, state: State) -> BlockBuilder:
        runtime, version = self._runtime(state)
        slot = slot_duration(runtime, state)
        timestamp = next_timestamp(state, self._now(), slot)
        return BlockBuilder(runtime, version, parent.header, state, timestamp, slot)

    def _fill(self, builder: BlockBuilder, taken: set[bytes]) -> list[bytes]:
        """Adds ready transactions until block or time is full; returns the hashes of invalid ones."""
        invalid: list[bytes] = []
        skipped: set[bytes] = set()  # tags of what was left out: what needs them is left out too
        turned_away = 0
        deadline = time.monotonic() + self.config.block_seconds
        for tx in self.pool.ready() if builder.takes_extrinsics else ():
            full = builder.body_bytes + len(tx.data) > self.config.block_bytes
            if full or turned_away > _MAX_TURNED_AWAY or time.monotonic() > deadline:
                break
            if tx.hash in taken:
                continue
            fate = "skipped" if tx.needs & skipped else self._push(builder, tx)
            if fate != "added":
                skipped.update(tx.validity.provides)
            if fate == "invalid":
                invalid.append(tx.hash)
            turned_away += fate == "no room"
        return invalid

    def _push(self, builder: BlockBuilder, tx: PooledTransaction) -> str:
        """Tries a pooled transaction; tells whether it was added, had no room, must wait or is invalid."""
        try:
            builder.push(tx.data)
        except TransactionError as error:
            kind = error.kind if isinstance(error, InvalidTransaction) else ""
            if kind in ("exhausts_resources", "future"):
                return "no room" if kind == "exhausts_resources" else "skipped"
            _log.info("transaction 0x%s leaves the pool: %s", tx.hash.hex(), error)
            return "invalid"
        return "added"

    def _check_again(self, built: Built) -> None:
        if self.config.self_check:
            runtime, version = self._runtime(self.chain.state)
            execute_block(runtime, version, built.block, self.chain.state)

    def import_block(self, block: Block) -> None:
        """Takes a block that another node made on top of the best one: checks its seal, executes it.

        Raises BlockRefused, and nothing has changed, if it is not the child of the best block or not what
        the runtime makes of its extrinsics.
        """
        with self._lock:
            check_place(self.chain, block)
            runtime, version = self._runtime(self.chain.state)
            state = execute_import(runtime, version, block, self.chain.state)
            self.chain.append(block, state)
            self._settle(block, block.body)

    def _settle(self, block: Block, extrinsics: Sequence[bytes]) -> None:
        """Tells pool and listeners about the new best block and about what has become final."""
        included = [blake2_256(extrinsic) for extrinsic in extrinsics]
        self.pool.on_block(block.number, block.hash, included)
        if self.maintains_pool:
            self.pool.revalidate(block.number)
        for listener in tuple(self._block_listeners):
            listener(block)

    # -- listeners and runtimes

    def on_block(self, listener: Callable[[Block], None]) -> None:
        """Calls `listener` with each new best block in the producing thread; it must be quick, not raise."""
        self._block_listeners.append(listener)

    def on_status(self, listener: Callable[[bytes, str, bytes | None], None]) -> None:
        """Calls `listener` with (transaction hash, status, hash) as `on_block` does.

        Statuses: future, ready, inBlock (hash: the block), usurped (hash: the other), dropped, invalid.
        """
        self._status_listeners.append(listener)

    def _tell_status(self, tx_hash: bytes, status: str, value: bytes | None) -> None:
        for listener in tuple(self._status_listeners):
            listener(tx_hash, status, value)

    def _load(self, code: bytes) -> Runtime:
        settings = self.config
        return Runtime(
            code,
            cache_dir=settings.cache_dir,
            memory_bytes=settings.memory_bytes,
            call_seconds=settings.call_seconds,
        )

    def _runtime(self, state: State) -> tuple[Runtime, RuntimeVersion]:
        """The executor of the code in a state, with its version; the last few are kept."""
        code = state.get(CODE_KEY)
        if code is None:
            raise RuntimeFault("the state has no runtime code")
        with self._lock:
            for known, runtime, version in self._runtimes:
                if known is code or known == code:
                    return runtime, version
            runtime = self._load(code)
            version = RuntimeVersion.decode(runtime.call("Core_version", b"", Overlay(state)))
            self._runtimes.insert(0, (code, runtime, version))
            del self._runtimes[_KEPT_RUNTIMES:]
            return runtime, version


def database_path(base: Path, chain_id: str) -> Path:
    """Where a chain's database lies below the base path."""
    return base / f"{quote(chain_id, safe='')}.sqlite"


def _check_extrinsic(extrinsic: bytes, most: int) -> None:
    """Refuses bytes that cannot be one length-prefixed extrinsic before the runtime sees them."""
    try:
        length, start = read_compact(extrinsic)
    except CodecError as error:
        raise MalformedTransaction(str(error)) from None
    if length != len(extrinsic) - start:
        raise MalformedTransaction(f"the extrinsic announces {length} bytes and has {len(extrinsic) - start}")
    if len(extrinsic) > most:
        raise MalformedTransaction(f"the extrinsic has more than {most} bytes")
