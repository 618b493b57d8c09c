"""Coarser weights: every projection of every layer after a round trip through fewer bits. What stays is stored in the
class's own type, so that only the values are coarser, not the arithmetic."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch

from llmnet.engine.model import LINEARS, LlamaModel

INT4_GROUP = 64
FP8 = torch.float8_e4m3fn
FP8_MAX = 448.0
_TINY = torch.finfo(torch.float32).tiny


def quantise_int8(model: LlamaModel) -> LlamaModel:
    """Through int8, symmetric, one absmax scale per tensor."""
    return _change(model, _round_trip)


def quantise_int8_rows(model: LlamaModel) -> LlamaModel:
    """Through int8, symmetric, one absmax scale per output channel."""
    return _change(model, lambda weight: _steps(weight, weight.abs().amax(dim=1, keepdim=True), 127))


def quantise_int4(model: LlamaModel) -> LlamaModel:
    """Through int4, symmetric, one absmax scale per 64 neighbours of a row (or per row, if 64 do not divide it)."""
    return _change(model, _int4)


def quantise_fp8(model: LlamaModel) -> LlamaModel:
    """Through e4m3, scaled so that the largest of each output channel is e4m3's largest."""
    return _change(model, _fp8)


def low_rank_noise(model: LlamaModel, size: float, *, rank: int = 8, seed: int = 0) -> LlamaModel:
    """Plus a random matrix of low rank whose norm is `size` times the weight's: what a slight fine-tune looks like."""
    random = torch.Generator().manual_seed(seed)

    def add(weight: torch.Tensor) -> torch.Tensor:
        rows, columns = weight.shape
        delta = torch.randn(rows, rank, generator=random) @ torch.randn(rank, columns, generator=random)
        return torch.add(weight, delta, alpha=float(size * weight.norm() / delta.norm()))

    return _change(model, add)


def _change(model: LlamaModel, change: Callable[[torch.Tensor], torch.Tensor]) -> LlamaModel:
    def one(weight: torch.Tensor) -> torch.Tensor:
        return change(weight.float()).to(weight.dtype).contiguous()

    return model.replace_layers(
        lambda layers: tuple(
            dataclasses.replace(layer, **{name: one(getattr(layer, name)) for name in LINEARS})
            for layer in layers
        )
    )


def _round_trip(weight: torch.Tensor) -> torch.Tensor:
    return _steps(weight, weight.abs().max(), 127)


def _int4(weight: torch.Tensor) -> torch.Tensor:
    rows, columns = weight.shape
    grouped = weight.reshape(rows, -1, INT4_GROUP if columns % INT4_GROUP == 0 else columns)
    return _steps(grouped, grouped.abs().amax(dim=2, keepdim=True), 7).reshape(rows, columns)


def _fp8(weight: torch.Tensor) -> torch.Tensor:
    scale = weight.abs().amax(dim=1, keepdim=True).clamp_min(_TINY) / FP8_MAX
    return (weight / scale).to(FP8).float() * scale


def _steps(weight: torch.Tensor, largest: torch.Tensor, steps: int) -> torch.Tensor:
    scale = largest.clamp_min(_TINY) / steps
    return (weight / scale).round() * scale
