"""Fewer layers."""

from __future__ import annotations

from collections.abc import Collection

from llmnet.engine.model import LlamaModel


def skip_layer(model: LlamaModel, index: int) -> LlamaModel:
    """The model without its layer `index`. Raises `IndexError` if there is no such layer."""
    return skip_layers(model, (index,))


def skip_layers(model: LlamaModel, indices: Collection[int]) -> LlamaModel:
    """The model without some layers. Raises `IndexError` if there is no such layer."""
    for index in indices:
        if not 0 <= index < len(model.layers):
            raise IndexError(f"the model has layers 0..{len(model.layers) - 1}, there is no layer {index}")
    return keep_layers(model, [index for index in range(len(model.layers)) if index not in indices])


def keep_layers(model: LlamaModel, indices: Collection[int]) -> LlamaModel:
    """The model of some of its layers, in their order."""
    return model.replace_layers(lambda layers: tuple(layers[index] for index in sorted(indices)))
