"""Tokens in; tokens, text and leaves out: the same for a request whoever it shares the machine with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch

from llmnet import proof
from llmnet.engine import (
    ContextLengthError,
    DuplicateRequestError,
    Engine,
    GenerationRequest,
    ModelFiles,
    NumericsError,
    Output,
    RequestError,
    answer_text,
    quantise_int8,
    service_spec,
    write_tiny_model,
)
from llmnet.engine.leaves import LeafBuilder, Wanted, candidate_superset
from llmnet.proof import FinishReason, Leaf, ServiceSpec

MakeEngine = Callable[..., Engine]
MakeRequest = Callable[..., GenerationRequest]
Drain = Callable[[Engine], dict[str, list[Output]]]
PROMPTS = [tuple((7 * i + 3 * j) % 274 for j in range(3 + 9 * i)) for i in range(8)]


def tokens(outputs: list[Output]) -> list[int]:
    return [token for output in outputs for token in output.new_tokens]


def leaves(outputs: list[Output]) -> list[Leaf]:
    return [output.leaf for output in outputs if output.leaf is not None]


def text(outputs: list[Output]) -> str:
    return "".join(output.text_delta for output in outputs)


def largest_step(a: list[Leaf], b: list[Leaf]) -> int:
    """Largest difference of any committed number of two lists of leaves; identities must agree."""
    assert [leaf.token for leaf in a] == [leaf.token for leaf in b]
    worst = 0
    for x, y in zip(a, b, strict=True):
        assert x.position == y.position
        lanes = [
            *zip(x.logit_sketch, y.logit_sketch, strict=True),
            *zip(x.hidden_sketch, y.hidden_sketch, strict=True),
        ]
        other = dict(y.candidates)
        logprobs = [(logprob, other.get(token, logprob)) for token, logprob in x.candidates]
        worst = max(worst, *(abs(p - q) for p, q in lanes + logprobs))
    return worst


@pytest.fixture(scope="module")
def alone(
    tiny: ModelFiles, spec: ServiceSpec, make_request: MakeRequest, drain: Drain
) -> dict[str, list[Output]]:
    """Eight requests, one after the other."""
    outputs: dict[str, list[Output]] = {}
    for number, prompt in enumerate(PROMPTS):
        engine = Engine(tiny, spec)
        engine.add(make_request(number, prompt, max_tokens=24))
        outputs |= drain(engine)
    return outputs


@pytest.mark.parametrize(
    "options",
    [{}, {"max_batch": 3}, {"max_step_tokens": 17}, {"num_pages": 9}],
    ids=["all at once", "three slots", "small chunks", "preempted"],
)
def test_a_batch_of_eight_equals_one_by_one(
    make_engine: MakeEngine,
    make_request: MakeRequest,
    drain: Drain,
    alone: dict[str, list[Output]],
    options: dict[str, int],
) -> None:
    engine = make_engine(**options)
    for number, prompt in enumerate(PROMPTS):
        engine.add(make_request(number, prompt, max_tokens=24))
    together = drain(engine)
    assert set(together) == set(alone)
    for name, outputs in together.items():
        assert tokens(outputs) == tokens(alone[name])
        assert text(outputs) == text(alone[name])
        # fp32 sums differ in the last bits with the batch size; a value on the edge may round to the next
        # step.
        assert largest_step(leaves(outputs), leaves(alone[name])) <= 1
        assert outputs[-1].finish_reason is alone[name][-1].finish_reason
    assert (engine.num_preemptions > 0) is ("num_pages" in options)
    assert engine._blocks.num_free == engine._blocks.num_pages


def test_every_leaf_is_self_consistent_and_agrees_with_plain_numpy(
    tiny: ModelFiles,
    spec: ServiceSpec,
    make_engine: MakeEngine,
    make_request: MakeRequest,
    alone: dict[str, list[Output]],
) -> None:
    engine = make_engine()
    for number, prompt in enumerate(PROMPTS[:3]):
        request = make_request(number, prompt)
        outputs = alone[request.request_id]
        for leaf in leaves(outputs):
            assert proof.self_consistent(leaf, spec, request.request_seed, request.temperature)
        hidden, logits = whole_prefill(engine, [*prompt, *tokens(outputs)], len(prompt))
        count = len(tokens(outputs))
        expected = proof.build_leaves(
            logits,
            hidden,
            list(range(count)),
            [request.request_seed] * count,
            spec,
            temperatures=[256] * count,
        )
        assert largest_step(leaves(outputs), expected) <= 1


def whole_prefill(engine: Engine, ids: list[int], num_prompt: int) -> tuple[object, object]:
    """Hidden states and logits of every output position from one forward pass, in numpy."""
    from llmnet.engine.blocks import BlockManager
    from llmnet.engine.cache import make_batch
    from llmnet.engine.scheduler import Chunk, Sequence

    blocks = BlockManager(32, 16)
    blocks.grow("x", len(ids) - 1)
    batch = make_batch([Chunk(Sequence("x", ids[:-1], 1), len(ids) - 1)], blocks, engine.model.device)
    batch = dataclasses.replace(batch, sample_rows=torch.arange(num_prompt - 1, len(ids) - 1))
    hidden, logits = engine.model.forward(batch, engine.model.new_cache(32))
    return hidden.numpy(), logits.numpy()


@pytest.mark.parametrize("chunk_tokens", [5, 128])
def test_scoring_gives_the_leaves_of_decoding(
    make_engine: MakeEngine, make_request: MakeRequest, alone: dict[str, list[Output]], chunk_tokens: int
) -> None:
    engine = make_engine()
    for number, prompt in enumerate(PROMPTS):
        outputs = alone[f"r{number}"]
        seed = make_request(number).request_seed
        scored = engine.score(prompt, tokens(outputs), seed, chunk_tokens=chunk_tokens)
        assert largest_step(leaves(outputs), scored) <= 1


def test_scoring_shows_another_models_work(
    make_engine: MakeEngine, make_request: MakeRequest, alone: dict[str, list[Output]]
) -> None:
    engine = make_engine()
    cheap = make_engine(model=quantise_int8(engine.model))
    seed = make_request(7).request_seed
    assert largest_step(leaves(alone["r7"]), cheap.score(PROMPTS[7], tokens(alone["r7"]), seed)) > 5


@pytest.mark.parametrize(("prompt", "output"), [((), (1,)), ((1,), ()), ((1,) * 500, (2,) * 20)])
def test_scoring_refuses_what_is_not_an_answer(
    make_engine: MakeEngine, prompt: tuple[int, ...], output: tuple[int, ...]
) -> None:
    with pytest.raises(RequestError):
        make_engine().score(prompt, output, bytes(32))


def test_the_seed_decides_unless_greedy(
    make_engine: MakeEngine, make_request: MakeRequest, drain: Drain
) -> None:
    def answers(**changes: object) -> set[tuple[int, ...]]:
        engine = make_engine()
        for number in range(6):
            engine.add(make_request(number, PROMPTS[2], **changes))
        return {tuple(tokens(outputs)) for outputs in drain(engine).values()}

    assert len(answers(temperature=256)) == 6
    assert len(answers(temperature=0)) == 1
    assert len(answers(temperature=256, request_seed=bytes(32))) == 1


def test_greedy_takes_the_most_likely_token(
    make_engine: MakeEngine, make_request: MakeRequest, drain: Drain
) -> None:
    engine = make_engine()
    engine.add(make_request(0, PROMPTS[4], temperature=0))
    for leaf in leaves(drain(engine)["r0"]):
        assert leaf.token == leaf.candidates[0].id


def test_max_tokens_ends_an_answer(make_engine: MakeEngine, make_request: MakeRequest, drain: Drain) -> None:
    engine = make_engine()
    engine.add(make_request(0, max_tokens=1))
    (output,) = drain(engine)["r0"]
    assert (len(output.new_tokens), output.finished, output.finish_reason) == (1, True, FinishReason.LENGTH)


def test_end_of_turn_ends_an_answer_and_has_a_leaf(
    tiny: ModelFiles,
    spec: ServiceSpec,
    make_engine: MakeEngine,
    make_request: MakeRequest,
    drain: Drain,
    alone: dict[str, list[Output]],
) -> None:
    stop_at = tokens(alone["r3"])[4]
    first = tokens(alone["r3"]).index(stop_at)
    files = dataclasses.replace(tiny, config=dataclasses.replace(tiny.config, eos_token_id=stop_at))
    engine = make_engine(files=files)
    engine.add(make_request(3, PROMPTS[3], max_tokens=24))
    outputs = drain(engine)["r3"]
    assert tokens(outputs) == tokens(alone["r3"])[: first + 1]
    assert outputs[-1].finish_reason is FinishReason.STOP
    assert [leaf.position for leaf in leaves(outputs)] == list(range(first + 1))


def test_a_stop_string_cuts_the_text_and_counts_its_tokens(
    make_engine: MakeEngine, make_request: MakeRequest, drain: Drain, alone: dict[str, list[Output]]
) -> None:
    engine = make_engine()
    whole = tokens(alone["r5"])
    stop = engine.tokenizer.decode(whole)[3:6]
    engine.add(make_request(5, PROMPTS[5], max_tokens=24, stop=(stop,)))
    outputs = drain(engine)["r5"]
    assert outputs[-1].finish_reason is FinishReason.STOP_STRING
    assert tokens(outputs) == whole[: len(tokens(outputs))]
    assert len(tokens(outputs)) < len(whole)
    assert stop in engine.tokenizer.decode(tokens(outputs))
    assert stop not in engine.tokenizer.decode(tokens(outputs)[:-1])
    assert text(outputs) == engine.tokenizer.decode(whole).split(stop)[0]
    assert text(outputs) == answer_text(engine.tokenizer, tokens(outputs), (stop,))


def test_text_is_complete_at_the_end(alone: dict[str, list[Output]], make_engine: MakeEngine) -> None:
    tokenizer = make_engine().tokenizer
    for outputs in alone.values():
        assert text(outputs) == tokenizer.decode(tokens(outputs))


def test_abort_frees_pages_at_once(make_engine: MakeEngine, make_request: MakeRequest, drain: Drain) -> None:
    engine = make_engine()
    for number in range(3):
        engine.add(make_request(number, PROMPTS[3]))
    engine.step()
    held = engine._blocks.num_free
    assert engine.abort("r1")
    assert engine._blocks.num_free > held
    engine.check_integrity()
    assert not engine.abort("r1")
    assert set(drain(engine)) == {"r0", "r2"}


def test_abort_of_a_waiting_request(make_engine: MakeEngine, make_request: MakeRequest, drain: Drain) -> None:
    engine = make_engine(max_batch=1)
    engine.add(make_request(0))
    engine.add(make_request(1))
    assert engine.abort("r1")
    assert set(drain(engine)) == {"r0"}


def test_an_idle_engine_does_nothing(make_engine: MakeEngine) -> None:
    assert make_engine().step() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": ()},
        {"prompt": (274,)},
        {"prompt": (-1,)},
        {"max_tokens": 0},
        {"temperature": -1},
        {"temperature": 65536},
        {"request_seed": bytes(31)},
        {"stop": ("",)},
        {"stop": ("x",) * 17},
    ],
)
def test_senseless_requests_are_refused(
    make_engine: MakeEngine, make_request: MakeRequest, changes: dict[str, object]
) -> None:
    engine = make_engine()
    with pytest.raises(RequestError):
        engine.add(make_request(0, **changes))
    assert len(engine) == 0


def test_a_prompt_too_long_is_refused_and_the_limit_itself_is_not(
    make_engine: MakeEngine, make_request: MakeRequest, drain: Drain
) -> None:
    engine = make_engine()
    engine.add(make_request(0, (5,) * 500, max_tokens=12))
    with pytest.raises(ContextLengthError, match="limit is 512"):
        engine.add(make_request(1, (5,) * 501, max_tokens=12))
    with pytest.raises(DuplicateRequestError):
        engine.add(make_request(0))
    assert len(tokens(drain(engine)["r0"])) == 12


def test_nan_fails_its_request_and_no_other(
    tiny: ModelFiles,
    make_engine: MakeEngine,
    make_request: MakeRequest,
    drain: Drain,
    alone: dict[str, list[Output]],
) -> None:
    engine = make_engine()
    embedding = engine.model.embedding.clone()
    poisoned = 273
    assert all(poisoned not in (*PROMPTS[n], *tokens(alone[f"r{n}"])) for n in (0, 1))
    engine.model.embedding = _PoisonedInput.of(embedding, poisoned)
    engine.add(make_request(0, PROMPTS[0], max_tokens=24))
    engine.add(make_request(1, PROMPTS[1], max_tokens=24))
    engine.add(make_request(2, (1, poisoned, 4), max_tokens=24))
    outputs = drain(engine)
    (failed,) = outputs["r2"]
    assert isinstance(failed.error, NumericsError)
    assert "position 0" in str(failed.error)
    assert (failed.finished, failed.finish_reason, failed.leaf, failed.new_tokens) == (True, None, None, ())
    for name in ("r0", "r1"):
        assert tokens(outputs[name]) == tokens(alone[name])


class _PoisonedInput(torch.Tensor):
    """An embedding whose row for one token is NaN when it is looked up, and sound as the output matrix."""

    poisoned = -1

    @classmethod
    def of(cls, embedding: torch.Tensor, token: int) -> torch.Tensor:
        made = embedding.as_subclass(cls)
        cls.poisoned = token
        return made

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        with torch._C.DisableTorchFunctionSubclass():
            result = func(*args, **(kwargs or {}))
            if func is torch.nn.functional.embedding:
                result[args[0] == cls.poisoned] = torch.nan
        return result


both_makers = pytest.mark.parametrize("invariant", [True, False], ids=["by kernels", "by torch"])


@both_makers
def test_ties_after_quantising_go_to_the_lower_id(spec: ServiceSpec, invariant: bool) -> None:
    """Float order alone would commit other candidates: the higher ids are better by less than a step."""
    logits = torch.full((1, 274), -5.0)
    logits[0, 200:240] = torch.linspace(0, 1e-4, 40)
    hidden = torch.ones(1, 64)
    (leaf,) = LeafBuilder(spec, 64, torch.device("cpu"), invariant=invariant).build(
        hidden, logits, [Wanted(0, bytes(32))]
    )
    assert isinstance(leaf, Leaf)
    assert [candidate.id for candidate in leaf.candidates] == list(range(200, 220))
    assert (
        leaf.candidates
        == proof.build_leaves(logits.numpy(), hidden.numpy(), [0], [bytes(32)], spec, tokens=[200])[
            0
        ].candidates
    )
    assert torch.topk(logits, 20).indices.min() >= 220, "the float order differs, or this test shows nothing"


@both_makers
def test_a_peaked_distribution_clamps_and_still_ties_by_id(spec: ServiceSpec, invariant: bool) -> None:
    logits = torch.linspace(-400, -300, 274)[None]
    logits[0, 17] = 0
    ids, values = candidate_superset(logits, torch.logsumexp(logits, 1).tolist(), spec.top_k)
    assert ids.shape == values.shape == (1, 274)
    hidden = torch.ones(1, 64)
    (leaf,) = LeafBuilder(spec, 64, torch.device("cpu"), invariant=invariant).build(
        hidden, logits, [Wanted(0, bytes(32))]
    )
    assert isinstance(leaf, Leaf)
    assert [candidate.id for candidate in leaf.candidates] == [17, *range(17), 18, 19]


def test_another_top_k_gives_leaves_of_that_size(
    tiny: ModelFiles, make_engine: MakeEngine, make_request: MakeRequest, drain: Drain
) -> None:
    engine = make_engine(spec=service_spec(tiny, bytes(32), top_k=5))
    engine.add(make_request(0))
    assert {len(leaf.candidates) for leaf in leaves(drain(engine)["r0"])} == {5}


def test_other_weights_other_answer(
    tmp_path: object,
    make_engine: MakeEngine,
    make_request: MakeRequest,
    drain: Drain,
    alone: dict[str, list[Output]],
) -> None:
    files = write_tiny_model(f"{tmp_path}/other", seed=8)
    engine = make_engine(files=files, spec=service_spec(files, bytes(32)))
    engine.add(make_request(6, PROMPTS[6], max_tokens=24))
    assert tokens(drain(engine)["r6"]) != tokens(alone["r6"])


@both_makers
def test_sums_that_overflow_fail_their_row_and_no_other(spec: ServiceSpec, invariant: bool) -> None:
    """Every logit is finite and the sketch is not: an error for that row, never a number."""
    logits = torch.zeros(2, 274)
    logits[1] = 3e38
    logits[1, ::2] = -3e38
    built = LeafBuilder(spec, 64, torch.device("cpu"), invariant=invariant).build(
        torch.ones(2, 64), logits, [Wanted(0, bytes(32)), Wanted(4, bytes(32))]
    )
    assert isinstance(built[0], Leaf)
    assert isinstance(built[1], NumericsError)
    assert "position 4" in str(built[1])


@both_makers
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("where", ["logits", "hidden"])
def test_a_single_non_finite_number_is_an_error(
    spec: ServiceSpec, bad: float, where: str, invariant: bool
) -> None:
    hidden, logits = torch.ones(1, 64), torch.zeros(1, 274)
    (hidden if where == "hidden" else logits)[0, 33] = bad
    (built,) = LeafBuilder(spec, 64, torch.device("cpu"), invariant=invariant).build(
        hidden, logits, [Wanted(0, bytes(32))]
    )
    assert isinstance(built, NumericsError)
