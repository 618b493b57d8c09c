"""From the floats of a forward pass to leaves: quantise, order, sample, in that order and batched.

Two doors: `build_leaves` takes whole logits and hidden states in numpy (verifier, small engines);
`assemble_leaves` takes the few numbers per row that an engine has computed on its own device (candidates,
log-probs, lanes).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ShapeError
from .leaf import LANES, MIN_LOGPROB, Candidate, Leaf
from .sampler import sample_batch
from .service import ServiceSpec
from .signs import sign_matrix
from .sketch import finite, quantise_lanes, sketch_hidden, sketch_logits

LOGPROB_STEPS = 256


def quantise_logprobs(logprobs: ArrayLike) -> NDArray[np.int16]:
    """Log-probs in nat to 1/256 nat: round half to even, clamp to -32767..=0; any shape. Raises
    NonFiniteError.
    """
    x = finite(np.asarray(logprobs, dtype=np.float64), "log-probs")
    steps: NDArray[np.float64] = np.clip(np.rint(x * LOGPROB_STEPS), MIN_LOGPROB, 0)
    return steps.astype(np.int16)


def log_normaliser(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """`ln sum exp z` of each row of `[B, V]` -> `[B]`."""
    peak = logits.max(axis=1)
    with np.errstate(over="ignore"):  # a difference beyond float32 is -inf, and its exponential the right 0
        total = np.exp(logits - peak[:, None]).sum(axis=1, dtype=np.float64)
    normaliser: NDArray[np.float64] = peak.astype(np.float64) + np.log(total)
    return normaliser


def top_candidates(logits: ArrayLike, top_k: int) -> tuple[NDArray[np.uint32], NDArray[np.int16]]:
    """The `top_k` best of each row by (quantised log-prob descending, id ascending): logits `[B, V]` -> ids,
    logprobs `[B, k]`.

    The set itself is chosen by quantised values, so it is well defined where floats tie or nearly tie.
    Raises ShapeError for fewer than `top_k` logits and NonFiniteError.
    """
    z = finite(np.asarray(logits, dtype=np.float32), "logits")
    if z.ndim != 2 or z.shape[1] < top_k:
        raise ShapeError(f"logits must be [B, V] with V >= {top_k}, got {z.shape}")
    normaliser = log_normaliser(z)
    kth = np.partition(z, z.shape[1] - top_k, axis=1)[:, -top_k]
    ids = np.empty((len(z), top_k), dtype=np.uint32)
    values = np.empty((len(z), top_k), dtype=np.int16)
    for row in range(len(z)):
        # Whatever rounds to the k-th best value or higher lies above one step below it; a clamped k-th ties
        # with everything lower.
        floor = float(kth[row]) - 1.5 / LOGPROB_STEPS
        clamped = float(kth[row]) - normaliser[row] <= (MIN_LOGPROB + 1) / LOGPROB_STEPS
        near = np.arange(z.shape[1]) if clamped else np.flatnonzero(z[row] >= floor)
        quantised = quantise_logprobs(z[row, near].astype(np.float64) - normaliser[row])
        best = _best_first(near, quantised)[:top_k]
        ids[row], values[row] = near[best], quantised[best]
    return ids, values


def _best_first(ids: NDArray[np.intp] | NDArray[np.uint32], logprobs: NDArray[np.int16]) -> NDArray[np.intp]:
    """Order along the last axis by (log-prob descending, id ascending)."""
    order: NDArray[np.intp] = np.lexsort((ids, -logprobs.astype(np.int32)), axis=-1)
    return order


def build_leaves(
    logits: ArrayLike,
    hidden: ArrayLike,
    positions: Sequence[int],
    request_seeds: Sequence[bytes],
    spec: ServiceSpec,
    *,
    temperatures: Sequence[int] | None = None,
    tokens: Sequence[int] | None = None,
) -> list[Leaf]:
    """Leaves of a batch of steps: logits `[B, V]`, final normed hidden states `[B, D]`, the rest `[B]`.

    Give `temperatures` (1/256) to sample each token, or `tokens` that stand already (a validator's reference
    leaves); rows may belong to different requests. Raises NonFiniteError and ShapeError.
    """
    z, h = np.asarray(logits, dtype=np.float32), np.asarray(hidden, dtype=np.float32)
    if (
        z.ndim != 2
        or h.ndim != 2
        or z.shape[1] != spec.vocab_size
        or not len(z) == len(h) == len(request_seeds)
    ):
        raise ShapeError(
            f"logits {z.shape} must be [B, {spec.vocab_size}] and hidden {h.shape} [B, D], one row a seed"
        )
    ids, logprobs = top_candidates(z, spec.top_k)
    logit_lanes = np.empty((len(z), LANES))
    hidden_lanes = np.empty((len(z), LANES))
    for row, seed in enumerate(request_seeds):
        logit_lanes[row] = sketch_logits(z[row], sign_matrix(bytes(seed), "LOGI", z.shape[1]))
        hidden_lanes[row] = sketch_hidden(h[row], sign_matrix(bytes(seed), "HIDN", h.shape[1]))
    sketches = quantise_lanes(logit_lanes, spec.logit_shift), quantise_lanes(hidden_lanes, spec.hidden_shift)
    return _leaves(positions, ids, logprobs, *sketches, request_seeds, temperatures, tokens)


def assemble_leaves(
    positions: Sequence[int],
    ids: ArrayLike,
    logprobs: ArrayLike,
    logit_lanes: ArrayLike,
    hidden_lanes: ArrayLike,
    spec: ServiceSpec,
    request_seeds: Sequence[bytes],
    *,
    temperatures: Sequence[int] | None = None,
    tokens: Sequence[int] | None = None,
) -> list[Leaf]:
    """Leaves from what an engine keeps per row: candidate ids and log-probs (nat) `[B, m]`, m >= top_k, lanes
    (unscaled) `[B, 8]`.

    Pass a few candidates more than `top_k` (16 are plenty): those that round to the same log-prob as the last
    rank compete for it by id. `temperatures` or `tokens` as in `build_leaves`. Raises NonFiniteError and
    ShapeError.
    """
    candidates, floats = np.asarray(ids, dtype=np.uint32), np.asarray(logprobs, dtype=np.float64)
    lanes = np.asarray(logit_lanes, dtype=np.float64), np.asarray(hidden_lanes, dtype=np.float64)
    rows = len(request_seeds)
    if (
        candidates.ndim != 2
        or candidates.shape != floats.shape
        or candidates.shape[0] != rows
        or candidates.shape[1] < spec.top_k
    ):
        raise ShapeError(
            f"ids {candidates.shape} and log-probs {floats.shape} must be [{rows}, m] with m >= {spec.top_k}"
        )
    if any(lane.shape != (rows, LANES) for lane in lanes):
        raise ShapeError(f"lanes must be [{rows}, {LANES}], got {lanes[0].shape} and {lanes[1].shape}")
    quantised = quantise_logprobs(floats)
    order = _best_first(candidates, quantised)[:, : spec.top_k]
    best = np.take_along_axis(candidates, order, axis=1), np.take_along_axis(quantised, order, axis=1)
    sketches = quantise_lanes(lanes[0], spec.logit_shift), quantise_lanes(lanes[1], spec.hidden_shift)
    return _leaves(positions, *best, *sketches, request_seeds, temperatures, tokens)


def assemble_leaf(
    position: int,
    ids: ArrayLike,
    logprobs: ArrayLike,
    logit_lanes: ArrayLike,
    hidden_lanes: ArrayLike,
    spec: ServiceSpec,
    request_seed: bytes,
    *,
    temperature: int | None = None,
    token: int | None = None,
) -> Leaf:
    """`assemble_leaves` for one row: ids and log-probs `[m]`, lanes `[8]`; give `temperature` to sample or
    the `token` that stands.
    """
    parts = [np.asarray(part)[None] for part in (ids, logprobs, logit_lanes, hidden_lanes)]
    rows = assemble_leaves(
        [position],
        parts[0],
        parts[1],
        parts[2],
        parts[3],
        spec,
        [request_seed],
        temperatures=None if temperature is None else [temperature],
        tokens=None if token is None else [token],
    )
    return rows[0]


def _leaves(
    positions: Sequence[int],
    ids: NDArray[np.uint32],
    logprobs: NDArray[np.int16],
    logit_sketch: NDArray[np.int16],
    hidden_sketch: NDArray[np.int16],
    request_seeds: Sequence[bytes],
    temperatures: Sequence[int] | None,
    tokens: Sequence[int] | None,
) -> list[Leaf]:
    if (temperatures is None) == (tokens is None):
        raise ShapeError("give either temperatures (to sample) or tokens (that stand already)")
    if tokens is None:
        winners = sample_batch(logprobs, ids, temperatures or [], request_seeds, positions)
        tokens = np.take_along_axis(ids, winners[:, None], axis=1)[:, 0].tolist()
    if not len(ids) == len(positions) == len(tokens):
        raise ShapeError(f"{len(ids)} rows, {len(positions)} positions and {len(tokens)} tokens do not fit")
    rows = zip(
        positions,
        tokens,
        ids.tolist(),
        logprobs.tolist(),
        logit_sketch.tolist(),
        hidden_sketch.tolist(),
        strict=True,
    )
    return [
        Leaf(position, token, tuple(map(Candidate, row_ids, row_logprobs)), tuple(logit), tuple(state))
        for position, token, row_ids, row_logprobs, logit, state in rows
    ]
