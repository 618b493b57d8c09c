from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.devnode.errors import (
    AlreadyInPool,
    InvalidTransaction,
    PoolFull,
    PriorityTooLow,
    TemporarilyBanned,
    TransactionError,
)
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.pool import Pool, PoolLimits
from llmnet.devnode.runtime_api import ValidTransaction


@dataclass
class FakeChain:
    """Validates transactions that are JSON: account, nonce, priority, longevity. Keeps the accounts' nonces."""

    nonces: dict[str, int] = field(default_factory=dict)
    now: float = 0.0
    said: list[tuple[bytes, str]] = field(default_factory=list)
    asked: int = 0

    def validate(self, data: bytes) -> ValidTransaction:
        self.asked += 1
        tx = json.loads(data)
        expected = self.nonces.get(tx["account"], 0)
        if tx["nonce"] < expected:
            raise InvalidTransaction("stale", "Transaction is outdated")
        requires = (_tag(tx["account"], tx["nonce"] - 1),) if tx["nonce"] > expected else ()
        return ValidTransaction(
            tx["priority"], requires, (_tag(tx["account"], tx["nonce"]),), tx["longevity"], True
        )

    def pool(self, **limits: object) -> Pool:
        return Pool(
            self.validate,
            limits=PoolLimits(**limits),  # type: ignore[arg-type]
            listener=lambda tx_hash, status, _value: self.said.append((tx_hash, status)),
            clock=lambda: self.now,
        )

    def statuses(self, data: bytes) -> list[str]:
        return [status for tx_hash, status in self.said if tx_hash == blake2_256(data)]

    def include(self, pool: Pool, number: int, *txs: bytes) -> None:
        for tx in txs:
            account = json.loads(tx)["account"]
            self.nonces[account] = self.nonces.get(account, 0) + 1
        pool.on_block(number, bytes([number]) * 32, [blake2_256(tx) for tx in txs])
        pool.revalidate(number)


def _tag(account: str, nonce: int) -> bytes:
    return f"{account}/{nonce}".encode()


def make(account: str, nonce: int, priority: int = 1, longevity: int = 1000, pad: int = 0) -> bytes:
    return json.dumps(
        {"account": account, "nonce": nonce, "priority": priority, "longevity": longevity, "pad": "x" * pad}
    ).encode()


def order(pool: Pool) -> list[bytes]:
    return [tx.data for tx in pool.ready()]


def test_nonces_of_one_account_go_in_order_whatever_their_priority() -> None:
    chain = FakeChain()
    pool = chain.pool()
    txs = [make("a", 0, priority=1), make("a", 1, priority=9), make("a", 2, priority=5)]
    for tx in (txs[2], txs[0], txs[1]):
        pool.submit(tx, 0)
    assert order(pool) == txs
    assert chain.statuses(txs[2]) == ["future", "ready"]


def test_accounts_are_ordered_by_priority_then_by_arrival() -> None:
    pool = FakeChain().pool()
    low, high, same = make("a", 0, 1), make("b", 0, 7), make("c", 0, 1)
    for tx in (low, high, same):
        pool.submit(tx, 0)
    assert order(pool) == [high, low, same]


def test_gap_in_nonces_waits_in_the_future() -> None:
    chain = FakeChain()
    pool = chain.pool()
    first, third = make("a", 0), make("a", 2)
    pool.submit(third, 0)
    pool.submit(first, 0)
    assert order(pool) == [first]
    assert len(pool) == 2
    pool.submit(make("a", 1), 0)
    assert order(pool)[-1] == third


def test_gap_closed_by_the_chain_is_found_by_revalidation() -> None:
    chain = FakeChain()
    pool = chain.pool()
    waiting = make("a", 2)
    pool.submit(waiting, 0)
    chain.nonces["a"] = 2
    pool.on_block(1, bytes(32), [])
    assert order(pool) == []
    pool.revalidate(1)
    assert order(pool) == [waiting]


def test_higher_priority_replaces_the_same_nonce() -> None:
    chain = FakeChain()
    pool = chain.pool()
    old, after, new = make("a", 0, 3), make("a", 1), make("a", 0, 4)
    pool.submit(old, 0)
    pool.submit(after, 0)
    pool.submit(new, 0)
    assert order(pool) == [new, after]
    assert chain.statuses(old) == ["ready", "usurped"]


@pytest.mark.parametrize("priority", [3, 2])
def test_equal_or_lower_priority_does_not_replace(priority: int) -> None:
    chain = FakeChain()
    pool = chain.pool()
    old = make("a", 0, 3)
    pool.submit(old, 0)
    with pytest.raises(PriorityTooLow) as caught:
        pool.submit(make("a", 0, priority, pad=1), 0)
    assert (caught.value.old, caught.value.new) == (3, priority)
    assert order(pool) == [old]


def test_twice_the_same_is_refused() -> None:
    pool = FakeChain().pool()
    pool.submit(make("a", 0), 0)
    with pytest.raises(AlreadyInPool):
        pool.submit(make("a", 0), 0)


def test_included_transactions_leave_and_free_those_behind_them() -> None:
    chain = FakeChain()
    pool = chain.pool()
    txs = [make("a", nonce) for nonce in range(3)]
    for tx in txs:
        pool.submit(tx, 0)
    chain.include(pool, 1, txs[0])
    assert order(pool) == txs[1:]
    assert chain.statuses(txs[0]) == ["ready", "inBlock"]


def test_expired_transaction_and_those_behind_it_leave_and_it_is_banned_for_a_while() -> None:
    chain = FakeChain()
    pool = chain.pool()
    mortal, behind = make("a", 0, longevity=3), make("a", 1)
    pool.submit(mortal, 10)
    pool.submit(behind, 10)
    pool.on_block(12, bytes(32), [])
    assert len(pool) == 2
    pool.on_block(13, bytes(32), [])
    assert len(pool) == 0
    assert chain.statuses(behind)[-1] == "invalid"
    with pytest.raises(TemporarilyBanned):
        pool.submit(mortal, 13)
    pool.submit(behind, 13)  # only the expired one is banned
    chain.now += 31 * 60
    pool.submit(mortal, 13)
    assert len(pool) == 2


def test_stale_transaction_is_found_by_revalidation() -> None:
    chain = FakeChain()
    pool = chain.pool()
    tx = make("a", 0)
    pool.submit(tx, 0)
    chain.nonces["a"] = 5
    pool.on_block(1, bytes(32), [])
    pool.revalidate(1)
    assert len(pool) == 0
    assert chain.statuses(tx)[-1] == "invalid"


def test_revalidation_is_bounded_and_comes_to_everyone() -> None:
    chain = FakeChain()
    pool = chain.pool(revalidated_per_block=4)
    for number in range(10):
        pool.submit(make(f"a{number}", 0), 0)
    chain.asked = 0
    pool.on_block(1, bytes(32), [])
    assert chain.asked == 0
    assert pool.revalidate(1) == chain.asked == 4
    chain.nonces = {f"a{number}": 1 for number in range(10)}
    for number in (2, 3, 4):
        pool.revalidate(number)
    assert len(pool) == 0


def test_full_pool_drops_the_worst() -> None:
    chain = FakeChain()
    pool = chain.pool(ready_count=2)
    low, middle, high = make("a", 0, 1), make("b", 0, 2), make("c", 0, 3)
    for tx in (low, middle, high):
        pool.submit(tx, 0)
    assert order(pool) == [high, middle]
    assert chain.statuses(low)[-1] == "dropped"
    with pytest.raises(PoolFull):
        pool.submit(make("d", 0, 1), 0)
    assert order(pool) == [high, middle]


def test_full_pool_drops_what_depends_on_the_dropped() -> None:
    chain = FakeChain()
    pool = chain.pool(ready_count=2)
    first, second, better = make("a", 0, 1), make("a", 1, 5), make("b", 0, 2)
    for tx in (first, second, better):
        pool.submit(tx, 0)
    assert order(pool) == [better]
    assert chain.statuses(second)[-1] == "dropped"


def test_bytes_are_limited_too() -> None:
    pool = FakeChain().pool(ready_bytes=1000)
    pool.submit(make("a", 0, 5, pad=700), 0)
    with pytest.raises(PoolFull):
        pool.submit(make("b", 0, 1, pad=700), 0)
    assert pool.ready_count == 1


def test_futures_are_limited() -> None:
    pool = FakeChain().pool(future_count=3)
    for number in range(3):
        pool.submit(make(f"a{number}", 5), 0)
    with pytest.raises(PoolFull):
        pool.submit(make("b", 5), 0)
    assert len(pool) == 3


def test_bans_are_limited() -> None:
    chain = FakeChain()
    pool = chain.pool(bans=2)
    txs = [make(f"a{number}", 0) for number in range(3)]
    for tx in txs:
        pool.submit(tx, 0)
        assert pool.remove(blake2_256(tx))
    pool.submit(txs[0], 0)
    for tx in txs[1:]:
        with pytest.raises(TemporarilyBanned):
            pool.submit(tx, 0)
    assert not pool.remove(bytes(32))


def test_transaction_without_tags_is_refused() -> None:
    pool = Pool(lambda _data: ValidTransaction(1, (), (), 1, True))
    with pytest.raises(InvalidTransaction, match="no tags"):
        pool.submit(b"x", 0)


_STEP = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from("abc"), st.integers(0, 5), st.integers(1, 3)),
    st.tuples(st.just("include"), st.integers(0, 3), st.just(0), st.just(0)),
    st.tuples(st.just("remove"), st.integers(0, 3), st.just(0), st.just(0)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_STEP, max_size=40))
def test_ready_transactions_always_apply_in_their_order(steps: list[tuple[str, object, int, int]]) -> None:
    """Whatever happens, executing the ready ones one after another meets each account's nonces without a gap."""
    chain = FakeChain()
    pool = chain.pool(ready_count=6, future_count=3, ban_seconds=0)
    number = 0
    for kind, what, nonce, priority in steps:
        if kind == "submit":
            try:
                pool.submit(make(str(what), nonce, priority), number)
            except TransactionError:
                continue
        elif kind == "include":
            number += 1
            chain.include(pool, number, *order(pool)[: int(str(what))])
        elif order(pool):
            pool.remove(blake2_256(order(pool)[int(str(what)) % pool.ready_count]))
        _check(chain, pool)


def _check(chain: FakeChain, pool: Pool) -> None:
    expected = dict(chain.nonces)
    ready = order(pool)
    for data in ready:
        tx = json.loads(data)
        assert tx["nonce"] == expected.get(tx["account"], 0)
        expected[tx["account"]] = tx["nonce"] + 1
        assert pool.provides(_tag(tx["account"], tx["nonce"]))
    assert len(ready) == pool.ready_count <= 6
    assert len(pool) - pool.ready_count <= 3
