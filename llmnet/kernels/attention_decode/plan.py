"""How many splits a decode launches: decided once a batch on the host."""

from dataclasses import dataclass

from llmnet.kernels._config import KV_SPLIT


@dataclass(frozen=True)
class DecodePlan:
    """``num_splits``: splits launched per sequence and KV head; those past a sequence's end return at
    once."""

    num_splits: int


def splits_for(max_tokens: int, split: int = KV_SPLIT) -> int:
    """Splits that cover ``max_tokens``; at least one. The split *size* is fixed, so no bit depends on the
    number."""
    return max(1, -(-max_tokens // split))
