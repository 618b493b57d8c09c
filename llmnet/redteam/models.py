"""The cheaper models that attacks compute with, by name, each made from the promised one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llmnet.engine.model import LlamaModel
from llmnet.engine.variants import (
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

Make = Callable[[LlamaModel], LlamaModel]


def _without(count: int) -> Make:
    """Layers from the middle, evenly spread; a model keeps one at least."""

    def make(model: LlamaModel) -> LlamaModel:
        layers = len(model.layers)
        missing = min(count, layers - 1)
        first, room = layers // 3, max(layers // 2, missing)
        return skip_layers(
            model, {min(first + index * room // missing, layers - 1) for index in range(missing)}
        )

    return make


def _first(missing: int) -> Make:
    return lambda model: keep_layers(model, range(max(1, len(model.layers) - missing)))


def _every_second(model: LlamaModel) -> LlamaModel:
    return keep_layers(model, range(0, len(model.layers), 2))


MODELS: Mapping[str, Make] = {
    "honest": lambda model: model,
    "int8": quantise_int8,
    "int8_rows": quantise_int8_rows,
    "int4": quantise_int4,
    "fp8": quantise_fp8,
    "w8a8": int8_activations,
    "fp8_kv": fp8_cache,
    "skip_1": _without(1),
    "skip_3": _without(3),
    "skip_8": _without(8),
    "early_exit": _first(3),
    "small": _every_second,
    "tuned_1pc": lambda model: low_rank_noise(model, 0.01),
    "tuned_10pc": lambda model: low_rank_noise(model, 0.10),
    "every_tenth": lambda model: alternate(model, quantise_int8(model), 10),
}
