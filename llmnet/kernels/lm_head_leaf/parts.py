"""What the output layer leaves of each row."""

from dataclasses import dataclass

from torch import Tensor

LANES = 8
CANDIDATES = 32
STEPS = 256
"""Log-probs are counted in 1/256 nat."""

MIN_LOGPROB = -32767


@dataclass(frozen=True)
class LeafParts:
    """Of ``S`` rows, all that enters their leaves (docs/protocol.md, sections 2 and 3).

    ``logsumexp``: fp32 ``[S]``; ``ids``: int64 ``[S, top_k]`` and ``logprobs``: int16 ``[S, top_k]`` in 1/256
    nat, best first, ties by lower id; ``logit_lanes``, ``hidden_lanes``: fp32 ``[S, 8]``, not yet rounded;
    ``exact``: bool ``[S]``, false where so many candidates tie inside one block of the vocabulary that one
    of lower id may have been left out (take that row's candidates from its logits); ``logits``: fp32
    ``[S, V]`` or None. A row with a number that is not finite has one in ``logsumexp`` or in its lanes.
    """

    logsumexp: Tensor
    ids: Tensor
    logprobs: Tensor
    logit_lanes: Tensor
    hidden_lanes: Tensor
    exact: Tensor
    logits: Tensor | None
