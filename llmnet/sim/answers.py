"""Answers without a model: real receipts, leaves and references whose distances were recorded from real runs."""

from __future__ import annotations

import random
from dataclasses import dataclass

from llmnet import proof
from llmnet.proof import Candidate, FinishReason, Leaf, NumericsClass, Receipt, ServiceSpec
from llmnet.sim.evidence import Position, lanes_at

TOP_K = 8
_STEP = 512  # 1/256 nat between neighbouring candidates: further than any margin tolerance
_BASE = 100  # lanes of every reference; what counts is the difference

SPEC = ServiceSpec(
    name=b"simulated",
    weights_root=proof.domain_hash("weights", b"simulated"),
    tokenizer_hash=proof.domain_hash("tokenizer", b"simulated"),
    template_hash=proof.domain_hash("template", b"simulated"),
    graph_hash=proof.domain_hash("graph", b"simulated"),
    sampler_version=1,
    top_k=TOP_K,
    numerics=NumericsClass.FP32,
    vocab_size=1_000,
    context_length=4_096,
    logit_shift=9,
    hidden_shift=9,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as its worker sold it (`leaves`) and as an honest validator finds it (`reference`)."""

    kind: str
    receipt: Receipt
    leaves: tuple[Leaf, ...]
    reference: tuple[Leaf, ...]

    def opening(self, positions: list[int]) -> tuple[list[Leaf], list[bytes]]:
        """The leaves at some positions and the proof of them."""
        return proof.opening(self.leaves, positions)


def make_answer(
    kind: str, positions: list[Position], session: int, index: int, n_prompt: int, rng: random.Random
) -> Answer:
    """At temperature zero, where the first candidate is the token: a miss is a leaf whose first two changed places."""
    request_hash = rng.randbytes(32)
    leaves = tuple(_leaf(at, position) for at, position in enumerate(positions))
    reference = tuple(_reference(leaf) for leaf in leaves)
    tokens = [leaf.token for leaf in leaves]
    receipt = Receipt(
        session=session,
        index=index,
        request_hash=request_hash,
        temperature=0,
        output_hash=proof.output_hash(tokens),
        text_hash=proof.text_hash(f"{kind} {session}/{index}"),
        n_prompt=n_prompt,
        n_out=len(tokens),
        finish=FinishReason.LENGTH,
        transcript_root=proof.transcript_root(leaves),
    )
    return Answer(kind, receipt, leaves, reference)


def _candidates(first: int, second: int) -> tuple[Candidate, ...]:
    ids = [first, second, *range(2, TOP_K)]
    return tuple(Candidate(token, -_STEP * (rank + 1)) for rank, token in enumerate(ids))


def _leaf(at: int, position: Position) -> Leaf:
    """`token` is the first candidate, so the leaf agrees with itself."""
    candidates = _candidates(1, 0) if position.miss else _candidates(0, 1)
    logit = tuple(_BASE + step for step in lanes_at(position.logit))
    hidden = tuple(_BASE + step for step in lanes_at(position.hidden))
    return Leaf(at, candidates[0].id, candidates, logit, hidden)


def _reference(leaf: Leaf) -> Leaf:
    """What the promised model says at this position, given the tokens that were delivered."""
    return Leaf(leaf.position, leaf.token, _candidates(0, 1), (_BASE,) * proof.LANES, (_BASE,) * proof.LANES)


def shifted(leaves: tuple[Leaf, ...], by: int) -> list[Leaf]:
    """Leaves that lie: every lane moved by `by` steps."""
    return [
        Leaf(
            leaf.position,
            leaf.token,
            leaf.candidates,
            tuple(lane + by for lane in leaf.logit_sketch),
            tuple(lane + by for lane in leaf.hidden_sketch),
        )
        for leaf in leaves
    ]
