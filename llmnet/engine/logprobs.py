"""Log-probabilities of an answer as OpenAI's interface reports them, read off the leaves.

So what a reader is shown is what the worker is held to: in steps of 1/256 nat, and only for the candidates a leaf
keeps. A token that is not among them (never one that our sampler chose) gets None.
"""

from __future__ import annotations

from dataclasses import dataclass

from llmnet.engine.tokenizer import Tokenizer
from llmnet.proof import Leaf

_STEPS = 256


@dataclass(frozen=True)
class TokenLogprob:
    """One token of an answer. `octets` are the bytes it stands for, which need not be whole characters."""

    token: str
    octets: bytes
    logprob: float | None
    top: tuple[TokenLogprob, ...] = ()


def token_logprob(leaf: Leaf, tokenizer: Tokenizer, top: int = 0) -> TokenLogprob:
    """The leaf's token, with the `top` best candidates of its position. Raises `ValueError` if the leaf keeps
    fewer.
    """
    if not 0 <= top <= len(leaf.candidates):
        raise ValueError(f"a leaf keeps {len(leaf.candidates)} candidates, {top} were asked for")
    found = {candidate.id: candidate.logprob / _STEPS for candidate in leaf.candidates}
    best = [_entry(candidate.id, found[candidate.id], tokenizer) for candidate in leaf.candidates[:top]]
    return _entry(leaf.token, found.get(leaf.token), tokenizer, tuple(best))


def _entry(
    token: int, logprob: float | None, tokenizer: Tokenizer, top: tuple[TokenLogprob, ...] = ()
) -> TokenLogprob:
    octets = tokenizer.token_bytes(token)
    return TokenLogprob(octets.decode("utf-8", errors="replace"), octets, logprob, top)
