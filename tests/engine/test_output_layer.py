"""Leaves of hidden states alone, as the operators of a GPU make them; on a CPU their kernels run as references."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmnet import proof
from llmnet.engine import Engine, GenerationRequest, LlamaModel, ModelFiles, Output, service_spec
from llmnet.engine.errors import NumericsError
from llmnet.engine.kernel_operators import KernelOperators
from llmnet.engine.leaves import LeafBuilder, Wanted
from llmnet.engine.operators import PRECISIONS
from llmnet.engine.output_layer import OutputLayer, SignTables
from llmnet.engine.rope import RopeTables
from llmnet.kernels import lm_head_leaf, sign_octets
from llmnet.proof import Leaf, NumericsClass, ServiceSpec

VOCAB, WIDTH = 274, 64
CPU = torch.device("cpu")


def gpu_model(files: ModelFiles, numerics: NumericsClass, *, reads_output: bool = True) -> LlamaModel:
    """A model with the operators that a GPU has."""
    model = LlamaModel.from_files(files, numerics)
    operators = KernelOperators(files.config, PRECISIONS[numerics], RopeTables(files.config, model.device))
    operators.reads_output = reads_output
    model.operators = operators
    return model


def run(engine: Engine, numbers: list[int], output: int = 6) -> dict[str, list[Leaf]]:
    """Requests with prompts of 5, 40, 75 ... tokens, to their ends."""
    found: dict[str, list[Leaf]] = {}
    for number in numbers:
        prompt = tuple((i * 31 + number) % VOCAB for i in range(5 + 35 * number))
        engine.add(GenerationRequest(f"r{number}", prompt, 256, output, bytes([number]) * 32))
        found[f"r{number}"] = []
    while len(engine):
        outputs: list[Output] = engine.step()
        engine.check_integrity()
        for item in outputs:
            assert item.leaf is not None
            found[item.request_id].append(item.leaf)
    return found


def close(left: Leaf, right: Leaf) -> bool:
    """Equal, but for the rounding of sums that were arranged otherwise."""
    lanes = zip(left.logit_sketch + left.hidden_sketch, right.logit_sketch + right.hidden_sketch, strict=True)
    near = all(abs(a - b) <= 1 for a, b in lanes)
    known = {pair.id: pair.logprob for pair in right.candidates}
    pairs = [(pair.logprob, known[pair.id]) for pair in left.candidates if pair.id in known]
    return (
        (left.position, left.token) == (right.position, right.token)
        and near
        and len(pairs) >= len(left.candidates) - 1
        and all(abs(a - b) <= 1 for a, b in pairs)
    )


@pytest.mark.parametrize("numerics", [NumericsClass.BF16_FP32_RESIDUAL, NumericsClass.FP16])
def test_an_engine_makes_the_same_leaves_without_logits(tiny: ModelFiles, numerics: NumericsClass) -> None:
    spec = service_spec(tiny, bytes(32), numerics)
    models = [gpu_model(tiny, numerics, reads_output=reads) for reads in (True, False)]
    fused, plain = (run(Engine(tiny, spec, model=model), [0, 1]) for model in models)
    pairs = [(a, b) for name in plain for a, b in zip(fused[name], plain[name], strict=True)]
    assert len(pairs) == 12
    assert all(close(a, b) for a, b in pairs)
    assert not any(
        close(a, b) for a, b in zip(fused["r0"], fused["r1"], strict=True)
    )  # the check sees something


def test_scoring_without_logits_gives_leaves_that_decoding_gives(tiny: ModelFiles) -> None:
    numerics = NumericsClass.BF16_FP32_RESIDUAL
    engine = Engine(tiny, service_spec(tiny, bytes(32), numerics), model=gpu_model(tiny, numerics))
    decoded = run(engine, [2])["r2"]
    prompt = [(i * 31 + 2) % VOCAB for i in range(75)]
    scored = engine.score(prompt, [leaf.token for leaf in decoded], bytes([2]) * 32)
    assert [leaf.token for leaf in scored] == [leaf.token for leaf in decoded]
    for left, right in zip(scored, decoded, strict=True):
        assert max(abs(a - b) for a, b in zip(left.logit_sketch, right.logit_sketch, strict=True)) < 40


def test_pages_of_a_gpu_hold_sixty_four_tokens_and_are_found_again(tiny: ModelFiles) -> None:
    numerics = NumericsClass.BF16_FP32_RESIDUAL
    engine = Engine(tiny, service_spec(tiny, bytes(32), numerics), model=gpu_model(tiny, numerics))
    assert engine._cache.k.shape[2] == 64
    first = run(engine, [4])
    assert engine.num_found == 0
    again = run(engine, [4])
    assert engine.num_found == 128  # two full pages of the prompt of 145 tokens
    assert [leaf.token for leaf in again["r4"]] == [leaf.token for leaf in first["r4"]]


def numbers(seed: int, rows: int) -> tuple[torch.Tensor, torch.Tensor, list[bytes]]:
    """Hidden states, an output matrix, seeds."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(rows, WIDTH, generator=generator)
    head = torch.randn(VOCAB, WIDTH, generator=generator) / 4
    return hidden, head, [bytes([row + 1]) * 32 for row in range(rows)]


@pytest.fixture
def spec(tiny: ModelFiles) -> ServiceSpec:
    return service_spec(tiny, bytes(32))


def build(hidden: torch.Tensor, head: torch.Tensor, seeds: list[bytes], spec: ServiceSpec) -> list[Leaf]:
    wanted = [Wanted(row, seed, 256) for row, seed in enumerate(seeds)]
    made = LeafBuilder(spec, WIDTH, CPU, head=head).build(hidden, None, wanted)
    assert all(isinstance(leaf, Leaf) for leaf in made)
    return [leaf for leaf in made if isinstance(leaf, Leaf)]


def test_leaves_are_those_that_the_protocol_builds_from_logits(spec: ServiceSpec) -> None:
    hidden, head, seeds = numbers(1, 20)
    expected = proof.build_leaves(
        (hidden @ head.T).numpy(), hidden.numpy(), list(range(20)), seeds, spec, temperatures=[256] * 20
    )
    found = build(hidden, head, seeds, spec)
    assert all(close(a, b) for a, b in zip(found, expected, strict=True))
    turned = build(hidden, head, [*seeds[1:], seeds[0]], spec)  # the inverse: signs of other requests
    assert not any(close(a, b) for a, b in zip(turned, expected, strict=True))


def test_a_row_that_is_not_finite_fails_alone(spec: ServiceSpec) -> None:
    hidden, head, seeds = numbers(2, 4)
    sound = build(hidden, head, seeds, spec)
    hidden[1, 3], hidden[3, 0] = torch.nan, torch.inf
    wanted = [Wanted(row, seed, 256) for row, seed in enumerate(seeds)]
    made = LeafBuilder(spec, WIDTH, CPU, head=head).build(hidden, None, wanted)
    assert [isinstance(item, NumericsError) for item in made] == [False, True, False, True]
    assert [made[0], made[2]] == [sound[0], sound[2]]
    only_bad = LeafBuilder(spec, WIDTH, CPU, head=head).build(hidden[[1, 3]], None, wanted[:2])
    assert all(isinstance(item, NumericsError) for item in only_bad)


def test_rows_that_the_kernel_is_not_sure_of_are_taken_from_their_logits(
    spec: ServiceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmnet.engine import output_layer

    hidden, head, seeds = numbers(3, 3)
    sound, calls = build(hidden, head, seeds, spec), []

    def unsure(
        rows: torch.Tensor, *args: torch.Tensor | int, return_logits: bool, slots: torch.Tensor
    ) -> object:
        """Row 1 of the first call has lost its best candidate, and says so."""
        calls.append((len(rows), return_logits))
        parts = lm_head_leaf(rows, *args, return_logits=return_logits, slots=slots)  # type: ignore[arg-type]
        if return_logits:
            return parts
        exact, ids = parts.exact.clone(), parts.ids.clone()
        exact[1], ids[1, 0] = False, 273
        return dataclasses.replace(parts, exact=exact, ids=ids)

    monkeypatch.setattr(output_layer, "lm_head_leaf", unsure)
    assert build(hidden, head, seeds, spec) == sound
    assert calls == [(3, False), (1, True)]


def test_without_logits_and_without_a_matrix_there_are_no_leaves(spec: ServiceSpec) -> None:
    with pytest.raises(ValueError, match="give LeafBuilder the head"):
        LeafBuilder(spec, WIDTH, CPU).build(torch.ones(1, WIDTH), None, [Wanted(0, bytes(32))])


SEEDS = st.integers(0, 60).map(lambda number: number.to_bytes(32, "little"))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(SEEDS, min_size=1, max_size=40), min_size=1, max_size=6))
def test_each_row_finds_the_signs_of_its_request(batches: list[list[bytes]]) -> None:
    """However requests come and go, and whoever had to make room."""
    tables = SignTables(40, 24, CPU)
    for seeds in batches:
        places = tables.places(seeds)
        keys = torch.tensor([proof.philox.stream_key(seed) for seed in seeds])
        assert torch.equal(tables.logit_octets[places], sign_octets(keys, 40, "LOGI"))
        assert torch.equal(tables.hidden_octets[places], sign_octets(keys, 24, "HIDN"))


def test_tables_stay_as_small_as_the_largest_batch_asks() -> None:
    tables = SignTables(40, 24, CPU)
    for start in range(0, 400, 10):
        tables.places([number.to_bytes(32, "big") for number in range(start, start + 10)])
    assert len(tables.logit_octets) == 16
    tables.places([number.to_bytes(32, "big") for number in range(33)])
    assert len(tables.logit_octets) == len(tables.hidden_octets) == 33


def test_signs_of_a_request_that_runs_are_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmnet.engine import output_layer

    made: list[int] = []

    def counting(keys: torch.Tensor, *args: object) -> torch.Tensor:
        made.append(len(keys))
        return sign_octets(keys, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(output_layer, "sign_octets", counting)
    hidden, head, seeds = numbers(4, 5)
    layer = OutputLayer(head, 20)
    layer.read(hidden, seeds)
    layer.read(hidden[:3], seeds[:3])
    assert made == [5, 5]
