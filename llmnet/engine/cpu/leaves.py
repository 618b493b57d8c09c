"""Leaves of a step on a CPU: two kernels a row, and no more Python than it takes to call them.

Between two steps memory waits, so what is done there is counted in microseconds. A row's leaf is made from its own
numbers alone, as everything here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from llmnet import proof
from llmnet.engine.cpu.kernels import Chooser, Sketcher, padded_rows
from llmnet.engine.cpu.lanes import LANES
from llmnet.engine.errors import NumericsError
from llmnet.proof import Candidate, Leaf, ServiceSpec

if TYPE_CHECKING:
    from llmnet.engine.leaves import Wanted

_CACHED_SEEDS = 32  # signs kept: V + D bytes each
_SUMS = 2  # maximum and sum of weights: of a hidden state nobody wants them, and they may overflow
_LANES = 8


class CpuLeaves:
    """Makes leaves of one spec from hidden states [S, D] and logits [S, V]."""

    def __init__(self, spec: ServiceSpec, hidden_size: int) -> None:
        self._top_k, self._sizes = spec.top_k, (spec.vocab_size, hidden_size)
        shifts, threads = (spec.logit_shift, spec.hidden_shift), torch.get_num_threads()
        self._sketcher = Sketcher(threads=threads)
        self._chooser = Chooser(spec.top_k, self._sizes, shifts, threads=threads)
        self._signs = lru_cache(maxsize=_CACHED_SEEDS)(self._make_signs)

    def build(
        self, hidden: torch.Tensor, logits: torch.Tensor, wanted: Sequence[Wanted]
    ) -> list[Leaf | NumericsError]:
        """A leaf a row, or an error where a number is not finite."""
        signs = [self._signs(item.request_seed) for item in wanted]
        logits, hidden = _whole(logits), _whole(hidden)
        sums = (
            self._sketcher.sketch(logits, [item[0] for item in signs], centred=True),
            self._sketcher.sketch(hidden, [item[1] for item in signs], centred=False),
        )
        numbers = [side.tolist() for side in sums]
        # One logarithm at a time: a vector of them is computed by other instructions at its end than before it.
        normalisers = [peak + math.log(total) if total > 0 else peak for peak, total, *_ in numbers[0]]
        orders = [
            (item.position, item.temperature, *keys) for item, (_, _, keys) in zip(wanted, signs, strict=True)
        ]
        chosen = self._chooser.choose(logits, normalisers, orders, sums)
        return [
            self._leaf(item, row)
            if all(map(math.isfinite, (*of_logits, *of_hidden[_SUMS:])))
            else NumericsError(f"non-finite logits or hidden state at output position {item.position}")
            for item, row, of_logits, of_hidden in zip(wanted, chosen, *numbers, strict=True)
        ]

    def _leaf(self, wanted: Wanted, row: list[int]) -> Leaf:
        k = self._top_k
        ids, logprobs, lanes = row[1 : k + 1], row[k + 1 : 2 * k + 1], row[2 * k + 1 :]
        token = row[0] if wanted.token is None else wanted.token
        pairs = tuple(map(Candidate, ids, logprobs))
        return Leaf(wanted.position, token, pairs, tuple(lanes[:_LANES]), tuple(lanes[_LANES:]))

    def _make_signs(self, seed: bytes) -> tuple[torch.Tensor, torch.Tensor, tuple[int, int]]:
        """Octets over the vocabulary and over the hidden dimension, bit j set where lane j's sign is -1; and the key of
        the request.
        """
        octets = [_octets(seed, "LOGI", self._sizes[0]), _octets(seed, "HIDN", self._sizes[1])]
        return octets[0], octets[1], proof.philox.stream_key(seed)


def _octets(seed: bytes, lane_set: Literal["LOGI", "HIDN"], size: int) -> torch.Tensor:
    packed = np.packbits(proof.sign_matrix(seed, lane_set, size) < 0, axis=0, bitorder="little")[0]
    whole = torch.zeros(padded_rows(1, size).stride(0), dtype=torch.uint8)
    whole[:size] = torch.from_numpy(packed)
    return whole


def _whole(rows: torch.Tensor) -> torch.Tensor:
    """The same rows, whole vectors apart."""
    size = rows.shape[1]
    if rows.stride() == (-(-size // LANES) * LANES, 1):
        return rows
    return padded_rows(*rows.shape).copy_(rows)
