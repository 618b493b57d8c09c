"""The transaction pool:

ready transactions in the order of their dependencies and priority, future ones waiting.

Transactions name tags that they require and provide (for accounts: account and nonce). A transaction is ready
when what it requires is provided by ready ones or by the chain. Rules follow the pool of polkadot-sdk.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from llmnet.devnode.errors import (
    AlreadyInPool,
    InvalidTransaction,
    PoolFull,
    PriorityTooLow,
    TemporarilyBanned,
    TransactionError,
    UndecidableTransaction,
)
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.pool_queue import PooledTransaction, Queue, ReadyQueue
from llmnet.devnode.runtime_api import ValidTransaction

# What a watcher is told: (transaction hash, status, block hash or hash of the replacing transaction).
Listener = Callable[[bytes, str, bytes | None], None]
Validate = Callable[[bytes], ValidTransaction]
# Transactions that are valid for longer than this many blocks need no look at the clock.
_IMMORTAL = 1 << 40
# Entries of transactions that have left are cleared away when they are this many, and most.
_MIN_STALE = 64
__all__ = ["Listener", "Pool", "PoolLimits", "PooledTransaction", "Validate"]


@dataclass(frozen=True)
class PoolLimits:
    """How much the pool takes."""

    ready_count: int = 8192
    ready_bytes: int = 20 * 1024 * 1024
    future_count: int = 512
    future_bytes: int = 1024 * 1024
    ban_seconds: float = 30 * 60.0
    bans: int = 4096
    revalidated_per_block: int = 64


class Pool:
    """Transactions that wait for a block. For one thread at a time."""

    def __init__(
        self,
        validate: Validate,
        *,
        limits: PoolLimits | None = None,
        listener: Listener | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or PoolLimits()
        self._validate = validate
        self._listener = listener or (lambda _hash, _status, _value: None)
        self._clock = clock
        self._sequence = itertools.count()
        self._ready = ReadyQueue(self.limits.ready_count, self.limits.ready_bytes)
        self._future = Queue(self.limits.future_count, self.limits.future_bytes)
        self._provided: dict[bytes, PooledTransaction] = {}
        self._requiring: dict[bytes, set[PooledTransaction]] = {}
        # All transactions, the one that the runtime was asked about longest ago first.
        self._rota: OrderedDict[bytes, PooledTransaction] = OrderedDict()
        self._expiry: list[tuple[int, int, PooledTransaction]] = []
        self._banned: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ready) + len(self._future)

    def __contains__(self, tx_hash: bytes) -> bool:
        return self._find(tx_hash) is not None

    def _find(self, tx_hash: bytes) -> PooledTransaction | None:
        return self._ready.by_hash.get(tx_hash) or self._future.by_hash.get(tx_hash)

    @property
    def ready_count(self) -> int:
        """How many transactions could be in the next block."""
        return len(self._ready)

    def provides(self, tag: bytes) -> bool:
        """Whether a ready transaction provides this tag."""
        return tag in self._provided

    # -- taking transactions

    def submit(self, data: bytes, number: int) -> bytes:
        """Takes an extrinsic (with length prefix) at best block `number`; returns its hash.

        Raises the TransactionError that says why it is not taken. What was found invalid is banned for a
        while, so that the runtime is not asked about it again and again.
        """
        tx_hash = blake2_256(data)
        if tx_hash in self:
            raise AlreadyInPool("Transaction Already Imported")
        if self._is_banned(tx_hash):
            raise TemporarilyBanned("Transaction is temporarily banned")
        try:
            validity = self._validate(data)
        except UndecidableTransaction:
            raise
        except TransactionError:
            self._ban(tx_hash)
            raise
        self._insert(data, tx_hash, validity, number)
        return tx_hash

    def _insert(self, data: bytes, tx_hash: bytes, validity: ValidTransaction, number: int) -> None:
        if not validity.provides:
            raise InvalidTransaction(
                "no_tags", "Transaction provides no tags, so the pool cannot tell it from others"
            )
        missing = {tag for tag in validity.requires if tag not in self._provided}
        tx = PooledTransaction(
            data, tx_hash, next(self._sequence), validity, number + validity.longevity, missing
        )
        self._watch_expiry(tx)
        if missing:
            self._future.add(tx)
            self._index(tx)
            self._listener(tx_hash, "future", None)
            self._shrink(self._future)
        else:
            self._make_ready(tx)
            self._satisfy(validity.provides)
            self._shrink(self._ready)
        if tx_hash not in self:
            raise PoolFull("The transaction couldn't enter the pool because of the limit")

    def _make_ready(self, tx: PooledTransaction) -> None:
        """Adds to the ready queue, replacing what provides the same tags if that has less priority."""
        replaced = {
            old.hash: old for tag in tx.validity.provides if (old := self._provided.get(tag))
        }.values()
        old_priority = sum(old.priority for old in replaced)
        if replaced and tx.priority <= old_priority:
            raise PriorityTooLow(old_priority, tx.priority)
        orphaned: set[bytes] = set()
        for old in replaced:
            orphaned |= self._detach(old)
            self._listener(old.hash, "usurped", tx.hash)
        tx.needs = {tag for tag in tx.validity.requires if tag in self._provided}
        self._ready.add(tx)
        self._index(tx)
        self._provided.update(dict.fromkeys(tx.validity.provides, tx))
        self._listener(tx.hash, "ready", None)
        self._remove_dependants(orphaned - set(tx.validity.provides), "dropped")

    def _index(self, tx: PooledTransaction) -> None:
        for tag in tx.validity.requires:
            self._requiring.setdefault(tag, set()).add(tx)
        self._rota[tx.hash] = tx

    def _watch_expiry(self, tx: PooledTransaction) -> None:
        if tx.validity.longevity >= _IMMORTAL:
            return
        heapq.heappush(self._expiry, (tx.valid_till, tx.sequence, tx))
        if len(self._expiry) > 2 * len(self) + _MIN_STALE:  # most of them have left, or expire later by now
            live = {(one.valid_till, one.sequence): one for _, _, one in self._expiry if self._is_here(one)}
            live[tx.valid_till, tx.sequence] = tx
            self._expiry = [(*key, one) for key, one in live.items()]
            heapq.heapify(self._expiry)

    def _is_here(self, tx: PooledTransaction) -> bool:
        return self._find(tx.hash) is tx

    def _satisfy(self, tags: Iterable[bytes]) -> None:
        """Takes tags off the lists of future transactions and moves those that miss nothing more.

        These provide tags in turn, and so on: one nonce can free a queue of thousands.
        """
        queue = deque(tags)
        while queue:
            tag = queue.popleft()
            for tx in sorted(self._requiring.get(tag, ()), key=lambda tx: tx.sequence):
                tx.missing.discard(tag)
                if not tx.missing and tx.hash in self._future.by_hash:
                    self._detach(tx)
                    queue.extend(self._promote(tx))

    def _promote(self, tx: PooledTransaction) -> tuple[bytes, ...]:
        """Makes a transaction ready that is in no queue; returns the tags that it provides now."""
        try:
            self._make_ready(tx)
        except PriorityTooLow:
            self._listener(tx.hash, "dropped", None)
            return ()
        return tx.validity.provides

    def _shrink(self, queue: Queue) -> None:
        """Drops the worst until the queue is within its limits."""
        while queue.is_over():
            self._remove(queue.worst(), "dropped")

    # -- removing transactions

    def _detach(self, tx: PooledTransaction) -> set[bytes]:
        """Takes a transaction out of all tables; returns the tags that nobody provides any more."""
        if not self._ready.remove(tx):
            self._future.remove(tx)
        self._rota.pop(tx.hash, None)
        for tag in tx.validity.requires:
            users = self._requiring.get(tag, set())
            users.discard(tx)
            if not users:
                self._requiring.pop(tag, None)
        lost = {tag for tag in tx.validity.provides if self._provided.get(tag) is tx}
        for tag in lost:
            del self._provided[tag]
        return lost

    def _remove(self, tx: PooledTransaction, status: str) -> None:
        lost = self._detach(tx)
        self._listener(tx.hash, status, None)
        self._remove_dependants(lost, status)

    def _remove_dependants(self, lost: set[bytes], status: str) -> None:
        """Removes ready transactions that need a lost tag, and theirs in turn."""
        queue = deque(lost)
        while queue:
            tag = queue.popleft()
            for tx in list(self._requiring.get(tag, ())):
                if tag in tx.needs:
                    queue.extend(self._detach(tx))
                    self._listener(tx.hash, status, None)

    def remove(self, tx_hash: bytes, status: str = "invalid") -> bool:
        """Removes and bans a transaction, and removes all that depend on it; False if it is not there."""
        tx = self._find(tx_hash)
        if tx is None:
            return False
        self._ban(tx_hash)
        self._remove(tx, status)
        return True

    def _ban(self, tx_hash: bytes) -> None:
        self._banned[tx_hash] = self._clock() + self.limits.ban_seconds
        while len(self._banned) > self.limits.bans:
            self._banned.popitem(last=False)

    def _is_banned(self, tx_hash: bytes) -> bool:
        until = self._banned.get(tx_hash)
        if until is not None and until <= self._clock():
            del self._banned[tx_hash]
            return False
        return until is not None

    # -- giving transactions to blocks

    def ready(self) -> Iterator[PooledTransaction]:
        """Ready transactions, best first, each after those it depends on.

        Do not change the pool meanwhile.
        """
        return self._ready.in_order(lambda tag: self._requiring.get(tag, ()))

    def pending(self) -> list[bytes]:
        """The bytes of all ready transactions."""
        return [tx.data for tx in self.ready()]

    def on_block(self, number: int, block_hash: bytes, included: Iterable[bytes]) -> None:
        """Follows a new best block: included and expired transactions leave.

        The work depends on how many of them there are, not on how many wait. The runtime is not asked: that
        is for `revalidate`.
        """
        for tx_hash in included:
            tx = self._find(tx_hash)
            if tx is not None:
                self._detach(tx)
                for tag in tx.validity.provides:
                    for dependant in self._requiring.get(tag, ()):
                        self._ready.satisfy(dependant, tag)
                self._listener(tx_hash, "inBlock", block_hash)
                self._satisfy(tx.validity.provides)
        while self._expiry and self._expiry[0][0] <= number:
            tx = heapq.heappop(self._expiry)[2]
            if self._is_here(tx) and tx.valid_till <= number:
                self.remove(tx.hash)
        self._shrink(self._ready)

    def revalidate(self, number: int, most: int | None = None) -> int:
        """Asks the runtime again about those that were asked longest ago, each at most once.

        At most `most` of them, by default as the limits say. Returns how many were asked about.
        """
        limit = self.limits.revalidated_per_block if most is None else most
        oldest = list(itertools.islice(self._rota.values(), limit))
        for tx in oldest:
            if not self._is_here(tx):  # left with another one
                continue
            try:
                validity = self._validate(tx.data)
            except TransactionError:
                self.remove(tx.hash)
                continue
            self._renew(tx, validity, number)
        self._shrink(self._ready)
        return len(oldest)

    def _renew(self, tx: PooledTransaction, validity: ValidTransaction, number: int) -> None:
        """Takes over what the runtime now says; a future transaction may have become ready."""
        if tx.valid_till != number + validity.longevity:
            tx.valid_till = number + validity.longevity
            self._watch_expiry(tx)
        waits = {tag for tag in validity.requires if tag not in self._provided}
        if tx.missing and not waits:
            self._detach(tx)
            tx.validity, tx.missing = validity, set()
            self._satisfy(self._promote(tx))
        else:
            self._rota.move_to_end(tx.hash)
