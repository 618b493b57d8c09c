"""The output layer and the parts of leaves in one kernel, for a GPU: logits are never written.

`llmnet.kernels.lm_head_leaf` reads the output matrix once and keeps of each row what a leaf is made of. Signs depend on
a request's seed only, so they are made when a request first comes by and kept while it runs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from llmnet import proof
from llmnet.kernels import LeafParts, best_candidates, lm_head_leaf, sign_octets

_FIRST_REQUESTS = 16
_ALIGNED = 16  # bytes between rows of a table are a multiple of this
_STEPS = 256  # log-probs are counted in 1/256 nat


@dataclass(frozen=True)
class RowParts:
    """Whether every number of a row was `finite`, of S rows; and of the N rows of which that is true: ids and log-probs
    in nat [N, m] that hold the best candidates, and scaled lanes of both sketches [N, 8].
    """

    ids: torch.Tensor
    logprobs: torch.Tensor
    logit_lanes: torch.Tensor
    hidden_lanes: torch.Tensor
    finite: list[bool]


class SignTables:
    """Sign octets of the requests that came by last, [requests, V] and [requests, D]; they grow with the largest batch."""

    def __init__(self, vocab_size: int, hidden_size: int, device: torch.device) -> None:
        self._sizes, self._device = (vocab_size, hidden_size), device
        self._places: OrderedDict[bytes, int] = OrderedDict()  # by seed, the one not used for longest first
        self._tables = self._new_tables(_FIRST_REQUESTS)

    @property
    def logit_octets(self) -> torch.Tensor:
        """uint8 [requests, V]."""
        return self._tables[0][:, : self._sizes[0]]

    @property
    def hidden_octets(self) -> torch.Tensor:
        """uint8 [requests, D]."""
        return self._tables[1][:, : self._sizes[1]]

    def places(self, seeds: Sequence[bytes]) -> torch.Tensor:
        """Row of each seed in both tables, int64 [S]. Seeds that are not there take the places of those not used for
        longest, never of one another.
        """
        unique = list(dict.fromkeys(seeds))
        self._make_room(len(unique))
        for seed in unique:
            if seed in self._places:
                self._places.move_to_end(seed)
        missing = [seed for seed in unique if seed not in self._places]
        for seed in missing:
            full = len(self._places) == len(self._tables[0])
            self._places[seed] = self._places.popitem(last=False)[1] if full else len(self._places)
        self._fill(missing)
        return torch.tensor([self._places[seed] for seed in seeds], dtype=torch.int64, device=self._device)

    def _fill(self, seeds: Sequence[bytes]) -> None:
        if not seeds:
            return
        keys = torch.tensor([proof.philox.stream_key(seed) for seed in seeds], device=self._device)
        rows = torch.tensor([self._places[seed] for seed in seeds], device=self._device)
        self.logit_octets[rows] = sign_octets(keys, self._sizes[0], "LOGI")
        self.hidden_octets[rows] = sign_octets(keys, self._sizes[1], "HIDN")

    def _make_room(self, requests: int) -> None:
        room = len(self._tables[0])
        if requests <= room:
            return
        larger = self._new_tables(max(requests, 2 * room))
        for new, old in zip(larger, self._tables, strict=True):
            new[:room] = old
        self._tables = larger

    def _new_tables(self, requests: int) -> tuple[torch.Tensor, torch.Tensor]:
        whole = [-(-size // _ALIGNED) * _ALIGNED for size in self._sizes]
        logits, hidden = (
            torch.zeros(requests, size, dtype=torch.uint8, device=self._device) for size in whole
        )
        return logits, hidden


class OutputLayer:
    """Parts of leaves from hidden states, with the output matrix `head` [V, D]."""

    def __init__(self, head: torch.Tensor, top_k: int) -> None:
        self._head, self._top_k = head, top_k
        self._signs = SignTables(len(head), head.shape[1], head.device)

    def read(self, hidden: torch.Tensor, seeds: Sequence[bytes]) -> RowParts:
        """Rows hidden fp32 [S, D], each with the seed of its request.

        A row of which the kernel says that candidates tie beyond what it kept is computed again, with its logits.
        """
        places = self._signs.places(seeds)
        parts = self._parts(hidden, places)
        floats = torch.cat((parts.logsumexp[:, None], parts.logit_lanes, parts.hidden_lanes), dim=1)
        finite = torch.isfinite(floats).all(dim=1)
        ids, logprobs = parts.ids, parts.logprobs
        doubtful = (finite & ~parts.exact).nonzero()[:, 0]
        if len(doubtful):
            again = self._parts(hidden[doubtful], places[doubtful], logits=True)
            assert again.logits is not None
            settled = best_candidates(again.logits, again.logsumexp, self._top_k)
            ids, logprobs = (
                ids.index_copy(0, doubtful, settled[0]),
                logprobs.index_copy(0, doubtful, settled[1]),
            )
        return RowParts(
            ids[finite],
            logprobs[finite].double() / _STEPS,
            parts.logit_lanes[finite],
            parts.hidden_lanes[finite],
            finite.tolist(),
        )

    def _parts(self, hidden: torch.Tensor, places: torch.Tensor, *, logits: bool = False) -> LeafParts:
        signs = self._signs.logit_octets, self._signs.hidden_octets
        return lm_head_leaf(hidden, self._head, *signs, self._top_k, slots=places, return_logits=logits)
