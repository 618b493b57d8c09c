"""The nonce manager by itself, as a state machine against a model of the node."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.chain.nonces import NonceManager

ME = bytes(32)


async def test_concurrent_reservations_are_distinct_and_in_order() -> None:
    asked = 0

    async def fetch(account: bytes) -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return 5

    manager, taken = NonceManager(fetch), []

    async def work() -> None:
        async with manager.reserve(ME) as lease:
            await asyncio.sleep(0)
            taken.append(lease.nonce)
            lease.consume()

    await asyncio.gather(*(work() for _ in range(20)))
    assert taken == list(range(5, 25))
    assert asked == 1


async def test_a_reset_or_shared_account_is_noticed_between_transactions() -> None:
    answers = iter([7, 0])

    async def fetch(account: bytes) -> int:
        return next(answers)

    manager = NonceManager(fetch)
    for nonce in (7, 0):
        async with manager.reserve(ME) as lease:
            assert lease.nonce == nonce
            lease.consume()
        manager.settle(ME, nonce, landed=True)


async def test_an_unused_lease_is_given_out_again() -> None:
    async def fetch(account: bytes) -> int:
        return 3

    manager = NonceManager(fetch)
    with pytest.raises(RuntimeError):
        async with manager.reserve(ME):
            raise RuntimeError
    async with manager.reserve(ME) as lease:
        assert lease.nonce == 3


async def test_a_failing_fetch_does_not_block_the_account() -> None:
    answers: Iterator[Exception | int] = iter([ConnectionError(), 4])

    async def fetch(account: bytes) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    manager = NonceManager(fetch)
    with pytest.raises(ConnectionError):
        async with manager.reserve(ME):
            pass
    async with manager.reserve(ME) as lease:
        assert lease.nonce == 4


async def test_nothing_is_kept_of_accounts_that_are_idle() -> None:
    async def fetch(account: bytes) -> int:
        return 0

    manager = NonceManager(fetch)
    for number in range(50):
        account = bytes([number]) * 32
        async with manager.reserve(account) as lease:
            lease.consume()
        assert manager.in_flight(account) == {0}
        manager.settle(account, 0, landed=True)
        manager.settle(account, 0, landed=True)  # twice is harmless
    assert manager._accounts == {}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["send", "refuse", "land", "lose", "other"]), st.integers(0, 10)),
        max_size=40,
    )
)
def test_no_nonce_is_given_out_twice_while_it_is_in_flight(steps: list[tuple[str, int]]) -> None:
    """Model: the node counts what landed; the pool is not told, so a resync sees the least it can."""

    async def run() -> None:
        chain, flight = 0, set[int]()

        async def fetch(account: bytes) -> int:
            return chain

        manager = NonceManager(fetch)
        for step, pick in steps:
            if step in ("send", "refuse"):
                async with manager.reserve(ME) as lease:
                    assert lease.nonce not in flight
                    if step == "send":
                        lease.consume()
                        flight.add(lease.nonce)
            elif step == "other":
                chain += 0 if flight else 1
            elif flight:
                nonce = sorted(flight)[pick % len(flight)]
                flight.discard(nonce)
                manager.settle(ME, nonce, landed=step == "land")
                if step == "land":
                    chain = max(chain, nonce + 1)
            assert manager.in_flight(ME) == flight

    asyncio.run(run())
