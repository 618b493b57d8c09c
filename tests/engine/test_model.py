"""The forward pass is that of Hugging Face's Llama, however its tokens are batched."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Sequence as SequenceOf

import pytest
import torch

from llmnet.engine import LlamaModel, ModelFiles, quantise_int8, skip_layer
from llmnet.engine.blocks import BlockManager
from llmnet.engine.cache import make_batch
from llmnet.engine.scheduler import Chunk, Sequence
from llmnet.engine.variants.weights import _round_trip
from llmnet.proof import NumericsClass

TOKENS = [(i * 37 + 11) % 274 for i in range(83)]


@pytest.fixture(scope="module")
def model(tiny: ModelFiles) -> LlamaModel:
    return LlamaModel.from_files(tiny)


@pytest.fixture(scope="module")
def hf_logits(tiny: ModelFiles) -> torch.Tensor:
    """Logits [T, V] of transformers on the same directory."""
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's deprecations
        from transformers import LlamaForCausalLM

        reference = LlamaForCausalLM.from_pretrained(tiny.path, dtype=torch.float32)
    with torch.inference_mode():
        return reference(torch.tensor([TOKENS])).logits[0]


def all_logits(model: LlamaModel, tokens: SequenceOf[int], chunks: SequenceOf[int]) -> torch.Tensor:
    """Logits [T, V] of a sequence fed in chunks of the given sizes, over pages in a strange order."""
    blocks = BlockManager(16, 16)
    blocks.grow("other", 40)
    blocks.grow("s", 20)
    blocks.free("other")
    blocks.grow("s", len(tokens))
    cache = model.new_cache(16)
    cache.k.fill_(torch.nan)
    cache.v.fill_(torch.nan)
    sequence = Sequence("s", list(tokens), 1)
    parts = []
    for count in chunks:
        batch = make_batch([Chunk(sequence, count)], blocks, model.device)
        parts.append(model.forward(dataclasses.replace(batch, sample_rows=torch.arange(count)), cache)[1])
        sequence.num_computed += count
    return torch.cat(parts)


@pytest.mark.parametrize("chunks", [[83], [1] * 83, [16, 16, 51], [17, 1, 1, 30, 34]])
def test_logits_equal_transformers(model: LlamaModel, hf_logits: torch.Tensor, chunks: list[int]) -> None:
    torch.testing.assert_close(all_logits(model, TOKENS, chunks), hf_logits, atol=1e-4, rtol=0)


def test_weights_are_not_copied(model: LlamaModel, tiny: ModelFiles) -> None:
    stored = tiny.array("model.layers.1.mlp.gate_proj.weight")
    assert model.layers[1].gate.data_ptr() == stored.ctypes.data


@pytest.mark.parametrize(
    ("numerics", "tolerance"),
    [(NumericsClass.FP16, 0.01), (NumericsClass.BF16_FP32_RESIDUAL, 0.08), (NumericsClass.BF16, 0.08)],
)
def test_other_numerics_classes_are_near_and_not_equal(
    tiny: ModelFiles, hf_logits: torch.Tensor, numerics: NumericsClass, tolerance: float
) -> None:
    logits = all_logits(LlamaModel.from_files(tiny, numerics), TOKENS, [83])
    assert logits.dtype == torch.float32
    difference = (logits - hf_logits).abs().mean().item()
    assert tolerance / 20 < difference < tolerance


def test_int8_changes_logits_a_little_and_leaves_the_original_alone(
    model: LlamaModel, hf_logits: torch.Tensor
) -> None:
    cheap = quantise_int8(model)
    difference = (all_logits(cheap, TOKENS, [83]) - hf_logits).abs().max().item()
    assert 1e-3 < difference < 2.0
    assert cheap.embedding.data_ptr() == model.embedding.data_ptr()
    torch.testing.assert_close(all_logits(model, TOKENS, [83]), hf_logits, atol=1e-4, rtol=0)


def test_int8_round_trip_has_255_levels_and_half_a_step_of_error() -> None:
    weight = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    quantised = _round_trip(weight)
    step = weight.abs().max() / 127
    assert (quantised - weight).abs().max() <= step / 2 * 1.0001
    assert len(quantised.unique()) <= 255
    torch.testing.assert_close(_round_trip(torch.zeros(2, 2)), torch.zeros(2, 2))


def test_a_skipped_layer_is_missing(model: LlamaModel, hf_logits: torch.Tensor) -> None:
    shorter = skip_layer(model, 0)
    assert (shorter.config.num_layers, shorter.layers[0]) == (1, model.layers[1])
    assert (all_logits(shorter, TOKENS, [83]) - hf_logits).abs().max() > 0.5


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_such_layer(model: LlamaModel, index: int) -> None:
    with pytest.raises(IndexError, match=r"layers 0\.\.1"):
        skip_layer(model, index)
