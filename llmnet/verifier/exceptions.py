"""Which positions of an answer no honest worker could have produced, seen by one validator. Pure functions.

A challenge is judged by the references of the whole panel, so what counts here must hold for each of them. Two accepted
references stand within `BAND` log-prob steps of the median, hence within twice that of each other, and so a difference of two
log-probs may be another one by four times as much. Only what that cannot explain is certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmnet import proof
from llmnet.pallets.spot_checks import MAX_EXCEPTIONS
from llmnet.proof import Calibration, Leaf, ServiceSpec
from llmnet.proof.consensus import BAND
from llmnet.proof.sampler import SLACK, looked_at, scores, tolerance
from llmnet.proof.scoring import exception_misses

APART = 2 * BAND  # log-prob steps (1/256 nat) between two accepted references
DOUBT = (2 * APART + 1) << 8  # the same for a difference of two scores, with their rounding, in Q16.16 nat


def certain_miss(
    reference: Leaf, spec: ServiceSpec, calibration: Calibration, request_seed: bytes, temperature: int
) -> int | None:
    """By how much (Q16.16 nat) the delivered token lost at this position at least, if every accepted reference calls it a miss.

    `reference` is this validator's leaf with the delivered token. What stands near the cut may be on its other side elsewhere:
    it is no winner, and as a token it is forgiven what the cut forgives.
    """
    ids = [pair.id for pair in reference.candidates]
    logprobs = [pair.logprob for pair in reference.candidates]
    cut = logprobs[min(looked_at(spec.top_k), len(logprobs) - 1)]
    sure = [rank for rank, value in enumerate(logprobs) if value > cut + 2 * APART]
    if not sure:
        return None
    rank = ids.index(reference.token) if reference.token in ids else None
    is_sure = rank in sure
    likely = cut if rank is None else max(logprobs[rank], cut)
    pairs = [*(logprobs[other] for other in sure), likely], [*(ids[other] for other in sure), reference.token]
    points = scores(*pairs, temperature, request_seed, reference.position)
    short = int(points[:-1].max()) - int(points[-1])
    nats = short * temperature // 256 if temperature else short
    lost = nats - DOUBT - (0 if is_sure else SLACK)
    return lost if lost > tolerance(calibration.tau_sample, temperature) else None


def misses_of(
    references: Iterable[Leaf],
    spec: ServiceSpec,
    calibration: Calibration,
    request_seed: bytes,
    temperature: int,
) -> tuple[int, ...]:
    """The positions of certain misses, the clearest first, at most as many as a challenge may name."""
    lost = {
        leaf.position: found
        for leaf in references
        if (found := certain_miss(leaf, spec, calibration, request_seed, temperature)) is not None
    }
    return tuple(sorted(lost, key=lambda position: (-lost[position], position))[:MAX_EXCEPTIONS])


def is_enough(misses: Sequence[int], first: int, others: int) -> bool:
    """Whether these misses fail an answer whose audit has added `first` to the margin sum and left so many `others` undrawn."""
    return len(misses) >= exception_misses(first, others)


def contradictions(
    leaves: Sequence[Leaf],
    tokens: Sequence[int],
    spec: ServiceSpec,
    request_seed: bytes,
    temperature: int,
) -> tuple[int, ...]:
    """The positions at which the worker's own leaves name another token than it delivered, or do not yield it."""
    return tuple(
        leaf.position
        for leaf, token in zip(leaves, tokens, strict=True)
        if leaf.token != token or not proof.self_consistent(leaf, spec, request_seed, temperature)
    )
