"""A model of a few hundred random numbers: real leaves, real sketches and real sampling at no cost.

Its logits are a function of its weights (a name) and of all tokens so far, so another model, another prompt or another token
gives another distribution, as with a real one, and two runs of the same are equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmnet import proof
from llmnet.proof import Leaf, NumericsClass, ServiceSpec

HONEST = b"promised"
CHEAP = b"another"
VOCABULARY = 256
_HIDDEN = 16

SPEC = ServiceSpec(
    name=b"toy",
    weights_root=proof.domain_hash("weights", HONEST),
    tokenizer_hash=proof.domain_hash("tokenizer", HONEST),
    template_hash=proof.domain_hash("template", HONEST),
    graph_hash=proof.domain_hash("graph", HONEST),
    sampler_version=1,
    top_k=8,
    numerics=NumericsClass.FP32,
    vocab_size=VOCABULARY,
    context_length=4_096,
    logit_shift=9,
    hidden_shift=9,
)


def _state(
    weights: bytes, prompt: bytes, tokens: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits `[V]` and hidden state `[D]` after the prompt and these tokens."""
    key = proof.blake2b_256(weights + b"|" + prompt + b"|" + np.asarray(tokens, dtype=np.uint32).tobytes())
    rng = np.random.default_rng(int.from_bytes(key, "little"))
    logits = (3 * rng.standard_normal(VOCABULARY)).astype(np.float32)
    return logits, rng.standard_normal(_HIDDEN).astype(np.float32)


def generate(weights: bytes, prompt: bytes, seed: bytes, temperature: int, length: int) -> tuple[Leaf, ...]:
    """The leaves of an answer of `length` tokens, sampled at `temperature` (1/256) under a request's seed."""
    leaves: list[Leaf] = []
    for position in range(length):
        logits, hidden = _state(weights, prompt, [leaf.token for leaf in leaves])
        (leaf,) = proof.build_leaves(
            logits[None], hidden[None], [position], [seed], SPEC, temperatures=[temperature]
        )
        leaves.append(leaf)
    return tuple(leaves)


def replay(weights: bytes, prompt: bytes, seed: bytes, tokens: Sequence[int]) -> tuple[Leaf, ...]:
    """What a model says about tokens that stand: a validator's reference, or a cheat's afterthought."""
    states = [_state(weights, prompt, tokens[:position]) for position in range(len(tokens))]
    logits, hidden = np.stack([state[0] for state in states]), np.stack([state[1] for state in states])
    seeds = [seed] * len(tokens)
    return tuple(proof.build_leaves(logits, hidden, range(len(tokens)), seeds, SPEC, tokens=list(tokens)))
