"""One interface for every way of checking an answer, so that all are asked about the same runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from llmnet.proof import Leaf, ServiceSpec
from llmnet.redteam.rivals.errors import NothingToCompare

LEVEL = 0.99
"""Where limits that are fitted begin: the share of honest answers below them."""


@dataclass(frozen=True, slots=True)
class Run:
    """One side's view of an answer: what a worker has before it commits, or what a verifier finds by a run of its own.

    The leaves of the verifier's view carry the delivered tokens. `states` are the final normed hidden states [n, D], fp32;
    None where nobody needs them.
    """

    leaves: tuple[Leaf, ...]
    spec: ServiceSpec
    request_seed: bytes
    temperature: int
    states: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """How suspicious an answer looks, more is worse; and the verdict at limits that the method's authors published."""

    score: float
    rejected: bool | None = None


@dataclass(frozen=True, slots=True)
class Honest:
    """An honest answer: the id of its prompt, what was committed, and the verifier's view of it."""

    id: str
    commitment: bytes
    own: Run


class Rival(ABC):
    """A way to check an answer. Immutable; what has to be fitted is fitted by `fitted`, which returns another."""

    name: str
    source: str
    needs_states = False

    @abstractmethod
    def commit(self, run: Run) -> bytes:
        """What the worker posts or keeps. Raises NothingToCompare if the run lacks what the method needs."""

    @abstractmethod
    def check(self, commitment: bytes, own: Run) -> Check:
        """Compare with the verifier's own run. Raises BadCommitment for bytes that no worker of this method posts."""

    def fitted(self, honest: Sequence[Honest]) -> Self:
        """The same method with limits from honest answers. Raises NothingToCompare without any."""
        if not honest:
            raise NothingToCompare(f"{self.name} has no honest answers to be fitted to")
        return self


def states_of(run: Run, method: str) -> NDArray[np.float32]:
    """Raises NothingToCompare if nobody computed them."""
    if run.states is None:
        raise NothingToCompare(f"{method} needs hidden states, and this run has none")
    return run.states
