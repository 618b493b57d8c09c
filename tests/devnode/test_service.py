from __future__ import annotations

import asyncio
import threading

import pytest

from llmnet.devnode import Node
from llmnet.devnode.runtime_thread import RuntimeThread
from llmnet.devnode.service import NodeService, Seal


def test_calls_run_in_their_order_and_urgent_ones_first() -> None:
    thread, gate, seen = RuntimeThread(), threading.Event(), list[str]()
    first = thread.submit(lambda: (gate.wait(10), seen.append("first")))
    while not first.running():
        pass
    for name in ("second", "third"):
        thread.submit(lambda name=name: seen.append(name))
    thread.submit(lambda: seen.append("block"), urgent=True)
    cancelled = thread.submit(lambda: seen.append("never"))
    assert cancelled.cancel()
    gate.set()
    thread.shutdown()
    assert seen == ["first", "block", "second", "third"]


def test_a_fault_belongs_to_who_asked_and_the_thread_goes_on() -> None:
    thread = RuntimeThread()
    with pytest.raises(ZeroDivisionError):
        thread.submit(lambda: 1 // 0).result(10)
    assert thread.submit(lambda: "on").result(10) == "on"
    thread.shutdown()


async def test_many_questions_do_not_keep_a_block_waiting(node: Node) -> None:
    service = NodeService(node)
    gate = threading.Event()
    waiting = asyncio.ensure_future(service.run(gate.wait, 10))
    asked = [asyncio.ensure_future(service.run(lambda: node.best.number)) for _ in range(50)]
    block = asyncio.ensure_future(service.produce())
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(waiting, block)
    assert await asyncio.gather(*asked) == [1] * 50  # all were asked first and answered after the block
    await service.close()


async def test_closing_lets_what_is_under_way_finish(node: Node) -> None:
    service = NodeService(node, Seal("interval", 0.01))
    begun, gate = threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        gate.wait(10)
        return node.best.number

    running = asyncio.ensure_future(service.run(slow))
    await asyncio.to_thread(begun.wait, 10)
    closing = asyncio.ensure_future(service.close())
    await asyncio.sleep(0.02)
    assert not closing.done()
    gate.set()
    assert await running >= 0
    await closing
