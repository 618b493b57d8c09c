"""From a step's floats to what enters the leaves, for the whole batch.

Formulas: docs/protocol.md, sections 2, 3 and 6. On a CPU kernels do all of it (`llmnet.engine.cpu.leaves`). Elsewhere
this module keeps of every row a candidate superset and the two sketches; quantising, ordering and sampling are
`llmnet.proof`'s, which has to see every candidate that could matter without moving V numbers a row out of torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from llmnet import proof
from llmnet.engine.errors import NumericsError
from llmnet.engine.output_layer import OutputLayer, RowParts
from llmnet.engine.summaries import TorchSummariser
from llmnet.proof import Leaf, ServiceSpec

if TYPE_CHECKING:
    from llmnet.engine.cpu.leaves import CpuLeaves

# Candidates tie when their quantised log-probs are equal, and equal ones differ by less than one step of
# 1/256 nat.
_TIE_WIDTH = 1 / 256
# Near the clamp at -32767/256 nat any difference may vanish, so there every token could tie.
_CLAMP = -127.9
_FLOOR = -1e4  # far below the clamp, and finite
# Candidates looked at beyond the top k before all of a row is.
_SPARE = 16


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
    """Makes leaves of one spec from hidden states, and from logits or, where there are none, the output matrix `head`
    [V, D].
    """

    def __init__(
        self,
        spec: ServiceSpec,
        hidden_size: int,
        device: torch.device,
        *,
        invariant: bool = True,
        head: torch.Tensor | None = None,
    ) -> None:
        self._spec = spec
        self._output = None if head is None else OutputLayer(head, spec.top_k)
        self._cpu: CpuLeaves | None = None
        if invariant and device.type == "cpu" and head is None:
            from llmnet.engine.cpu.leaves import CpuLeaves

            self._cpu = CpuLeaves(spec, hidden_size)
        self._summariser = TorchSummariser(spec.vocab_size, hidden_size, device)

    @torch.inference_mode()
    def build(
        self, hidden: torch.Tensor, logits: torch.Tensor | None, wanted: Sequence[Wanted]
    ) -> list[Leaf | NumericsError]:
        """Leaves of rows hidden [S, D] and logits [S, V], which may be missing where there is a `head`; a row with a
        non-finite number gets an error instead.

        Either all rows are sampled or all have their token given.
        """
        if self._cpu is not None and logits is not None:
            return self._cpu.build(hidden, logits, wanted)
        parts = self._read(hidden, logits, [item.request_seed for item in wanted])
        result: list[Leaf | NumericsError] = [
            NumericsError(f"non-finite logits or hidden state at output position {item.position}")
            for item in wanted
        ]
        rows = [row for row, good in enumerate(parts.finite) if good]
        if rows:
            made = self._assemble(parts, [wanted[row] for row in rows])
            for row, leaf in zip(rows, made, strict=True):
                result[row] = leaf
        return result

    def _read(self, hidden: torch.Tensor, logits: torch.Tensor | None, seeds: Sequence[bytes]) -> RowParts:
        if logits is None:
            if self._output is None:
                raise ValueError("leaves without logits need the output matrix: give LeafBuilder the head")
            return self._output.read(hidden, seeds)
        summary = self._summariser.summarise(hidden, logits, seeds)
        rows = [row for row, good in enumerate(summary.finite) if good]
        sound = logits if len(rows) == len(seeds) else logits[rows]
        normalisers = [summary.normalisers[row] for row in rows]
        ids, logprobs = candidate_superset(sound, normalisers, self._spec.top_k)
        return RowParts(ids, logprobs, summary.logit_lanes[rows], summary.hidden_lanes[rows], summary.finite)

    def _assemble(self, parts: RowParts, wanted: Sequence[Wanted]) -> list[Leaf]:
        given = [item.token for item in wanted if item.token is not None]
        return proof.assemble_leaves(
            [item.position for item in wanted],
            parts.ids.cpu().numpy(),
            parts.logprobs.cpu().numpy(),
            parts.logit_lanes.cpu().numpy(),
            parts.hidden_lanes.cpu().numpy(),
            self._spec,
            [item.request_seed for item in wanted],
            temperatures=None if given else [item.temperature for item in wanted],
            tokens=given or None,
        )


def candidate_superset(
    logits: torch.Tensor, normalisers: Sequence[float], top_k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and log-probs [S, m], m >= top_k, that contain every token which may be among a row's top-k *after*
    quantising. `normalisers`: log-sum-exp of each row.

    A row's k-th log-prob, less one quantisation step, bounds what can tie with it from below.
    """
    shift = torch.tensor(normalisers, device=logits.device)[:, None]
    values, ids = torch.topk(logits, min(top_k + _SPARE, logits.shape[1]), dim=1)
    values = values - shift
    bound = _bound(values[:, top_k - 1 : top_k])
    if bool((values[:, -1:] >= bound).any()):  # not far enough
        width = int((logits - shift >= bound).sum(dim=1).max())
        values, ids = torch.topk(logits, max(width, top_k), dim=1)
        values = values - shift
    return ids, values.clamp(min=_FLOOR)


def _bound(kth: torch.Tensor) -> torch.Tensor:
    return torch.where(kth < _CLAMP, -torch.inf, kth - _TIE_WIDTH)
