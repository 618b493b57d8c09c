"""Cheats' models: each differs from the honest one in what it says, and in nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from llmnet.engine import Engine, GenerationRequest, LlamaModel, ModelFiles
from llmnet.engine.variants import (
    ChoosingEngine,
    SpeculatingEngine,
    alternate,
    fp8_cache,
    int8_activations,
    keep_layers,
    low_rank_noise,
    quantise_fp8,
    quantise_int4,
    quantise_int8,
    quantise_int8_rows,
    skip_layers,
)
from llmnet.proof import Leaf, NumericsClass, ServiceSpec

SEED = b"\3" * 32
PROMPT = tuple((number * 29 + 5) % 274 for number in range(21))
OPTIONS = {"max_batch": 4, "graphs": False}


@pytest.fixture(scope="module")
def model(tiny: ModelFiles) -> LlamaModel:
    return LlamaModel.from_files(tiny)


def answer(engine: Engine, *, tokens: int = 12) -> list[Leaf]:
    for name in "ab":  # two at once, as real engines have
        engine.add(GenerationRequest(name, (*PROMPT, ord(name)), 256, tokens, SEED))
    found: list[Leaf] = []
    while len(engine):
        found += [
            output.leaf for output in engine.step() if output.request_id == "a" and output.leaf is not None
        ]
    engine.check_integrity()
    return found


def differing(one: list[Leaf], other: list[Leaf]) -> list[int]:
    """Positions whose hidden sketches differ."""
    return [a.position for a, b in zip(one, other, strict=False) if a.hidden_sketch != b.hidden_sketch]


@pytest.mark.parametrize(
    ("make", "levels"), [(quantise_int8, 255), (quantise_int8_rows, 255), (quantise_int4, 15)]
)
def test_integer_weights_have_so_many_levels_a_scale(
    model: LlamaModel, make: Callable[[LlamaModel], LlamaModel], levels: int
) -> None:
    weight = make(model).layers[0].q
    groups = weight.view(-1) if make is quantise_int8 else weight.view(-1, 64)[:1]
    assert len(groups.unique()) <= levels
    assert (weight - model.layers[0].q).abs().max() > 0


def test_fp8_weights_are_within_a_sixteenth(model: LlamaModel) -> None:
    before, after = model.layers[1].down, quantise_fp8(model).layers[1].down
    scale = before.abs().amax(dim=1, keepdim=True)
    relative = ((after - before).abs() / before.abs().clamp_min(1e-9))[before.abs() > scale / 100]
    assert 1e-3 < relative.max() <= 1 / 16 + 1e-3


@pytest.mark.parametrize("size", [0.01, 0.3])
def test_low_rank_noise_has_its_size_and_rank(model: LlamaModel, size: float) -> None:
    delta = low_rank_noise(model, size, rank=3).layers[0].gate - model.layers[0].gate
    assert float(delta.norm() / model.layers[0].gate.norm()) == pytest.approx(size, rel=1e-3)
    assert torch.linalg.matrix_rank(delta, rtol=1e-3) == 3


@pytest.mark.parametrize("numerics", [NumericsClass.FP16, NumericsClass.BF16])
def test_coarse_weights_are_stored_as_the_class_stores_them(
    tiny: ModelFiles, numerics: NumericsClass
) -> None:
    made = LlamaModel.from_files(tiny, numerics)
    assert quantise_int4(made).layers[0].v.dtype == made.layers[0].v.dtype


def test_layers_are_kept_in_order_and_missing_ones_named(model: LlamaModel) -> None:
    assert keep_layers(model, (1, 0)).layers == model.layers
    with pytest.raises(IndexError, match=r"layers 0\.\.1, there is no layer 2"):
        skip_layers(model, (0, 2))


@pytest.mark.parametrize("make", [int8_activations, fp8_cache, quantise_int4])
def test_cheaper_arithmetic_shows_in_every_sketch_and_leaves_the_honest_model_alone(
    tiny: ModelFiles, spec: ServiceSpec, model: LlamaModel, make: Callable[[LlamaModel], LlamaModel]
) -> None:
    before = answer(Engine(tiny, spec, model=model, **OPTIONS))
    cheap = answer(Engine(tiny, spec, model=make(model), **OPTIONS))
    assert len(differing(before, cheap)) == len(cheap)
    assert answer(Engine(tiny, spec, model=model, **OPTIONS)) == before


def test_every_third_step_is_another_models(tiny: ModelFiles, spec: ServiceSpec, model: LlamaModel) -> None:
    same = answer(Engine(tiny, spec, model=alternate(model, model, 3), **OPTIONS))
    honest = answer(Engine(tiny, spec, model=model, **OPTIONS))
    mixed = answer(Engine(tiny, spec, model=alternate(model, quantise_int4(model), 3), **OPTIONS))
    assert same == honest
    assert differing(honest, mixed)[0] == 3  # the prompt's step and two honest ones come before


def test_a_chosen_token_is_what_the_sequence_goes_on_from(
    tiny: ModelFiles, spec: ServiceSpec, model: LlamaModel
) -> None:
    sold = (40, 41, 42)
    engine = ChoosingEngine(
        tiny, spec, model=model, choose=lambda _, leaf: sold[leaf.position % 3], **OPTIONS
    )
    leaves = answer(engine, tokens=6)
    tokens = [leaf.token for leaf in leaves]
    assert tokens == [*sold, *sold]
    scored = Engine(tiny, spec, model=model, **OPTIONS).score((*PROMPT, ord("a")), tokens, SEED)
    assert scored == leaves


def test_corrected_speculation_is_honest_and_uncorrected_is_not(
    tiny: ModelFiles, spec: ServiceSpec, model: LlamaModel
) -> None:
    def speculated(*, always: bool) -> list[Leaf]:
        draft = Engine(tiny, spec, model=quantise_int4(model), **OPTIONS)
        engine = SpeculatingEngine(
            tiny,
            spec,
            model=model,
            draft=draft,
            accept=lambda cheap, own: always or cheap.token == own.token,
            **OPTIONS,
        )
        found = answer(engine)
        assert len(draft) == 0  # both end together
        return found

    honest = answer(Engine(tiny, spec, model=model, **OPTIONS))
    assert speculated(always=False) == honest
    assert [leaf.token for leaf in speculated(always=True)] != [leaf.token for leaf in honest]
