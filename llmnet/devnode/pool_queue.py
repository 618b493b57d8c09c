"""The transactions of the pool in their order: what a block takes first, and what has to go first."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from llmnet.devnode.runtime_api import ValidTransaction

# Entries of transactions that have left are cleared away when they are this many, and most.
_MIN_STALE = 64


@dataclass(eq=False)
class PooledTransaction:
    """A transaction in the pool.

    Future ones wait for the tags in `missing`; ready ones come after the pool's providers of the tags in
    `needs`.
    """

    data: bytes = field(repr=False)
    hash: bytes
    sequence: int
    validity: ValidTransaction
    valid_till: int
    missing: set[bytes] = field(default_factory=set)
    needs: set[bytes] = field(default_factory=set)

    @property
    def priority(self) -> int:
        """Its priority; higher goes first."""
        return self.validity.priority


class Queue:
    """Transactions by hash, within limits of their number and their bytes."""

    def __init__(self, count: int, size: int) -> None:
        self._most, self._most_bytes, self.bytes = count, size, 0
        self.by_hash: dict[bytes, PooledTransaction] = {}
        self._worst: list[tuple[int, int, PooledTransaction]] = []

    def __len__(self) -> int:
        return len(self.by_hash)

    def add(self, tx: PooledTransaction) -> None:
        """Adds a transaction, limits or not."""
        self.by_hash[tx.hash] = tx
        self.bytes += len(tx.data)
        heapq.heappush(self._worst, (tx.priority, -tx.sequence, tx))

    def remove(self, tx: PooledTransaction) -> bool:
        """Removes a transaction; False if it is not there."""
        found = self.by_hash.pop(tx.hash, None) is not None
        self.bytes -= len(tx.data) if found else 0
        if len(self._worst) > 2 * len(self.by_hash) + _MIN_STALE:
            self._worst = [(one.priority, -one.sequence, one) for one in self.by_hash.values()]
            heapq.heapify(self._worst)
        return found

    def is_over(self) -> bool:
        """Whether it is over a limit."""
        return len(self.by_hash) > self._most or self.bytes > self._most_bytes

    def worst(self) -> PooledTransaction:
        """The one with the least priority, of several the latest."""
        while True:
            priority, _, tx = self._worst[0]
            if self.by_hash.get(tx.hash) is tx and tx.priority == priority:
                return tx
            heapq.heappop(self._worst)


class ReadyQueue(Queue):
    """Ready transactions. Those that come after no other one of the pool are kept in order."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__(count, size)
        self._free: list[tuple[int, int]] = []
        self._by_sequence: dict[int, PooledTransaction] = {}

    def add(self, tx: PooledTransaction) -> None:
        """Adds a transaction whose `needs` are known."""
        super().add(tx)
        if not tx.needs:
            self._put_free(tx)

    def _put_free(self, tx: PooledTransaction) -> None:
        insort(self._free, (-tx.priority, tx.sequence))
        self._by_sequence[tx.sequence] = tx

    def remove(self, tx: PooledTransaction) -> bool:
        """Removes a transaction; False if it is not there."""
        if self._by_sequence.pop(tx.sequence, None) is not None:
            del self._free[bisect_left(self._free, (-tx.priority, tx.sequence))]
        return super().remove(tx)

    def satisfy(self, tx: PooledTransaction, tag: bytes) -> None:
        """Takes a tag off what a transaction needs: the chain provides it now."""
        if tag in tx.needs:
            tx.needs.discard(tag)
            if not tx.needs and self.by_hash.get(tx.hash) is tx:
                self._put_free(tx)

    def in_order(
        self, needing: Callable[[bytes], Iterable[PooledTransaction]]
    ) -> Iterator[PooledTransaction]:
        """Best first, each after those it depends on; work is done only for those that are taken.

        `needing` gives the transactions that require a tag. Do not change the queue meanwhile.
        """
        unmet: dict[bytes, int] = {}
        freed: list[tuple[int, int, PooledTransaction]] = []
        at = 0
        while freed or at < len(self._free):
            if not freed or (at < len(self._free) and self._free[at] < freed[0][:2]):
                tx = self._by_sequence[self._free[at][1]]
                at += 1
            else:
                tx = heapq.heappop(freed)[2]
            yield tx
            for tag in tx.validity.provides:
                for dependant in needing(tag):
                    if tag in dependant.needs and dependant.hash in self.by_hash:
                        unmet[dependant.hash] = unmet.get(dependant.hash, len(dependant.needs)) - 1
                        if not unmet[dependant.hash]:
                            heapq.heappush(freed, (-dependant.priority, dependant.sequence, dependant))
