"""Log-probabilities that a reader is shown are those of the leaves, and near the model's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from llmnet.engine import Engine, GenerationRequest, Output
from llmnet.engine.logprobs import token_logprob


def test_logprobs_are_the_leafs(
    make_engine: Callable[..., Engine],
    make_request: Callable[..., GenerationRequest],
    drain: Callable[[Engine], dict[str, list[Output]]],
) -> None:
    engine = make_engine()
    engine.add(make_request(0))
    for output in drain(engine)["r0"]:
        assert output.leaf is not None
        shown = token_logprob(output.leaf, engine.tokenizer, top=5)
        assert shown.octets == engine.tokenizer.token_bytes(output.leaf.token)
        assert shown.logprob is not None
        assert -128 <= shown.logprob <= 0
        values = [entry.logprob or 0.0 for entry in shown.top]
        assert values == sorted(values, reverse=True)
        assert [entry.octets for entry in shown.top] == [
            engine.tokenizer.token_bytes(candidate.id) for candidate in output.leaf.candidates[:5]
        ]
        assert sum(math.exp(value) for value in values) < 1.02
        with pytest.raises(ValueError, match="20 candidates"):
            token_logprob(output.leaf, engine.tokenizer, top=21)


def test_half_a_character_is_shown_as_its_bytes(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    leaf = engine.score((1, 2, 3), [engine.tokenizer.encode("ä")[0]], bytes(32))[0]
    shown = token_logprob(leaf, engine.tokenizer)
    assert (shown.token, shown.octets) == ("\ufffd", "ä".encode()[:1])
    assert shown.logprob is None or shown.logprob <= 0
