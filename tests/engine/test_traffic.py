"""Whatever arrives, leaves and is cut short, with however little memory: every answer is that of being alone."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet.engine import AsyncEngine, Engine, GenerationRequest, LlamaModel, ModelFiles, service_spec
from llmnet.proof import Leaf

PROMPTS = [tuple((i * 7 + n // 2) % 270 + 3 for i in range(5 + 6 * n)) for n in range(8)]


def request(name: str, prompt: int, output: int) -> GenerationRequest:
    return GenerationRequest(name, PROMPTS[prompt], 256, output, bytes([prompt]) * 32)


@pytest.fixture(scope="module")
def shop(tiny: ModelFiles) -> Any:
    """A maker of engines over one model, and the answers of requests alone."""
    model, spec = LlamaModel.from_files(tiny), service_spec(tiny, bytes(32))

    def make(**options: Any) -> Engine:
        return Engine(tiny, spec, model=model, **options)

    @cache
    def alone(prompt: int) -> list[Leaf]:
        engine = make()
        engine.add(request("x", prompt, 20))
        leaves = []
        while len(engine):
            leaves += [output.leaf for output in engine.step() if output.leaf is not None]
        return leaves

    return make, alone


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 7), st.integers(1, 20)),
        st.tuples(st.just("abort"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("step"), st.integers(1, 4), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(
    events=EVENTS,
    pages=st.integers(5, 20),
    batch=st.integers(1, 6),
    extra=st.integers(0, 40),
    shares=st.booleans(),
)
def test_answers_equal_those_of_being_alone(
    shop: Any, events: list[tuple[str, int, int]], pages: int, batch: int, extra: int, shares: bool
) -> None:
    make, alone = shop
    engine = make(num_pages=pages, max_batch=batch, max_step_tokens=batch + extra, prefix_cache=shares)
    heard: dict[str, list[Leaf]] = {}
    asked: dict[str, tuple[int, int]] = {}

    def step() -> None:
        for output in engine.step():
            assert output.error is None
            heard[output.request_id].append(output.leaf)
            if output.finished:
                prompt, count = asked.pop(output.request_id)
                assert heard[output.request_id] == alone(prompt)[:count]
        engine.check_integrity()

    for number, (kind, one, two) in enumerate(events):
        if kind == "add":
            heard[str(number)], asked[str(number)] = [], (one, two)
            engine.add(request(str(number), one, two))
        elif kind == "abort":
            assert engine.abort(str(one)) is (str(one) in asked)
            asked.pop(str(one), None)
        else:
            for _ in range(one):
                step()
    for _ in range(2000):
        if not asked:
            break
        step()
    assert not asked, "some request starves"
    assert len(engine) == 0
    assert engine._blocks.num_free == pages


async def test_scoring_beside_a_running_engine_disturbs_nobody(shop: Any) -> None:
    """Both use one model, in two threads."""
    make, alone = shop
    server = AsyncEngine(make(max_batch=4))

    async def generate(prompt: int) -> list[Leaf]:
        return [item.leaf async for item in server.generate(request(str(prompt), prompt, 20)) if item.leaf]

    async def score(prompt: int) -> list[Leaf]:
        tokens = [leaf.token for leaf in alone(prompt)]
        for _ in range(5):
            leaves = await server.score(PROMPTS[prompt], tokens, bytes([prompt]) * 32)
        return leaves

    try:
        expected = [alone(prompt) for prompt in range(4)]
        *made, scored = await asyncio.gather(*(generate(prompt) for prompt in range(4)), score(7))
    finally:
        await asyncio.to_thread(server.close)
    assert made == expected
    assert scored == alone(7)
