"""OpenAI's `logprobs` and `top_logprobs`, written from the leaves that the worker is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmnet.engine import Tokenizer, TokenLogprob, token_logprob
from llmnet.proof import Leaf, ServiceSpec

from .body import ChatBody
from .errors import BadRequest

UNLIKELY = -9999.0
"""What OpenAI writes for a token that is too unlikely to have a number."""


@dataclass(frozen=True, slots=True)
class LogprobWriter:
    """Writes log-probabilities of tokens, each with the `top` best of its position."""

    tokenizer: Tokenizer
    top: int

    def write(self, leaves: Sequence[Leaf]) -> dict[str, Any]:
        """The `logprobs` of a choice."""
        content = []
        for leaf in leaves:
            # Fewer candidates than `top_k` are kept only where a vocabulary has no more.
            entry = token_logprob(leaf, self.tokenizer, min(self.top, len(leaf.candidates)))
            content.append(_entry(entry) | {"top_logprobs": [_entry(best) for best in entry.top]})
        return {"content": content, "refusal": None}


def logprob_writer(body: ChatBody, tokenizer: Tokenizer, spec: ServiceSpec) -> LogprobWriter | None:
    """What a body asks for; None if it does not. Raises BadRequest."""
    if not body.logprobs:
        if body.top_logprobs is not None:
            raise BadRequest("invalid_body", "top_logprobs: needs logprobs, which is not true")
        return None
    top = body.top_logprobs or 0
    if top > spec.top_k:
        raise BadRequest(
            "invalid_body", f"top_logprobs: {top} were asked for, this model keeps {spec.top_k} a token"
        )
    return LogprobWriter(tokenizer, top)


def _entry(item: TokenLogprob) -> dict[str, Any]:
    logprob = UNLIKELY if item.logprob is None else item.logprob
    return {"token": item.token, "logprob": logprob, "bytes": list(item.octets)}
