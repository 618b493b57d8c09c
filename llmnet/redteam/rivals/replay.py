"""Replay of the tokens alone: would the verifier, with the same seed, have sampled what was delivered?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmnet.proof import deficit
from llmnet.redteam.rivals.base import Check, Rival, Run
from llmnet.redteam.rivals.errors import BadCommitment

CLIP = 4.0
"""Nat that one token can count: a single surprise must not decide."""


@dataclass(frozen=True)
class TokenReplay(Rival):
    """Nothing is committed: the tokens are delivered anyway, and the verifier's view holds them.

    The score is the mean of how far, in nat, each token falls short of what the verifier would have sampled, each clipped
    at CLIP.
    """

    name: str = "token replay"
    source: str = "Token-DiFR, arXiv:2511.20621"

    def commit(self, run: Run) -> bytes:  # noqa: ARG002 - nothing of it is posted
        return b""

    def check(self, commitment: bytes, own: Run) -> Check:
        if commitment:
            raise BadCommitment(f"token replay has no commitment, got {len(commitment)} bytes")
        return Check(float(np.mean([_short(own, place) for place in range(len(own.leaves))])))


def _short(own: Run, place: int) -> float:
    leaf = own.leaves[place]
    short = deficit(leaf, leaf, own.spec, own.request_seed, own.temperature)
    return 0.0 if short is None else min(CLIP, short / 65536)
