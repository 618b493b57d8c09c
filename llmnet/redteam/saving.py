"""What a cheat saves, as a share of the computing of an honest answer.

Decoding is bound by reading weights, so a cheaper model saves the bytes that it does not read. Of the default model's weights
0.79 are in the projections of its layers, which is what cheats make smaller. One prefilled token costs about a tenth of a
decoded one, and a prompt is taken to be a quarter as long as its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llmnet.proof import NumericsClass

LAYERS = 30
PROJECTIONS = 0.79
PREFILL = 0.1
PROMPT = 0.25
_DECODING = 1 / (1 + PREFILL * PROMPT)
_PROMPT_SHARE = 1 - _DECODING
SCORING = PREFILL * (1 + PROMPT) * _DECODING
"""One honest prefill over prompt and answer, as a share of an honest answer."""


@dataclass(frozen=True)
class Saving:
    """`of(class)` is the share, `how` says in words where it comes from."""

    of: Callable[[NumericsClass], float]
    how: str

    def less(self, share: float, why: str) -> Saving:
        """What is left when something has to be computed beside it."""
        return Saving(lambda numerics: self.of(numerics) - share, f"{self.how}; less {why}")

    def times(self, share: float, how: str) -> Saving:
        """For a part of the answers or tokens."""
        return Saving(lambda numerics: self.of(numerics) * share, f"{self.how}; {how}")


NOTHING = Saving(lambda _: 0.0, "nothing: the motive is another")


def bits(stored: float) -> Saving:
    """Weights of so many bits where the class has 32 or 16."""

    def of(numerics: NumericsClass) -> float:
        return PROJECTIONS * (1 - stored / (32 if numerics is NumericsClass.FP32 else 16))

    return Saving(
        of, f"weights of {stored:g} bits in the layers, which are {PROJECTIONS:.0%} of what decoding reads"
    )


def layers(missing: int) -> Saving:
    """So many layers of 30 less."""
    return Saving(lambda _: PROJECTIONS * missing / LAYERS, f"{missing} of {LAYERS} layers are not computed")


def prompt(share: float) -> Saving:
    """A part of the prompt is not read."""
    return Saving(
        lambda _: _PROMPT_SHARE * share,
        f"{share:.0%} of the prompt is not read, which is {_PROMPT_SHARE:.1%} of the work",
    )


def all_but_scoring(how: str) -> Saving:
    """Nothing is decoded, but the honest prefill is done."""
    return Saving(lambda _: 1 - SCORING, f"{how}; one honest prefill remains ({SCORING:.0%})")


def everything(how: str) -> Saving:
    """Nothing is computed."""
    return Saving(lambda _: 1.0, how)


def flat(share: float, how: str) -> Saving:
    """A stated share in every class."""
    return Saving(lambda _: share, how)
