"""What an audit would see of a recorded answer, at every position and before any threshold."""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.measure.recording import Recording
from llmnet.proof import ServiceSpec, deficit, distance, self_consistent


@dataclass(frozen=True, slots=True)
class Point:
    """A position: squared lane distances from the reference, the sampling deficit (Q16.16 nat, None
    where it is not looked at), whether the leaf agrees with itself, and whether it
    names the token that was delivered."""

    logit: int
    hidden: int
    deficit: int | None
    consistent: bool
    token_matches: bool


def evidence(recording: Recording, spec: ServiceSpec) -> list[Point]:
    """All positions of an answer, in order."""
    return [
        Point(
            distance(leaf.logit_sketch, mine.logit_sketch),
            distance(leaf.hidden_sketch, mine.hidden_sketch),
            deficit(leaf, mine, spec, recording.request_seed, recording.temperature),
            self_consistent(leaf, spec, recording.request_seed, recording.temperature),
            leaf.token == mine.token,
        )
        for leaf, mine in zip(recording.leaves, recording.reference, strict=True)
    ]
