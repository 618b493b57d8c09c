"""Ten thousand waiting transactions do not slow a block: what a block does is counted, not timed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from llmnet.devnode import Node
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.pool import Pool

from .conftest import NodeFactory
from .support import Signer
from .test_pool import FakeChain, make

MANY, FEW = 10_000, 100


def lines_of(action: Callable[[], Any]) -> int:
    """How many lines of the pool's modules an action runs."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if "devnode/pool" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def filled(kind: str, count: int) -> tuple[FakeChain, Pool]:
    """A pool of `count` transactions: ready ones of as many accounts, one account's chain, or future ones."""
    chain = FakeChain()
    limits = {f"{queue}_{what}": 10**9 for queue in ("ready", "future") for what in ("count", "bytes")}
    pool = chain.pool(**limits)
    for number in range(count):
        match kind:
            case "ready":
                pool.submit(make(f"a{number}", 0, priority=number % 7, longevity=64), 0)
            case "chain":
                pool.submit(make("a", number), 0)
            case "future":
                pool.submit(make(f"a{number}", 5, longevity=64), 0)
    return chain, pool


@pytest.mark.parametrize("kind", ["ready", "chain", "future"])
def test_a_block_costs_the_pool_the_same_with_few_and_with_many(kind: str) -> None:
    costs = []
    for count in (FEW, MANY):
        chain, pool = filled(kind, count)
        for number in range(20):  # what the block takes
            pool.submit(make(f"taken{number}", 0, priority=50), 0)
        chain.asked = 0

        def block(pool: Pool = pool) -> None:
            taken = [tx.hash for tx in itertools.islice(pool.ready(), 20)]
            pool.on_block(1, bytes(32), taken)

        costs.append(lines_of(block))
        assert chain.asked == 0  # the runtime is not asked while a block is made
        assert len(pool) == count
    assert costs[1] <= 1.5 * costs[0]


def test_revalidation_after_a_block_is_bounded() -> None:
    costs = []
    for count in (FEW, MANY):
        chain, pool = filled("ready", count)
        chain.asked = 0
        costs.append(lines_of(lambda pool=pool: pool.revalidate(1)))
        assert chain.asked == pool.limits.revalidated_per_block
    assert costs[1] <= 1.5 * costs[0]


def test_eviction_from_a_full_pool_does_not_look_at_all_of_it() -> None:
    costs = []
    for count in (FEW, MANY):
        chain = FakeChain()
        pool = chain.pool(ready_count=count)
        for number in range(count):
            pool.submit(make(f"a{number}", 0, priority=2 + number % 5), 0)
        costs.append(lines_of(lambda pool=pool: pool.submit(make("new", 0, priority=9), 0)))
        assert len(pool) == count
    assert costs[1] <= 1.5 * costs[0]


def test_expired_ones_leave_and_only_they_are_looked_at() -> None:
    _, pool = filled("ready", FEW)
    late = make("late", 0, longevity=1000)
    pool.submit(late, 0)
    forever = make("forever", 0, longevity=2**64 - 1)
    pool.submit(forever, 0)
    pool.on_block(63, bytes(32), [])
    assert len(pool) == FEW + 2
    pool.on_block(64, bytes(32), [])
    assert [tx.data for tx in pool.ready()] == [late, forever]
    pool.on_block(1000, bytes(32), [])
    assert [tx.data for tx in pool.ready()] == [forever]


def test_nothing_piles_up_under_a_long_run_of_blocks() -> None:
    """The pool's own tables stay as large as what waits, whatever has passed through."""
    chain, pool = filled("future", FEW)
    pool.revalidate(0, FEW)
    for number in range(1, 250):
        txs = [make(f"b{number}-{index}", 0, longevity=64) for index in range(5)]
        for tx in txs:
            pool.submit(tx, number)
        chain.include(pool, number, *txs)
    assert len(pool._rota) == len(pool)
    assert len(pool._ready._worst) <= 2 * len(pool._ready) + 64
    assert len(pool._expiry) <= 2 * len(pool) + 65
    assert len(pool) == FEW  # those that are checked again and again do not expire
    assert not pool._ready._free
    assert len(pool._requiring) == len(pool)


def test_a_service_checks_waiting_ones_between_blocks(make_node: NodeFactory) -> None:
    """The node by itself checks them as part of a block; a service takes that over."""
    node: Node = make_node()
    signer = Signer(node)
    node.submit(signer.transfer("//Alice", "//Bob", 1, 5))
    assert (len(node.pool), node.pool.ready_count) == (1, 0)
    node.maintains_pool = False
    calls = len(node.pool._rota)
    node.produce_block()
    assert calls == node.maintain_pool(10) == 1
    assert node.maintain_pool(0) == 0
    assert blake2_256(next(iter(node.pool._future.by_hash.values())).data) in node.pool


def test_a_gap_closed_at_last_frees_a_whole_queue() -> None:
    """Deeper than any recursion may go."""
    chain = FakeChain()
    pool = chain.pool(
        **{f"{queue}_{what}": 10**9 for queue in ("ready", "future") for what in ("count", "bytes")}
    )
    txs = [make("a", number) for number in range(5000)]
    for tx in txs[1:]:
        pool.submit(tx, 0)
    assert (len(pool), pool.ready_count) == (4999, 0)
    pool.submit(txs[0], 0)
    assert [tx.data for tx in pool.ready()] == txs
    pool.remove(blake2_256(txs[0]))
    assert len(pool) == 0


def test_freed_transactions_stay_within_the_limits() -> None:
    """Those that a block or a second look makes ready count like those that are sent."""
    chain = FakeChain()
    pool = chain.pool(ready_count=3)
    for number in range(1, 10):
        pool.submit(make("a", number), 0)
    chain.nonces["a"] = 1
    pool.revalidate(1)
    assert (pool.ready_count, len(pool)) == (3, 3)
    assert [tx.data for tx in pool.ready()] == [make("a", number) for number in (1, 2, 3)]
