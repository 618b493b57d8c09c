"""Sampling as an integer function of a leaf, and what can be checked about a token (protocol section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ShapeError
from .gumbel import gumbel_noise_batch
from .leaf import MIN_LOGPROB, Leaf
from .philox import stream_key
from .service import Calibration, ServiceSpec

SKIPPED_RANKS = 4
SLACK = 1 << 16
"""What is forgiven a token at the reference's cut or below it, where honest runs swap candidates in and out: a nat."""

WARM = 128
MORE_IF_COLD = 2
"""Below this temperature, a half, tokens are tolerated more: at zero so many times `tau_sample` more."""


class Margin(Enum):
    """How a worker's token stands in a reference's candidates."""

    HIT = "hit"
    MISS = "miss"
    NOT_COUNTED = "not_counted"


def looked_at(top_k: int) -> int:
    """How many ranks of a leaf are looked at: all but the last four, or all when there are at most four."""
    return top_k if top_k <= SKIPPED_RANKS else top_k - SKIPPED_RANKS


def scores(
    logprobs: ArrayLike, ids: ArrayLike, temperature: int, request_seed: bytes, position: int
) -> NDArray[np.int64]:
    """Score of each candidate in Q16.16, int64 `[k]`; log-probs and temperature in 1/256, 0 is greedy."""
    rows = np.asarray(logprobs)[None, :], np.asarray(ids)[None, :]
    return scores_batch(*rows, [temperature], [request_seed], [position]).reshape(-1)


def scores_batch(
    logprobs: ArrayLike,
    ids: ArrayLike,
    temperatures: ArrayLike,
    request_seeds: Sequence[bytes],
    positions: ArrayLike,
) -> NDArray[np.int64]:
    """Scores of a batch: log-probs and ids `[B, k]`, the rest `[B]` -> int64 `[B, k]`. Raises ShapeError."""
    values, candidates = np.asarray(logprobs, dtype=np.int64), np.asarray(ids)
    scale = np.asarray(temperatures, dtype=np.int64)[:, None]
    if values.ndim != 2 or candidates.shape != values.shape:
        raise ShapeError(f"log-probs {values.shape} and ids {candidates.shape} must both be [B, k]")
    if not len(scale) == len(request_seeds) == len(np.asarray(positions)) == len(values):
        raise ShapeError(f"{len(values)} rows need as many temperatures, seeds and positions")
    if (values > 0).any():
        raise ShapeError("log-probs must not be positive")
    keys = np.array([stream_key(seed) for seed in request_seeds], dtype=np.uint64).reshape(-1, 2)
    noise = gumbel_noise_batch(keys, positions, candidates).astype(np.int64)
    sampled = -((-values << 16) // np.maximum(scale, 1)) + noise
    return np.where(scale == 0, values << 8, sampled)


def sample(logprobs: ArrayLike, ids: ArrayLike, temperature: int, request_seed: bytes, position: int) -> int:
    """Index of the winning candidate: highest score, ties to the lower id."""
    rows = np.asarray(logprobs)[None, :], np.asarray(ids)[None, :]
    return int(sample_batch(*rows, [temperature], [request_seed], [position])[0])


def sample_batch(
    logprobs: ArrayLike,
    ids: ArrayLike,
    temperatures: ArrayLike,
    request_seeds: Sequence[bytes],
    positions: ArrayLike,
) -> NDArray[np.intp]:
    """Index of the winner in each row; shapes as in `scores_batch`. Raises ShapeError for rows without
    candidates.
    """
    points = scores_batch(logprobs, ids, temperatures, request_seeds, positions)
    if points.shape[1] == 0:
        raise ShapeError("cannot sample from no candidates")
    best = points.max(axis=1, keepdims=True)
    rank = np.where(points == best, np.asarray(ids, dtype=np.int64), np.iinfo(np.int64).max)
    winners: NDArray[np.intp] = rank.argmin(axis=1)
    return winners


def well_formed(leaf: Leaf, spec: ServiceSpec) -> bool:
    """Whether the candidates are what the protocol wants: exactly `top_k`, distinct ids below the vocabulary,
    best first, ties by lower id.
    """
    pairs = leaf.candidates
    if len(pairs) != spec.top_k or len({pair.id for pair in pairs}) != len(pairs):
        return False
    if any(pair.id >= spec.vocab_size or not MIN_LOGPROB <= pair.logprob <= 0 for pair in pairs):
        return False
    order = [(-pair.logprob, pair.id) for pair in pairs]
    return order == sorted(order)


def self_consistent(leaf: Leaf, spec: ServiceSpec, request_seed: bytes, temperature: int) -> bool:
    """Whether the leaf is well formed and its token is the winner among its own candidates; false is proof,
    no statistics.
    """
    if not well_formed(leaf, spec):
        return False
    ids = [pair.id for pair in leaf.candidates]
    winner = sample([pair.logprob for pair in leaf.candidates], ids, temperature, request_seed, leaf.position)
    return ids[winner] == leaf.token


def margin(
    leaf: Leaf,
    reference: Leaf,
    spec: ServiceSpec,
    calibration: Calibration,
    request_seed: bytes,
    temperature: int,
) -> Margin:
    """Whether the worker's token could honestly have won among the reference's candidates.

    `reference` must be well formed. Near its cut, and below, only tokens that are far off count.
    """
    found = deficit(leaf, reference, spec, request_seed, temperature)
    if found is None:
        return Margin.NOT_COUNTED
    return Margin.MISS if found > tolerance(calibration.tau_sample, temperature) else Margin.HIT


def tolerance(tau_sample: int, temperature: int) -> int:
    """The largest deficit (Q16.16 nat) of an honest token at a temperature (1/256): `tau_sample` from a half on, three times
    as much at zero. The colder, the less differs from one request to another: where two tokens are close, the same prompt
    would have the same honest worker miss again and again.
    """
    return tau_sample + tau_sample * MORE_IF_COLD * max(0, WARM - temperature) // WARM


def deficit(
    leaf: Leaf, reference: Leaf, spec: ServiceSpec, request_seed: bytes, temperature: int
) -> int | None:
    """By how much, in Q16.16 nat, the reference would have preferred another token; 0 if it agrees.

    What the worker says of its own candidates is not asked. A token that the reference does not hold is at most as
    likely as the last one that it holds. At the last four ranks and below, a nat is forgiven: None if nothing is left.
    """
    ranks = looked_at(spec.top_k)
    ids = [pair.id for pair in reference.candidates]
    logprobs = [pair.logprob for pair in reference.candidates]
    rank = ids.index(leaf.token) if leaf.token in ids else len(ids)
    pairs = [*ids[:ranks], leaf.token], [*logprobs[:ranks], logprobs[min(rank, len(ids) - 1)]]
    points = scores(pairs[1], pairs[0], temperature, request_seed, reference.position)
    short = int(points[:-1].max()) - int(points[-1])
    nats = short * temperature // 256 if temperature else short
    if rank < ranks and rank < len(ids):
        return nats
    return nats - SLACK if nats > SLACK else None
