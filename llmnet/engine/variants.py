"""Models that are not what they are sold as. They exist so that the network can show that it notices."""

from __future__ import annotations

import dataclasses

import torch

from llmnet.engine.model import LINEARS, LlamaModel


def quantise_int8(model: LlamaModel) -> LlamaModel:
    """Every projection of every layer after a round trip through int8, symmetric, one absmax scale per
    tensor.
    """
    return model.replace_layers(
        lambda layers: tuple(
            dataclasses.replace(layer, **{name: _round_trip(getattr(layer, name)) for name in LINEARS})
            for layer in layers
        )
    )


def skip_layer(model: LlamaModel, index: int) -> LlamaModel:
    """The model without its layer `index`. Raises `IndexError` if there is no such layer."""
    if not 0 <= index < len(model.layers):
        raise IndexError(f"the model has layers 0..{len(model.layers) - 1}, there is no layer {index}")
    return model.replace_layers(lambda layers: layers[:index] + layers[index + 1 :])


def _round_trip(weight: torch.Tensor) -> torch.Tensor:
    scale = weight.abs().max().clamp_min(torch.finfo(torch.float32).tiny) / 127
    return (weight / scale).round().to(torch.int8).to(weight.dtype) * scale
