"""A request's leaves, and every float they are made of, are the same however it was computed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch

from llmnet.engine import Engine, GenerationRequest, LlamaModel, ModelFiles, service_spec
from llmnet.proof import Leaf, NumericsClass

SHARED = tuple((i * 31 + 5) % 274 for i in range(40))
PROMPTS = [
    (*SHARED[: 7 * (n % 6)], *((n * 29 + i * 11 + 3) % 274 for i in range(1 + n * 3))) for n in range(16)
]
WATCHED = 9
OUTPUT = 12


@dataclass
class Recording:
    """Leaves of the watched request, and the bits of all hidden states and logits behind them."""

    leaves: list[Leaf] = field(default_factory=list)
    bits: list[bytes] = field(default_factory=list)


class Recorder:
    """Stands where the model stands and keeps what comes out for one request."""

    def __init__(self, model: LlamaModel) -> None:
        self.model = model
        self.rows: list[bytes] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)

    def outputs(self, *args: object) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, logits = self.model.outputs(*args)  # type: ignore[arg-type]
        assert logits is not None
        self.rows = [h.numpy().tobytes() + z.numpy().tobytes() for h, z in zip(hidden, logits, strict=True)]
        return hidden, logits


def run(engine: Engine, requests: list[GenerationRequest], watched: str) -> Recording:
    """Step until idle, checking integrity; `watched` is recorded."""
    recorder = Recorder(engine.model)
    engine.model = recorder  # type: ignore[assignment]
    for request in requests:
        engine.add(request)
    result = Recording()
    while len(engine):
        outputs = engine.step()
        engine.check_integrity()
        for row, output in zip(recorder.rows, outputs, strict=True) if outputs else ():
            if output.request_id == watched:
                assert output.leaf is not None
                result.leaves.append(output.leaf)
                result.bits.append(row)
    engine.model = recorder.model
    return result


def request(number: int) -> GenerationRequest:
    return GenerationRequest(f"r{number}", PROMPTS[number], 256, OUTPUT, bytes([number]) * 32)


NUMERICS = list(NumericsClass)


@pytest.fixture(scope="module", params=NUMERICS, ids=[item.name.lower() for item in NUMERICS])
def make(request: pytest.FixtureRequest, tiny: ModelFiles) -> Callable[..., Engine]:
    """Engines of one numerics class; the model is shared."""
    model = LlamaModel.from_files(tiny, request.param)
    spec = service_spec(tiny, bytes(32), request.param)
    return lambda **options: Engine(tiny, spec, **({"model": model} | options))


@pytest.fixture(scope="module")
def alone(make: Callable[..., Engine]) -> Recording:
    return run(make(), [request(WATCHED)], f"r{WATCHED}")


ALL = [request(number) for number in range(16)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"graphs": False},
        {"max_step_tokens": 16},
        {"max_step_tokens": 29},
        {"max_step_tokens": 64},
        {"num_pages": 13},
    ],
    ids=["all at once", "without graphs", "16 a step", "29 a step", "64 a step", "preempted"],
)
def test_a_batch_of_sixteen_gives_the_bits_of_being_alone(
    make: Callable[..., Engine], alone: Recording, options: dict[str, int]
) -> None:
    engine = make(**options)
    together = run(engine, ALL, f"r{WATCHED}")
    assert together.leaves == alone.leaves
    assert together.bits == alone.bits
    assert len(alone.bits) == OUTPUT
    assert (engine.num_preemptions > 0) is ("num_pages" in options)


@pytest.mark.parametrize("chunk", [1, 3, 16, 17])
def test_chunks_of_a_prompt_give_the_bits_of_the_whole(
    make: Callable[..., Engine], alone: Recording, chunk: int
) -> None:
    cut = run(make(max_batch=1, max_step_tokens=chunk), [request(WATCHED)], f"r{WATCHED}")
    assert cut == alone


def test_a_warm_prefix_gives_the_bits_of_a_cold_one(make: Callable[..., Engine], alone: Recording) -> None:
    engine = make()
    cold = run(engine, [request(WATCHED)], f"r{WATCHED}")
    assert engine.num_found == 0
    warm = run(engine, [request(WATCHED)], f"r{WATCHED}")
    assert engine.num_found == len(PROMPTS[WATCHED]) // 16 * 16 > 0
    assert warm == cold == alone


def test_scoring_gives_the_leaves_of_decoding(make: Callable[..., Engine], alone: Recording) -> None:
    """So one prefill checks a decode without any tolerance, on a machine with the same kernels."""
    tokens = [leaf.token for leaf in alone.leaves]
    for chunk_tokens in (5, 128):
        scored = make().score(PROMPTS[WATCHED], tokens, bytes([WATCHED]) * 32, chunk_tokens=chunk_tokens)
        assert scored == alone.leaves


def test_without_the_mechanism_bits_depend_on_the_batch(tiny: ModelFiles) -> None:
    """The inverse: torch's own library picks its routine by the number of rows."""
    model = LlamaModel.from_files(tiny, invariant=False)
    spec = service_spec(tiny, bytes(32))
    single = run(Engine(tiny, spec, model=model), [request(WATCHED)], f"r{WATCHED}")
    together = run(Engine(tiny, spec, model=model), ALL, f"r{WATCHED}")
    assert [leaf.token for leaf in single.leaves] == [leaf.token for leaf in together.leaves]
    assert single.bits != together.bits


def test_one_wrong_number_in_a_page_would_be_seen(make: Callable[..., Engine], alone: Recording) -> None:
    """What is compared is fine enough: a cache that is off in one number changes the bits."""
    engine = make()
    engine.add(request(WATCHED))
    engine.step()
    engine.abort(f"r{WATCHED}")
    engine._cache.k[0, 0, 3, 0, 0] *= 1.01
    spoilt = run(engine, [request(WATCHED)], f"r{WATCHED}")
    assert engine.num_found > 0
    assert list(itertools.chain(spoilt.bits)) != alone.bits
