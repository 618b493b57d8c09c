"""Many readers on one engine: a slow one delays nobody, a lost one frees its place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from llmnet.engine import (
    AsyncEngine,
    ContextLengthError,
    DuplicateRequestError,
    Engine,
    EngineClosedError,
    GenerationRequest,
    NumericsError,
    Output,
)

MakeEngine = Callable[..., Engine]
MakeRequest = Callable[..., GenerationRequest]


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine(max_batch=4)


@pytest.fixture
async def server(engine: Engine) -> AsyncIterator[AsyncEngine]:
    server = AsyncEngine(engine)
    yield server
    await asyncio.to_thread(server.close)


async def collect(server: AsyncEngine, request: GenerationRequest) -> list[Output]:
    return [output async for output in server.generate(request)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def count_steps(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with every step, and makes steps slow enough that 400 of them are a long time."""
    steps: list[int] = []
    step = engine.step

    def slow() -> list[Output]:
        steps.append(len(steps))
        time.sleep(0.005)
        return step()

    monkeypatch.setattr(engine, "step", slow)
    return steps


async def test_concurrent_answers_equal_those_of_the_plain_engine(
    server: AsyncEngine,
    make_engine: MakeEngine,
    make_request: MakeRequest,
    drain: Callable[..., dict[str, list[Output]]],
) -> None:
    plain = make_engine()
    for number in range(8):
        plain.add(make_request(number))
    expected = {name: [o.new_tokens for o in outputs] for name, outputs in drain(plain).items()}
    answers = await asyncio.gather(*(collect(server, make_request(number)) for number in range(8)))
    assert {outputs[0].request_id: [o.new_tokens for o in outputs] for outputs in answers} == expected
    assert all(outputs[-1].finished for outputs in answers)


async def test_a_slow_reader_delays_nobody(
    server: AsyncEngine, engine: Engine, make_request: MakeRequest
) -> None:
    slow = server.generate(make_request(0, max_tokens=300))
    first = await anext(slow)
    assert not first.finished
    done = await collect(server, make_request(1))
    assert len(done) == 12
    await until(lambda: len(engine) == 0)  # the slow reader's answer is complete though it read one token
    rest = [output async for output in slow]
    assert len(rest) == 299
    assert rest[-1].finished


async def test_cancelling_a_reader_aborts_its_request(
    server: AsyncEngine, engine: Engine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = count_steps(engine, monkeypatch)
    started = asyncio.Event()

    async def read() -> None:
        async for _ in server.generate(make_request(0, max_tokens=500)):
            started.set()

    task = asyncio.create_task(read())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: len(engine) == 0)
    assert len(steps) < 400, "it was dropped, it did not run to its end"
    assert engine._blocks.num_free == engine._blocks.num_pages
    assert len(await collect(server, make_request(0))) == 12, "the id is free again"


async def test_leaving_the_loop_aborts_the_request(
    server: AsyncEngine, engine: Engine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = count_steps(engine, monkeypatch)
    stream = server.generate(make_request(0, max_tokens=500))
    await anext(stream)
    await stream.aclose()
    await until(lambda: len(engine) == 0)
    assert len(steps) < 400


async def test_a_late_reader_does_not_abort_the_next_request_of_its_name(
    server: AsyncEngine, engine: Engine, make_request: MakeRequest
) -> None:
    late = server.generate(make_request(0))
    await anext(late)
    await until(lambda: len(engine) == 0)
    following = server.generate(make_request(0, max_tokens=300))
    await anext(following)
    async for _ in late:
        pass
    async with asyncio.timeout(10):
        rest = [output async for output in following]
    assert (len(rest), rest[-1].finished) == (299, True)


async def test_refusals_reach_the_one_who_asked(server: AsyncEngine, make_request: MakeRequest) -> None:
    running = server.generate(make_request(0, max_tokens=400))
    await anext(running)
    with pytest.raises(DuplicateRequestError):
        await collect(server, make_request(0))
    with pytest.raises(ContextLengthError):
        await collect(server, make_request(1, (5,) * 510))
    assert not (await anext(running)).finished, "the request with that id was not disturbed"
    await running.aclose()


async def test_a_failed_request_raises_its_error(
    server: AsyncEngine, engine: Engine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = engine._leaves.build
    monkeypatch.setattr(
        engine._leaves, "build", lambda *args: [NumericsError("non-finite logits"), *build(*args)[1:]]
    )
    with pytest.raises(NumericsError):
        await collect(server, make_request(0))
    assert len(engine) == 0


async def test_closing_ends_running_requests_and_refuses_new_ones(
    server: AsyncEngine, make_request: MakeRequest
) -> None:
    running = server.generate(make_request(0, max_tokens=500))
    await anext(running)
    await asyncio.to_thread(server.close)
    with pytest.raises(EngineClosedError):
        async for _ in running:
            pass
    with pytest.raises(EngineClosedError):
        await collect(server, make_request(1))


async def test_a_dead_thread_is_not_a_silent_one(
    server: AsyncEngine, engine: Engine, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[Output]:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(engine, "step", broken)
    with pytest.raises(EngineClosedError, match="a fault of ours"):
        await collect(server, make_request(0))
    with pytest.raises(EngineClosedError, match="a fault of ours"):
        await collect(server, make_request(1))
    engine.abort("r0")


async def test_scoring_beside_running_requests(server: AsyncEngine, make_request: MakeRequest) -> None:
    request = make_request(0)
    outputs = await collect(server, request)
    other = asyncio.create_task(collect(server, make_request(1, max_tokens=100)))
    tokens = [output.new_tokens[0] for output in outputs]
    scored = await server.score(request.prompt_ids, tokens, request.request_seed)
    assert [leaf.token for leaf in scored] == tokens
    assert len(await other) == 100
