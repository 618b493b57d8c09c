"""Models that are not what they are sold as. They exist so that the network can show that it notices.

Weights     quantise_int8(model), quantise_int8_rows, quantise_int4, quantise_fp8, low_rank_noise(model, size, seed)
Depth       skip_layer(model, index), skip_layers(model, indices), keep_layers(model, indices)
Arithmetic  int8_activations(model), fp8_cache(model)
Time        alternate(model, other, every): every so manieth step of decoding is another model's
Tokens      ChoosingEngine(..., choose=f): sells another token than the leaf's; SpeculatingEngine(..., draft=engine)
"""

from __future__ import annotations

from llmnet.engine.variants.arithmetic import fp8_cache, int8_activations
from llmnet.engine.variants.depth import keep_layers, skip_layer, skip_layers
from llmnet.engine.variants.steps import alternate
from llmnet.engine.variants.tokens import ChoosingEngine, SpeculatingEngine
from llmnet.engine.variants.weights import (
    low_rank_noise,
    quantise_fp8,
    quantise_int4,
    quantise_int8,
    quantise_int8_rows,
)

__all__ = [
    "ChoosingEngine",
    "SpeculatingEngine",
    "alternate",
    "fp8_cache",
    "int8_activations",
    "keep_layers",
    "low_rank_noise",
    "quantise_fp8",
    "quantise_int4",
    "quantise_int8",
    "quantise_int8_rows",
    "skip_layer",
    "skip_layers",
]
