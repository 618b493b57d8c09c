"""Log-probabilities at the door are the leaves', for every token once, whichever way the answer is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from llmnet import proof
from llmnet.engine import AsyncEngine, Engine, ModelFiles, Tokenizer, service_spec
from llmnet.proof import ServiceSpec
from llmnet.worker import EngineBackend

from .shop import FakeChain, Shop, events_of, make_request, refused

Entries = list[dict[str, Any]]


@pytest.fixture
async def real(tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec, chain: FakeChain) -> AsyncIterator[Shop]:
    """A worker with the real engine."""
    import torch

    torch.set_num_threads(1)
    backend = EngineBackend(AsyncEngine(Engine(tiny, spec, max_batch=4)))
    shop = Shop(tmp_path / "worker.sqlite", tiny, spec, chain, backend=backend).open()
    yield shop
    await shop.close()


def told(events: list[dict[str, Any]]) -> Entries:
    """All entries of a stream."""
    choices = [event["choices"][0] for event in events]
    return [entry for choice in choices for entry in choice.get("logprobs", {"content": []})["content"]]


def from_leaves(leaves: tuple[proof.Leaf, ...], files: ModelFiles, top: int) -> Entries:
    """What leaves say, written down here once more."""
    tokenizer = Tokenizer(files)

    def entry(token: int, candidates: dict[int, int]) -> dict[str, Any]:
        octets = tokenizer.token_bytes(token)
        shown = octets.decode("utf-8", errors="replace")
        return {"token": shown, "logprob": candidates[token] / 256, "bytes": list(octets)}

    written = []
    for leaf in leaves:
        found = {candidate.id: candidate.logprob for candidate in leaf.candidates}
        best = [entry(candidate.id, found) for candidate in leaf.candidates[:top]]
        written.append(entry(leaf.token, found) | {"top_logprobs": best})
    return written


@pytest.mark.parametrize("top", [None, 0, 3, 20])
async def test_every_token_is_told_once_with_the_best_of_its_place(
    real: Shop, tiny: ModelFiles, top: int | None
) -> None:
    asked = {"logprobs": True} | ({} if top is None else {"top_logprobs": top})
    request = make_request(0, "numbers", temperature=512, max_tokens=24)
    streamed = events_of((await real.ask(request, stream=True, **asked)).text)
    answer = real.store.answer(1, 0)
    assert answer is not None
    assert answer.leaves is not None
    expected = from_leaves(answer.leaves, tiny, top or 0)
    assert told(streamed) == expected
    assert len(expected) == streamed[-1]["usage"]["completion_tokens"]
    again = (await real.ask(request, **asked)).json()["choices"][0]  # from the store
    assert again["logprobs"] == {"content": expected, "refusal": None}
    assert told(events_of((await real.ask(request, stream=True, **asked)).text)) == expected


async def test_bytes_of_all_tokens_make_the_answer(real: Shop) -> None:
    """Also where a character is cut in two: its tokens have bytes, and the text comes with the last of them."""
    request = make_request(0, "bytes", temperature=1024, max_tokens=60)
    answer = (await real.ask(request, logprobs=True)).json()["choices"][0]
    octets = b"".join(bytes(entry["bytes"]) for entry in answer["logprobs"]["content"])
    assert octets.decode("utf-8", errors="replace").startswith(answer["message"]["content"])
    assert any(entry["token"] == "\ufffd" for entry in answer["logprobs"]["content"])
    assert all(-128 < entry["logprob"] <= 0 for entry in answer["logprobs"]["content"])


async def test_nobody_is_told_what_he_did_not_ask_for(real: Shop) -> None:
    for index, asked in enumerate(({}, {"logprobs": False}, {"logprobs": None, "top_logprobs": None})):
        events = events_of((await real.ask(make_request(index), stream=True, **asked)).text)
        assert not [event for event in events if "logprobs" in event["choices"][0]]
        assert "logprobs" not in (await real.ask(make_request(index), **asked)).json()["choices"][0]


async def test_asking_changes_neither_answer_nor_receipt(real: Shop) -> None:
    """It is no part of the signed request: the stored answer is told again, with them or without."""
    plain = (await real.ask(make_request())).json()
    more = (await real.ask(make_request(), logprobs=True, top_logprobs=2)).json()
    assert more["llmnet"] == plain["llmnet"]
    assert more["choices"][0]["message"] == plain["choices"][0]["message"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"logprobs": "yes"}, "logprobs"),
        ({"logprobs": 1}, "logprobs"),
        ({"logprobs": 5, "top_logprobs": 5}, "logprobs"),
        ({"logprobs": True, "top_logprobs": -1}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 2.5}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": True}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": "3"}, "top_logprobs"),
        ({"top_logprobs": 3}, "needs logprobs"),
        ({"logprobs": False, "top_logprobs": 0}, "needs logprobs"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_senseless_wishes_are_refused_before_anything_is_computed(
    shop: Shop, asked: dict[str, Any], words: str, stream: bool
) -> None:
    refused(await shop.ask(stream=stream, **asked), 400, "invalid_body", words)
    assert shop.backend.jobs == []


async def test_more_than_a_leaf_keeps_is_refused(tmp_path: Path, tiny: ModelFiles, chain: FakeChain) -> None:
    few = service_spec(tiny, bytes(32), name="tiny", top_k=4)
    chain.add(1, spec_id=few.id)
    shop = Shop(tmp_path / "worker.sqlite", tiny, few, chain).open()
    refused(await shop.ask(logprobs=True, top_logprobs=5), 400, "invalid_body", "keeps 4")
    assert (await shop.ask(logprobs=True, top_logprobs=4)).status_code == 200
    await shop.close()


async def test_a_backend_that_knows_leaves_only_in_the_end_is_told_in_the_last_chunk(shop: Shop) -> None:
    events = events_of((await shop.ask(stream=True, logprobs=True)).text)
    assert len(told(events[-1:])) == len(told(events)) == events[-1]["usage"]["completion_tokens"]


async def test_an_answer_whose_leaves_are_gone_says_so(shop: Shop) -> None:
    assert (await shop.ask()).status_code == 200
    shop.store._db.execute("UPDATE answers SET leaves = NULL")
    for stream in (True, False):
        refused(await shop.ask(logprobs=True, stream=stream), 409, "leaves_dropped", "without logprobs")
    assert (await shop.ask()).status_code == 200
