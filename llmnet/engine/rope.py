"""Angles of the rotary embedding (Su et al. 2021), with the one way of stretching them that is supported."""

from __future__ import annotations

import math

import torch

from llmnet.engine.model_config import ModelConfig, RopeScaling


class RopeTables:
    """cosines and sines, each fp32 [context, head_dim / 2].

    Angles are computed in fp64: at position 8,000 an fp32 angle is off by 5e-4.
    """

    def __init__(self, config: ModelConfig, device: torch.device) -> None:
        exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float64) / config.head_dim
        frequencies = config.rope_theta**-exponents
        if config.rope_scaling is not None:
            frequencies = _stretched(frequencies, config.rope_scaling)
        angles = torch.outer(torch.arange(config.context_length, dtype=torch.float64), frequencies)
        self.cosines = angles.cos().float().to(device)
        self.sines = angles.sin().float().to(device)

    def at(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows for positions [T], each [T, 1, head_dim / 2]."""
        return self.cosines[positions, None, :], self.sines[positions, None, :]


def _stretched(frequencies: torch.Tensor, scaling: RopeScaling) -> torch.Tensor:
    """Llama 3's rule: long waves are slowed down by `factor`, short ones stay, those between are blended."""
    waves = 2 * math.pi / frequencies
    turns = scaling.original_context / waves  # in the context that the model was first trained on
    blend = (turns - scaling.low_frequency) / (scaling.high_frequency - scaling.low_frequency)
    return frequencies * (blend.clamp(0, 1) * (1 - 1 / scaling.factor) + 1 / scaling.factor)
