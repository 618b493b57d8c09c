"""The default model itself: run with `-m model`."""

from __future__ import annotations

import warnings

import pytest

from llmnet.engine import Engine, GenerationRequest, ModelFiles, ensure_default_model, service_spec
from llmnet.proof import FinishReason, Message, Role

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture(scope="module")
def files() -> ModelFiles:
    return ensure_default_model()


@pytest.fixture(scope="module")
def engine(files: ModelFiles) -> Engine:
    return Engine(files, service_spec(files, bytes(32)))


def run(
    engine: Engine, *requests: GenerationRequest
) -> dict[str, tuple[list[int], str, FinishReason | None]]:
    for request in requests:
        engine.add(request)
    result: dict[str, tuple[list[int], str, FinishReason | None]] = {}
    while len(engine):
        for output in engine.step():
            tokens, text, _ = result.get(output.request_id, ([], "", None))
            result[output.request_id] = (
                [*tokens, *output.new_tokens],
                text + output.text_delta,
                output.finish_reason,
            )
    return result


def test_it_knows_the_capital_of_france(engine: Engine) -> None:
    prompt = engine.tokenizer.encode_chat([Message.of(Role.USER, "What is the capital of France?")])
    greedy = GenerationRequest("greedy", tuple(prompt), 0, 32, bytes(32))
    _, text, reason = run(engine, greedy)["greedy"]
    assert "Paris" in text
    assert reason is FinishReason.STOP


def test_greedy_tokens_equal_transformers(engine: Engine, files: ModelFiles) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's deprecations
        from transformers import AutoTokenizer, LlamaForCausalLM

        tokenizer = AutoTokenizer.from_pretrained(files.path)
        model = LlamaForCausalLM.from_pretrained(files.path, dtype=torch.float32)
        chat = [{"role": "user", "content": "Write a short poem about 3 rivers: <|no special|> äöü."}]
        prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        with torch.inference_mode():
            output = model.generate(torch.tensor([prompt]), max_new_tokens=32, do_sample=False)
    assert engine.tokenizer.encode_chat([Message.of(Role.USER, chat[0]["content"])]) == prompt
    tokens, _, _ = run(engine, GenerationRequest("x", tuple(prompt), 0, 32, bytes(32)))["x"]
    assert tokens == output[0, len(prompt) :].tolist()
