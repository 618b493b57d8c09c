"""Ways to choose a token that are not the sampler's. Each takes the request and the honest leaf, and gives the token to sell."""

from __future__ import annotations

import random
from collections.abc import Sequence

from llmnet.engine import GenerationRequest
from llmnet.engine.variants.tokens import Choose
from llmnet.proof import Candidate, Leaf, domain_hash, sample, scores

DECENT = -589
"""ln(1/10) in 1/256 nat: a draft's token that the model gives a tenth is good enough for who does not correct."""


def another_seed(request_seed: bytes, number: int = 1) -> bytes:
    """A seed that the session did not give."""
    return domain_hash("seed", request_seed + bytes([number]))


def other_seed(number: int) -> Choose:
    """The sampler's choice under another seed."""
    return lambda request, leaf: _drawn(leaf, request.temperature, another_seed(request.request_seed, number))


def other_temperature(change: int) -> Choose:
    """The sampler's choice at a temperature `change`/256 away."""
    return lambda request, leaf: _drawn(leaf, max(0, request.temperature + change), request.request_seed)


def greedy_sometimes(percent: int) -> Choose:
    """The likeliest token at so many positions of a hundred, at random."""

    def choose(request: GenerationRequest, leaf: Leaf) -> int:
        return leaf.candidates[0].id if _dice(request, leaf).random() * 100 < percent else leaf.token

    return choose


def second_best(request: GenerationRequest, leaf: Leaf) -> int:
    """The candidate that came second."""
    ids = [candidate.id for candidate in leaf.candidates]
    logprobs = [candidate.logprob for candidate in leaf.candidates]
    points = scores(logprobs, ids, request.temperature, request.request_seed, leaf.position)
    return ids[int(points.argsort()[-2])]


def stop_at(position: int, end: int) -> Choose:
    """The end-of-turn token, once so many tokens are sold."""
    return lambda _, leaf: end if leaf.position >= position else leaf.token


def never_stop(ends: frozenset[int]) -> Choose:
    """The best candidate that does not end the answer."""

    def choose(request: GenerationRequest, leaf: Leaf) -> int:
        if leaf.token not in ends:
            return leaf.token
        others = [candidate for candidate in leaf.candidates if candidate.id not in ends]
        return _best(others, request.temperature, request.request_seed, leaf.position)

    return choose


def recite(tokens: tuple[int, ...]) -> Choose:
    """Always the same text, over and over."""
    return lambda _, leaf: tokens[leaf.position % len(tokens)]


def decent(draft: Leaf, own: Leaf) -> bool:
    """Whether the model gives the draft's token a tenth or more."""
    return dict(own.candidates).get(draft.token, DECENT - 1) >= DECENT


def _drawn(leaf: Leaf, temperature: int, seed: bytes) -> int:
    return _best(leaf.candidates, temperature, seed, leaf.position)


def _best(candidates: Sequence[Candidate], temperature: int, seed: bytes, position: int) -> int:
    ids = [candidate.id for candidate in candidates]
    return int(ids[sample([candidate.logprob for candidate in candidates], ids, temperature, seed, position)])


def _dice(request: GenerationRequest, leaf: Leaf) -> random.Random:
    return random.Random(f"{request.request_seed.hex()}/{leaf.position}")
