"""One row of logits and one hidden state to the few numbers about all of them that a leaf needs.

Formulas: docs/protocol.md, section 2. Each row is summed by itself, in an order that its neighbours do not change:
by our kernels on a CPU, by torch elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
import torch

from llmnet import proof

_CACHED_SEEDS = 32  # signs kept: V + D bytes each here, 4 * 8 * (V + D) for torch


@dataclass(frozen=True)
class Summary:
    """Of S rows: log-sum-exp of the logits, scaled lanes of both sketches [S, 8], and whether every number was
    finite.
    """

    normalisers: list[float]
    logit_lanes: torch.Tensor
    hidden_lanes: torch.Tensor
    finite: list[bool]


class Summariser(Protocol):
    """Makes summaries for one vocabulary and one hidden size."""

    def summarise(self, hidden: torch.Tensor, logits: torch.Tensor, seeds: Sequence[bytes]) -> Summary:
        """Rows hidden [S, D] and logits [S, V], each with the seed of its request."""
        ...


class TorchSummariser:
    """By torch, on any device. Row by row, so that a row's sums are not arranged by the number of rows."""

    def __init__(self, vocab_size: int, hidden_size: int, device: torch.device) -> None:
        self._sizes, self._device = (vocab_size, hidden_size), device
        self._signs = lru_cache(maxsize=_CACHED_SEEDS)(self._make_signs)

    def summarise(self, hidden: torch.Tensor, logits: torch.Tensor, seeds: Sequence[bytes]) -> Summary:
        """See `Summariser`."""
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


class CpuSummariser:
    """By the kernels of `llmnet.engine.cpu`. Signs are kept as one octet a number instead of eight floats."""

    def __init__(self, vocab_size: int, hidden_size: int) -> None:
        from llmnet.engine.cpu import Sketcher
        from llmnet.engine.cpu.kernels import padded_rows

        self._sizes = vocab_size, hidden_size
        self._padded = padded_rows
        self._sketcher = Sketcher(threads=torch.get_num_threads())
        self._octets = lru_cache(maxsize=_CACHED_SEEDS)(self._make_octets)

    def summarise(self, hidden: torch.Tensor, logits: torch.Tensor, seeds: Sequence[bytes]) -> Summary:
        """See `Summariser`."""
        octets = [self._octets(seed) for seed in seeds]
        of_logits = self._sketch(logits, [pair[0] for pair in octets], centred=True)
        of_hidden = self._sketch(hidden, [pair[1] for pair in octets], centred=False)
        finite = torch.isfinite(of_logits).all(dim=1) & torch.isfinite(of_hidden[:, 2:]).all(dim=1)
        # One logarithm at a time: a vector of them is computed by other instructions at its end than before it.
        normalisers = [
            peak + math.log(total) if total > 0 else peak for peak, total in of_logits[:, :2].tolist()
        ]
        return Summary(
            normalisers,
            of_logits[:, 3:] * self._sizes[0] ** -0.5,
            of_hidden[:, 3:] * self._sizes[1] ** -0.5,
            finite.tolist(),
        )

    def _sketch(self, rows: torch.Tensor, octets: list[torch.Tensor], *, centred: bool) -> torch.Tensor:
        target = self._padded(*rows.shape)
        if rows.stride() != target.stride():  # made by somebody else: not in whole vectors
            rows = target.copy_(rows)
        return self._sketcher.sketch(rows, octets, centred=centred)

    def _make_octets(self, seed: bytes) -> tuple[torch.Tensor, torch.Tensor]:
        """Octets over the vocabulary and over the hidden dimension: bit j is set where lane j's sign is -1."""
        return self._packed(seed, "LOGI", self._sizes[0]), self._packed(seed, "HIDN", self._sizes[1])

    def _packed(self, seed: bytes, lane_set: Literal["LOGI", "HIDN"], size: int) -> torch.Tensor:
        octets = np.packbits(proof.sign_matrix(seed, lane_set, size) < 0, axis=0, bitorder="little")[0]
        whole = torch.zeros(self._padded(1, size).stride(0), dtype=torch.uint8)
        whole[:size] = torch.from_numpy(octets)
        return whole


def make_summariser(
    vocab_size: int, hidden_size: int, device: torch.device, *, invariant: bool
) -> Summariser:
    """The one that goes with a device."""
    if invariant and device.type == "cpu":
        return CpuSummariser(vocab_size, hidden_size)
    return TorchSummariser(vocab_size, hidden_size, device)


def _stacked(signs: Sequence[torch.Tensor], rows: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack([matrix @ row for matrix, row in zip(signs, rows, strict=True)])
