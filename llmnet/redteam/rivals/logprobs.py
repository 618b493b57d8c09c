"""Distance of log-probs: the first candidates of every position, as many interfaces return them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from llmnet.proof import Candidate
from llmnet.redteam.rivals.base import Check, Rival, Run
from llmnet.redteam.rivals.errors import BadCommitment

_ENTRY = struct.Struct("<Ih")


@dataclass(frozen=True)
class TopLogprobs(Rival):
    """The first `k` candidates of every position with their log-probs in steps of 1/256 nat, 6 bytes each.

    The score is the mean absolute difference from the verifier's, in nat; a candidate that the verifier's list lacks is
    held against its last one.
    """

    k: int = 5
    source: str = "log-prob comparison, as in common use"

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"log-probs, k = {self.k}"

    def commit(self, run: Run) -> bytes:
        return b"".join(_ENTRY.pack(*entry) for leaf in run.leaves for entry in leaf.candidates[: self.k])

    def check(self, commitment: bytes, own: Run) -> Check:
        if len(commitment) != self.k * _ENTRY.size * len(own.leaves):
            raise BadCommitment(
                f"{self.k} log-probs at {len(own.leaves)} positions are {self.k * _ENTRY.size * len(own.leaves)} bytes, "
                f"got {len(commitment)}"
            )
        entries = [Candidate(*entry) for entry in _ENTRY.iter_unpack(commitment)]
        rows = [entries[start : start + self.k] for start in range(0, len(entries), self.k)]
        distances = [
            _distance(theirs, leaf.candidates) for theirs, leaf in zip(rows, own.leaves, strict=True)
        ]
        return Check(float(np.mean(distances)))


def _distance(theirs: list[Candidate], mine: tuple[Candidate, ...]) -> float:
    table, last = dict(mine), mine[-1].logprob
    return float(np.mean([abs(logprob - table.get(token, last)) for token, logprob in theirs])) / 256
