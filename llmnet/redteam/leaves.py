"""Leaves made to fit a token that they would not have chosen.

A worker's candidates are compared with nothing but its own token, so whoever sells another token than the honest leaf's
writes the list so that it wins. What then speaks against it is the reference's list alone.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from llmnet.proof import Candidate, Leaf, gumbel_noise, looked_at, sample
from llmnet.proof.leaf import MIN_LOGPROB

_ONE = 1 << 16
_HALF_OF_LIST = -767  # ln(1/20) in 1/256 nat: what twenty equal candidates have
_POOL = 4_096


def nudge(leaf: Leaf, token: int, request_seed: bytes, temperature: int) -> Leaf:
    """`leaf` with the least change of log-probs that lets `token` win; it replaces the last candidate if it is none.

    Beyond a temperature of about ten, log-probs cannot outweigh any luck, and the token may lose all the same.
    """
    table = dict(leaf.candidates)
    known, logprobs = list(table), list(table.values())
    if token == known[sample(logprobs, known, temperature, request_seed, leaf.position)]:
        return dataclasses.replace(leaf, token=token)
    if token not in table:
        del table[leaf.candidates[-1].id]
        table[token] = leaf.candidates[-1].logprob
    ids = list(table)
    noise = _noise(ids, request_seed, leaf.position, temperature)
    order = [ids.index(token), *(place for place, found in enumerate(ids) if found != token)]
    points = _scores(list(table.values()), noise, temperature)
    rival = max(points[place] for place in order[1:])
    table[token] = max(table[token], _at_least(rival + 1, noise[order[0]], temperature))
    if table[token] > 0:
        table[token] = 0
        limit = _scores([0], [noise[order[0]]], temperature)[0] - 1
        for place in order[1:]:
            table[ids[place]] = min(table[ids[place]], _at_most(limit, noise[place], temperature))
    return _made(leaf, token, table)


def launder(leaf: Leaf, token: int, request_seed: bytes, temperature: int, vocab_size: int) -> Leaf:
    """`leaf` with a list in which `token` wins from a rank that is not looked at, all others being chosen for bad luck.

    Without noise no token can win from there: `nudge` then.
    """
    ranks, size = looked_at(len(leaf.candidates)), len(leaf.candidates)
    if temperature == 0 or ranks >= size:
        return nudge(leaf, token, request_seed, temperature)
    own = _noise([token], request_seed, leaf.position, temperature)[0]
    random = np.random.default_rng([leaf.position, token])
    pool = [int(found) for found in random.choice(vocab_size, min(_POOL, vocab_size), replace=False)]
    luck = dict(zip(pool, _noise(pool, request_seed, leaf.position, temperature), strict=True))
    luck.pop(token, None)
    unlucky = sorted(luck, key=luck.__getitem__)[: size - 1]
    step = _scores([_HALF_OF_LIST + 1], [0], temperature)[0] - _scores([_HALF_OF_LIST], [0], temperature)[0]
    if len(unlucky) < size - 1 or luck[unlucky[-1]] + step >= own:
        return nudge(leaf, token, request_seed, temperature)
    return _made(leaf, token, {token: _HALF_OF_LIST} | dict.fromkeys(unlucky, _HALF_OF_LIST + 1))


def _made(leaf: Leaf, token: int, table: dict[int, int]) -> Leaf:
    best_first = sorted(table.items(), key=lambda pair: (-pair[1], pair[0]))
    return dataclasses.replace(leaf, token=token, candidates=tuple(Candidate(*pair) for pair in best_first))


def _noise(ids: list[int], request_seed: bytes, position: int, temperature: int) -> list[int]:
    """In the unit of scores: none without temperature."""
    if temperature == 0:
        return [0] * len(ids)
    return [int(found) for found in gumbel_noise(request_seed, position, ids)]


def _scores(logprobs: list[int], noise: list[int], temperature: int) -> list[int]:
    if temperature == 0:
        return [logprob << 8 for logprob in logprobs]
    return [g - ((-logprob << 16) // temperature) for logprob, g in zip(logprobs, noise, strict=True)]


def _at_least(score: int, noise: int, temperature: int) -> int:
    """The least log-prob that gets `score` or more; above zero if none that is allowed does."""
    if temperature == 0:
        return -(-score >> 8)
    # score <= noise - floor(x * 2^16 / T) for the largest x = -logprob
    room = noise - score
    return 1 if room < 0 else -(((room + 1) * temperature - 1) // _ONE)


def _at_most(score: int, noise: int, temperature: int) -> int:
    """The greatest log-prob that gets `score` or less."""
    if temperature == 0:
        return max(MIN_LOGPROB, min(0, score >> 8))
    return max(MIN_LOGPROB, -max(0, noise - score) * temperature // _ONE)
