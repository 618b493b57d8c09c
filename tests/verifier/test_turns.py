"""One at a time, the most urgent first, whoever gives up waiting."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from llmnet.verifier.turns import Turns


async def play(priorities: list[int], cancelled: set[int]) -> tuple[list[int], int]:
    """Who had a turn, in order, and how many at most at the same time. The first comer blocks the others until all wait."""
    turns, order, inside, most, gate = Turns(), [], 0, 0, asyncio.Event()

    async def job(number: int, priority: int) -> None:
        nonlocal inside, most
        async with turns.turn(priority):
            inside += 1
            most = max(most, inside)
            await (gate.wait() if number == 0 else asyncio.sleep(0))
            order.append(number)
            inside -= 1

    tasks = [asyncio.create_task(job(number, priority)) for number, priority in enumerate(priorities)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for number in cancelled:
        tasks[number].cancel()
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1), turns.turn(0):  # whatever happened, the lock is free again
        pass
    return order, most


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.data())
def test_the_most_urgent_goes_first_and_nobody_is_lost(priorities: list[int], data: st.DataObject) -> None:
    others = range(1, len(priorities))
    cancelled = data.draw(st.sets(st.sampled_from(others))) if others else set()
    order, most = asyncio.run(play(priorities, cancelled))
    waiting = [number for number in others if number not in cancelled]
    assert most == 1
    assert order == [0, *sorted(waiting, key=lambda number: (priorities[number], number))]


async def test_a_turn_that_comes_while_its_waiter_gives_up_is_passed_on() -> None:
    turns = Turns()
    async with turns.turn(0):
        first, second = (asyncio.create_task(_hold(turns)) for _ in range(2))
        await asyncio.sleep(0)
    first.cancel()  # its turn has come, it has not run yet
    async with asyncio.timeout(1):
        await second
    assert first.cancelled() or first.done()


async def _hold(turns: Turns) -> None:
    async with turns.turn(0):
        await asyncio.sleep(0)
