"""The worker with the real engine and the tiny model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmnet import proof
from llmnet.engine import AsyncEngine, Engine, LlamaModel, ModelFiles, Tokenizer, answer_text
from llmnet.proof import Receipt, Request, ServiceSpec
from llmnet.worker import EngineBackend

from .shop import FakeChain, Shop, events_of, make_request, refused


def backend(files: ModelFiles, spec: ServiceSpec, model: LlamaModel | None = None) -> EngineBackend:
    import torch

    torch.set_num_threads(1)
    return EngineBackend(AsyncEngine(Engine(files, spec, max_batch=4, model=model)))


@pytest.fixture
async def shop(tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec, chain: FakeChain) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path / "worker.sqlite", tiny, spec, chain, backend=backend(tiny, spec)).open()
    yield shop
    await shop.close()


def content(events: list[dict[str, Any]]) -> str:
    return "".join(event["choices"][0]["delta"].get("content", "") for event in events)


async def test_the_text_is_what_anybody_makes_of_the_tokens(shop: Shop, tiny: ModelFiles) -> None:
    """Half characters, stop strings, the end of turn and the limit: validators recompute the text from the tokens."""
    tokenizer = Tokenizer(tiny)
    finishes = set()
    cases: list[tuple[int, int, tuple[bytes, ...]]] = [
        (index, temperature, stop)
        for index, (temperature, stop) in enumerate(
            [
                (0, ()),
                (256, ()),
                (512, ()),
                (512, (b"e", b"t", b"a ")),
                (1024, (b"s", b" ")),
                (1024, ("\ufffd".encode(),)),
            ]
        )
    ]
    for index, temperature, stop in cases:
        request = make_request(index, f"case {index}", temperature=temperature, stop=stop, max_tokens=40)
        events = events_of((await shop.ask(request, stream=True)).text)
        tokens, text = events[-1]["llmnet"]["tokens"], content(events)
        receipt = proof.Receipt.decode(bytes.fromhex(events[-1]["llmnet"]["receipt"]))
        assert text == answer_text(tokenizer, tokens, [item.decode() for item in stop])
        assert receipt.text_hash == proof.text_hash(text)
        assert receipt.output_hash == proof.output_hash(tokens)
        assert receipt.n_prompt == len(tokenizer.encode_chat(request.messages))
        finishes.add(receipt.finish)
        answer = shop.store.answer(1, index)
        assert answer is not None and answer.leaves is not None
        assert [leaf.token for leaf in answer.leaves] == tokens
        assert receipt.transcript_root == proof.transcript_root(answer.leaves)
        seed = proof.request_seed(bytes([1]) * 32, index, request.hash)
        assert all(proof.self_consistent(leaf, shop.spec, seed, temperature) for leaf in answer.leaves)
    assert len(finishes) > 1


def without_root(answer: httpx.Response) -> Receipt:
    """Sketches may differ in their last bit with what else is in the batch; nothing else may."""
    receipt = Receipt.decode(bytes.fromhex(answer.json()["llmnet"]["receipt"]))
    return replace(receipt, transcript_root=bytes(32))


async def crash_and_resume(shop: Shop, requests: list[Request], backends: list[EngineBackend]) -> None:
    """Stop the worker when it has accepted the requests, and let another one take them up."""
    asking = [asyncio.create_task(shop.ask(request)) for request in requests]
    while shop.store.next_index(1) < len(requests):
        await asyncio.sleep(0.001)
    owed = len(shop.store.unanswered())
    await shop.restart(backends.pop())
    await asyncio.gather(*asking)
    assert owed == len(requests), "the crash came too late to show anything"
    await shop.admission.resume()


async def test_at_once_in_turn_and_after_a_crash_give_the_same_answers(
    shop: Shop, tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec, chain: FakeChain
) -> None:
    requests = [make_request(index, f"question {index}", max_tokens=60) for index in range(5)]
    at_once = await asyncio.gather(*(shop.ask(request) for request in reversed(requests)))
    wanted = [without_root(answer) for answer in reversed(at_once)]
    other = Shop(tmp_path / "other.sqlite", tiny, spec, chain, backend=backend(tiny, spec)).open()
    await crash_and_resume(other, requests[:3], [backend(tiny, spec)])
    given = [without_root(await other.ask(request)) for request in requests]
    await other.close()
    assert given == wanted


async def test_a_request_alone_gets_the_very_receipt_after_a_crash(
    shop: Shop, tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec, chain: FakeChain
) -> None:
    wanted = (await shop.ask(make_request(max_tokens=60))).json()["llmnet"]
    other = Shop(tmp_path / "other.sqlite", tiny, spec, chain, backend=backend(tiny, spec)).open()
    await crash_and_resume(other, [make_request(max_tokens=60)], [backend(tiny, spec)])
    given = (await other.ask(make_request(max_tokens=60))).json()["llmnet"]
    await other.close()
    assert (given["receipt"], given["tokens"]) == (wanted["receipt"], wanted["tokens"])


async def test_a_model_that_gives_nan(
    tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec, chain: FakeChain
) -> None:
    import torch

    model = LlamaModel.from_files(tiny, spec.numerics, "cpu")
    for name, tensor in vars(model).items():  # in their place, not in them: the file's pages are everybody's
        if isinstance(tensor, torch.Tensor) and tensor.is_floating_point():
            object.__setattr__(model, name, torch.full_like(tensor, float("nan")))
    shop = Shop(tmp_path / "worker.sqlite", tiny, spec, chain, backend=backend(tiny, spec, model)).open()
    refused(await shop.ask(), 503, "generation_failed", "non-finite")
    refused(await shop.ask(make_request(1)), 409, "session_stuck", "non-finite")
    assert shop.store.uncommitted() == {} and shop.store.spent(1) == 0
    await shop.close()


async def test_an_engine_that_was_closed_marks_the_backend_dead(shop: Shop) -> None:
    shop.backend.close()
    refused(await shop.ask(), 503, "generation_failed")
    assert shop.answerer.dead.is_set() and shop.store.failure(1) is None
