"""One row of logits and one hidden state to the few numbers about all of them that a leaf needs.

Formulas: docs/protocol.md, section 2. By torch, each row by itself. On a CPU the engine's own kernels do this and the
rest of a leaf (`llmnet.engine.cpu.leaves`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from llmnet import proof

_CACHED_SEEDS = 32  # signs kept: 4 * 8 * (V + D) bytes each


@dataclass(frozen=True)
class Summary:
    """Of S rows: log-sum-exp of the logits, scaled lanes of both sketches [S, 8], and whether every number was
    finite.
    """

    normalisers: list[float]
    logit_lanes: torch.Tensor
    hidden_lanes: torch.Tensor
    finite: list[bool]


class TorchSummariser:
    """By torch, on any device. Row by row, so that a row's sums are not arranged by the number of rows."""

    def __init__(self, vocab_size: int, hidden_size: int, device: torch.device) -> None:
        self._sizes, self._device = (vocab_size, hidden_size), device
        self._signs = lru_cache(maxsize=_CACHED_SEEDS)(self._make_signs)

    def summarise(self, hidden: torch.Tensor, logits: torch.Tensor, seeds: Sequence[bytes]) -> Summary:
        """Rows hidden [S, D] and logits [S, V], each with the seed of its request."""
        vocabulary, dimension = zip(*(self._signs(seed) for seed in seeds), strict=True)
        centred = [row - row.mean() for row in logits]
        logit_lanes = _stacked(vocabulary, centred) * logits.shape[1] ** -0.5
        hidden_lanes = _stacked(dimension, list(hidden)) * hidden.shape[1] ** -0.5
        checked = torch.cat((logits, hidden, logit_lanes, hidden_lanes), dim=1)
        normalisers = torch.stack([torch.logsumexp(row, dim=0) for row in logits])
        return Summary(
            normalisers.tolist(), logit_lanes, hidden_lanes, torch.isfinite(checked).all(dim=1).tolist()
        )

    def _make_signs(self, seed: bytes) -> tuple[torch.Tensor, torch.Tensor]:
        """Signs over the vocabulary [8, V] and over the hidden dimension [8, D], fp32."""
        vocabulary = proof.sign_matrix(seed, "LOGI", self._sizes[0]).astype("float32")
        dimension = proof.sign_matrix(seed, "HIDN", self._sizes[1]).astype("float32")
        return torch.from_numpy(vocabulary).to(self._device), torch.from_numpy(dimension).to(self._device)


def _stacked(signs: Sequence[torch.Tensor], rows: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack([matrix @ row for matrix, row in zip(signs, rows, strict=True)])
