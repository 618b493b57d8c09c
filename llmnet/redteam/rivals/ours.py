"""This network's own check, and its two halves alone: what the other methods are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Self

from llmnet.proof import (
    Calibration,
    DecodeError,
    Judgement,
    Leaf,
    Reference,
    Verdict,
    decode_leaves,
    deficit,
    distance,
    encode_leaves,
    judge,
    self_consistent,
)
from llmnet.proof.sampler import Margin
from llmnet.proof.scoring import MARGIN_HIT, MARGIN_MISS
from llmnet.redteam.leaves import nudge
from llmnet.redteam.rivals.base import Check, Honest, Rival, Run
from llmnet.redteam.rivals.errors import BadCommitment
from llmnet.verifier.calibrate import Observation, fit, floor_calibration

NAT = 256
_COUNTS = {Margin.HIT: MARGIN_HIT, Margin.MISS: MARGIN_MISS, Margin.NOT_COUNTED: 0}
_PANEL = (b"\0" * 32, b"\1" * 32, b"\2" * 32)


@dataclass(frozen=True)
class _Leaves(Rival):
    """What the three have in common: the leaves are committed, and judged by the chain's own function.

    A worker that sells another token than its list's winner changes the list so that it wins: else a leaf would contradict
    itself, which is proof.
    """

    calibration: Calibration | None = None
    source: str = "docs/protocol.md"

    def commit(self, run: Run) -> bytes:
        seed, temperature = run.request_seed, run.temperature
        return encode_leaves(
            [
                leaf
                if self_consistent(leaf, run.spec, seed, temperature)
                else nudge(leaf, leaf.token, seed, temperature)
                for leaf in run.leaves
            ]
        )

    def fitted(self, honest: Sequence[Honest]) -> Self:
        """Thresholds as a calibration fits them to these answers."""
        super().fitted(honest)
        seen = [_observation(answer) for answer in honest]
        row = fit(seen, honest[0].own.spec.numerics)
        return replace(self, calibration=row)

    def judged(self, commitment: bytes, own: Run) -> Judgement:
        """As the chain would with a panel that agrees. Raises BadCommitment."""
        return judge(
            _leaves(commitment, own),
            [Reference(account, own.leaves) for account in _PANEL],
            self.row(own),
            own.spec,
            own.request_seed,
            own.temperature,
        )

    def row(self, own: Run) -> Calibration:
        """What was fitted, or the least thresholds of the class."""
        return self.calibration or floor_calibration(own.spec.numerics)


@dataclass(frozen=True)
class Evidence(_Leaves):
    """Sketches and margins. The score is the larger of an answer's two sums, unclipped, in nat; a contradiction is infinite."""

    name: str = "sketches and margin (ours)"

    def check(self, commitment: bytes, own: Run) -> Check:
        found = self.judged(commitment, own)
        failed = found.verdict is Verdict.FAIL
        if not (found.self_consistent and found.tokens_match):
            return Check(inf, failed)
        return Check(max(_position(found), _margin(found)), failed)


@dataclass(frozen=True)
class SketchDistance(_Leaves):
    """The sketches alone, without bins: the mean over positions of the worse distance as a multiple of its threshold."""

    name: str = "sketch distance alone"

    def check(self, commitment: bytes, own: Run) -> Check:
        row, found = self.row(own), self.judged(commitment, own)
        worse = [max(p.d2_logit / row.logit_q99, p.d2_hidden / row.hidden_q99) for p in found.positions]
        return Check(sum(worse) / len(worse))


@dataclass(frozen=True)
class MarginAlone(_Leaves):
    """The margin alone, as it is counted: +4 nat a miss."""

    name: str = "margin alone"

    def check(self, commitment: bytes, own: Run) -> Check:
        return Check(_margin(self.judged(commitment, own)))


def _position(found: Judgement) -> float:
    return sum(row.evidence for row in found.positions) / NAT


def _margin(found: Judgement) -> float:
    return sum(_COUNTS[row.margin] for row in found.positions) / NAT


def _observation(answer: Honest) -> Observation:
    own = answer.own
    pairs = list(zip(_leaves(answer.commitment, own), own.leaves, strict=True))
    return Observation(
        id=answer.id,
        temperature=own.temperature,
        prompt_tokens=0,
        logit=tuple(distance(leaf.logit_sketch, mine.logit_sketch) for leaf, mine in pairs),
        hidden=tuple(distance(leaf.hidden_sketch, mine.hidden_sketch) for leaf, mine in pairs),
        deficit=tuple(
            deficit(leaf, mine, own.spec, own.request_seed, own.temperature) for leaf, mine in pairs
        ),
    )


def _leaves(commitment: bytes, own: Run) -> tuple[Leaf, ...]:
    try:
        leaves = decode_leaves(commitment)
    except DecodeError as error:
        raise BadCommitment(f"these are no leaves: {error}") from error
    if len(leaves) != len(own.leaves):
        raise BadCommitment(f"{len(leaves)} leaves for an answer of {len(own.leaves)} tokens")
    return leaves
