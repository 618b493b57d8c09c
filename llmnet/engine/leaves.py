"""From a step's floats to what enters the leaves: log-probs of a candidate superset and the two sketches, for
the whole batch.

Formulas: docs/protocol.md, sections 2, 3 and 6. Quantising, ordering and sampling are `llmnet.proof`'s; this
module only makes sure that it sees every candidate that could matter, without moving V numbers a row out of
torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from llmnet import proof
from llmnet.engine.errors import NumericsError
from llmnet.proof import Leaf, ServiceSpec

# Candidates tie when their quantised log-probs are equal, and equal ones differ by less than one step of
# 1/256 nat.
_TIE_WIDTH = 1 / 256
# Near the clamp at -32767/256 nat any difference may vanish, so there every token could tie.
_CLAMP = -127.9
_FLOOR = -1e4  # far below the clamp, and finite
_CACHED_SEEDS = 32  # sign matrices kept: 8 * (V + D) * 4 bytes each, 1.6 MB for the default model


@dataclass(frozen=True)
class Wanted:
    """One row of a step: the leaf at output `position`, sampled at `temperature`, or for `token` if that is
    given.
    """

    position: int
    request_seed: bytes
    temperature: int = 0
    token: int | None = None


class LeafBuilder:
    """Makes leaves of one spec from logits and hidden states on one device."""

    def __init__(self, spec: ServiceSpec, hidden_size: int, device: torch.device) -> None:
        self._spec = spec
        self._hidden_size = hidden_size
        self._device = device
        self._signs = lru_cache(maxsize=_CACHED_SEEDS)(self._make_signs)

    @torch.inference_mode()
    def build(
        self, hidden: torch.Tensor, logits: torch.Tensor, wanted: Sequence[Wanted]
    ) -> list[Leaf | NumericsError]:
        """Leaves of rows hidden [S, D] and logits [S, V]; a row with a non-finite number gets an error
        instead.

        Either all rows are sampled or all have their token given.
        """
        logit_lanes, hidden_lanes = self._lanes(hidden, logits, [item.request_seed for item in wanted])
        checked = torch.cat((logits, hidden, logit_lanes, hidden_lanes), dim=1)
        good = torch.isfinite(checked).all(dim=1).nonzero().flatten()
        result: list[Leaf | NumericsError] = [
            NumericsError(f"non-finite logits or hidden state at output position {item.position}")
            for item in wanted
        ]
        rows = good.tolist()
        if rows:
            ids, logprobs = candidate_superset(logits[good], self._spec.top_k)
            lanes = (logit_lanes[good], hidden_lanes[good])
            made = self._assemble(ids, logprobs, *lanes, [wanted[row] for row in rows])
            for row, leaf in zip(rows, made, strict=True):
                result[row] = leaf
        return result

    def _assemble(
        self,
        ids: torch.Tensor,
        logprobs: torch.Tensor,
        logit_lanes: torch.Tensor,
        hidden_lanes: torch.Tensor,
        wanted: Sequence[Wanted],
    ) -> list[Leaf]:
        given = [item.token for item in wanted if item.token is not None]
        return proof.assemble_leaves(
            [item.position for item in wanted],
            ids.cpu().numpy(),
            logprobs.cpu().numpy(),
            logit_lanes.cpu().numpy(),
            hidden_lanes.cpu().numpy(),
            self._spec,
            [item.request_seed for item in wanted],
            temperatures=None if given else [item.temperature for item in wanted],
            tokens=given or None,
        )

    def _lanes(
        self, hidden: torch.Tensor, logits: torch.Tensor, seeds: Sequence[bytes]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        centred = logits - logits.mean(dim=1, keepdim=True)
        signs = [self._signs(seed) for seed in seeds]
        logit_lanes = torch.stack([pair[0] @ row for pair, row in zip(signs, centred, strict=True)])
        hidden_lanes = torch.stack([pair[1] @ row for pair, row in zip(signs, hidden, strict=True)])
        return logit_lanes * logits.shape[1] ** -0.5, hidden_lanes * hidden.shape[1] ** -0.5

    def _make_signs(self, seed: bytes) -> tuple[torch.Tensor, torch.Tensor]:
        """Signs over the vocabulary [8, V] and over the hidden dimension [8, D], fp32."""
        vocabulary = proof.sign_matrix(seed, "LOGI", self._spec.vocab_size).astype("float32")
        dimension = proof.sign_matrix(seed, "HIDN", self._hidden_size).astype("float32")
        return torch.from_numpy(vocabulary).to(self._device), torch.from_numpy(dimension).to(self._device)


def candidate_superset(logits: torch.Tensor, top_k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and log-probs [S, m], m >= top_k, that contain every token which may be among a row's top-k *after*
    quantising.

    A row's k-th log-prob, less one quantisation step, bounds what can tie with it from below.
    """
    logprobs = (logits - torch.logsumexp(logits, dim=1, keepdim=True)).clamp_min_(_FLOOR)
    kth = torch.topk(logprobs, top_k, dim=1).values[:, -1:]
    bound = torch.where(kth < _CLAMP, -torch.inf, kth - _TIE_WIDTH)
    width = max(int((logprobs >= bound).sum(dim=1).max()), top_k)
    values, ids = torch.topk(logprobs, width, dim=1)
    return ids, values
