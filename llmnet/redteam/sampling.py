"""Attacks on sampling: the leaves are those of the promised model, the tokens are not what it would have drawn."""

from __future__ import annotations

from collections.abc import Mapping

from llmnet.measure import Recording
from llmnet.proof import NumericsClass
from llmnet.redteam import saving
from llmnet.redteam.attack import Attack, Chosen, Family, Grade, Source, by_class
from llmnet.redteam.bending import first_of, laundered, nudged
from llmnet.redteam.forward import FP8, INT4, INT8, MISSED
from llmnet.redteam.lengths import LONGER, MIDDLE, TOKENS

_SMALL = saving.layers(15)
_BESIDE = "the honest prefill"
_AIM = 5  # audits to the slash of cheap decode, on average
_OTHER_MODELS = {
    "int8": ("int8 weights", INT8),
    "fp8": ("e4m3 weights", FP8),
    "int4": ("int4 weights", INT4),
    "small": ("every second layer", _SMALL),
}
_CLOSE = (
    "e4m3 weights choose 19 of 20 tokens as the promised ones do, and honest bf16 with its 8 bits misses some as well: "
    f"there answers of {TOKENS} and {MIDDLE * TOKENS} tokens miss the bar of five audits; in long ones validators see more than is drawn"
)
_IN_LENGTH = (
    "seen in the tokens only: the text is right as far as it goes, and one token is not what the model drew"
)


_NEAR = by_class(fp32=Grade.WITHIN_5, fp16=Grade.WITHIN_5, residual=Grade.WITHIN_5, bf16=Grade.SLASHED)


def _fewest_misses(source: Source, recording: Recording) -> Recording:
    """Of three wrong seeds' answers, the one that looks best to who ran the honest model."""
    kinds = ("seed_1", "seed_2", "seed_3")
    tried = [next((r for r in source.recordings[kind] if r.id == recording.id), recording) for kind in kinds]
    return nudged(source, min(tried, key=_strange))


def _ended(honest: str) -> Chosen:
    """Whether the answer to this was shorter in an honest transcript."""

    def chosen(source: Source, recording: Recording) -> bool:
        twin = next(found for found in source.recordings[honest] if found.id == recording.id)
        return len(twin.leaves) < len(recording.leaves)

    return chosen


def _strange(recording: Recording) -> float:
    """How many tokens do not stand first in the honest list, a token."""
    odd = sum(
        token != leaf.candidates[0].id for leaf, token in zip(recording.leaves, recording.tokens, strict=True)
    )
    return odd / len(recording.leaves)


def _cheap(name: str) -> tuple[Attack, Attack]:
    what, cheap = _OTHER_MODELS[name]
    saves = cheap.less(saving.SCORING, _BESIDE)
    return (
        Attack(
            f"cheap_{name}_raw",
            Family.SAMPLING,
            f"decodes with {what}, then one honest prefill makes the leaves, lists as they come",
            f"cheap_{name}",
            saves,
            Grade.WITHIN_3,
            aim=_AIM,
        ),
        Attack(
            f"cheap_{name}",
            Family.SAMPLING,
            f"decodes with {what}, then one honest prefill makes the leaves, every list changed so that the token sold wins",
            f"cheap_{name}",
            saves,
            _NEAR if name == "fp8" else Grade.WITHIN_5,
            bend=nudged,
            note=_CLOSE if name == "fp8" else "",
            aim=_AIM,
        ),
    )


def _cheap_part(name: str, percent: int, expected: Grade) -> Attack:
    what, cheap = _OTHER_MODELS[name]
    share = percent / 100
    return Attack(
        f"cheap_{name}_{percent}pc",
        Family.SAMPLING,
        f"cheap decode by {what}, lists made to fit, for {percent} % of the answers",
        f"cheap_{name}",
        cheap.less(saving.SCORING, _BESIDE).times(share, f"{percent} % of the answers"),
        expected,
        bend=nudged,
        share=share,
    )


def _tokens(
    name: str,
    does: str,
    transcript: str,
    expected: Grade | Mapping[NumericsClass, Grade],
    saves: saving.Saving = saving.NOTHING,
    note: str = "",
) -> Attack:
    return Attack(name, Family.SAMPLING, does, transcript, saves, expected, bend=nudged, note=note)


SAMPLING = (
    *(attack for name in _OTHER_MODELS for attack in _cheap(name)),
    _cheap_part("int8", 50, Grade.SLASHED),
    _cheap_part("int8", 10, Grade.UNPROFITABLE),
    _cheap_part("fp8", 10, Grade.UNPROFITABLE),
    Attack(
        "cheap_fp8_middle",
        Family.SAMPLING,
        f"cheap decode by e4m3 weights, lists made to fit, answers of up to {MIDDLE * TOKENS} tokens",
        "cheap_fp8_long",
        FP8.less(saving.SCORING, _BESIDE),
        _NEAR,
        bend=first_of(MIDDLE * TOKENS, nudged),
        note=_CLOSE,
        aim=_AIM,
    ),
    Attack(
        "cheap_fp8_long",
        Family.SAMPLING,
        f"cheap decode by e4m3 weights, lists made to fit, answers of up to {LONGER * TOKENS} tokens",
        "cheap_fp8_long",
        FP8.less(saving.SCORING, _BESIDE),
        Grade.WITHIN_5,
        bend=nudged,
        aim=_AIM,
    ),
    Attack(
        "cheap_fp8_long_10pc",
        Family.SAMPLING,
        f"cheap decode by e4m3 weights, lists made to fit, for 10 % of the answers, of up to {LONGER * TOKENS} tokens",
        "cheap_fp8_long",
        FP8.less(saving.SCORING, _BESIDE).times(0.1, "10 % of the answers"),
        Grade.UNPROFITABLE,
        bend=nudged,
        share=0.1,
    ),
    Attack(
        "cheap_int8_greedy",
        Family.SAMPLING,
        "cheap decode by int8 at temperature 0, where the two models mostly agree",
        "cheap_int8_greedy",
        INT8.less(saving.SCORING, _BESIDE),
        Grade.WITHIN_5,
        bend=nudged,
        honest="baseline_greedy",
        aim=_AIM,
    ),
    Attack(
        "wrong_seed_raw",
        Family.SAMPLING,
        "samples with another seed, lists as they come",
        "seed_1",
        saving.NOTHING,
        Grade.WITHIN_3,
    ),
    _tokens("wrong_seed", "samples with another seed, lists made to fit", "seed_1", Grade.WITHIN_3),
    Attack(
        "seed_grinding",
        Family.SAMPLING,
        "of three wrong seeds sells the answer with the likeliest tokens, lists made to fit",
        "seed_1",
        saving.NOTHING,
        Grade.WITHIN_3,
        bend=_fewest_misses,
        needs=("seed_2", "seed_3"),
    ),
    _tokens(
        "hotter",
        "temperature 0.1 above what was asked",
        "hotter",
        by_class(fp32=Grade.SLASHED, fp16=Grade.SLASHED, residual=Grade.UNPROFITABLE, bf16=MISSED),
        note="what a tenth of a degree shifts is below the tolerance in bf16; it saves nothing",
    ),
    _tokens(
        "colder",
        "temperature 0.1 below what was asked",
        "colder",
        by_class(
            fp32=Grade.SLASHED, fp16=Grade.SLASHED, residual=Grade.UNPROFITABLE, bf16=Grade.UNPROFITABLE
        ),
    ),
    _tokens("greedy_10", "takes the likeliest token at a tenth of the positions", "greedy_10", Grade.SLASHED),
    _tokens("greedy_50", "takes the likeliest token at half of the positions", "greedy_50", Grade.WITHIN_5),
    _tokens("greedy_100", "always takes the likeliest token", "greedy_100", Grade.WITHIN_3),
    _tokens("second_best", "sells the token that came second in the draw", "second_best", Grade.WITHIN_3),
    _tokens(
        "early_stop",
        "ends every answer after 12 tokens",
        "early_stop",
        Grade.SLASHED,
        note=f"{_IN_LENGTH}; paid by the token, it earns nothing by it",
    ),
    Attack(
        "early_stop_laundered",
        Family.SAMPLING,
        "the same, with the end put on a rank that is not looked at",
        "early_stop",
        saving.NOTHING,
        Grade.SLASHED,
        bend=laundered,
        note=_IN_LENGTH,
    ),
    Attack(
        "padded",
        Family.SAMPLING,
        "goes on where the model would have ended",
        "padded",
        saving.flat(0.25, "half of what more tokens bring, for answers a half longer"),
        by_class(fp32=MISSED, fp16=MISSED, residual=Grade.UNPROFITABLE, bf16=MISSED),
        bend=nudged,
        only=_ended("baseline"),
        note=f"{_IN_LENGTH}; of the recorded answers three to five end by themselves, too few to promise anything; what goes on for "
        "longer (padded_long) is slashed",
    ),
    Attack(
        "padded_long",
        Family.SAMPLING,
        f"goes on where the model would have ended, to {LONGER * TOKENS} tokens",
        "padded_long",
        saving.flat(0.25, "half of what more tokens bring, for answers a half longer"),
        Grade.SLASHED,
        bend=nudged,
        only=_ended("baseline_long"),
        honest="baseline_long",
        note="past its end the model wants to end again and again, and each time it does not is a token that it did not draw",
    ),
    Attack(
        "cached",
        Family.SAMPLING,
        "sells the answer that an earlier session got to the same question, leaves and all",
        "cached",
        saving.everything("nothing is computed"),
        Grade.WITHIN_3,
    ),
    Attack(
        "cached_rescored",
        Family.SAMPLING,
        "the same with leaves made anew by one honest prefill, lists made to fit",
        "seed_1",
        saving.all_but_scoring("the tokens are there"),
        Grade.WITHIN_3,
        bend=nudged,
    ),
    Attack(
        "canned",
        Family.SAMPLING,
        "the same text for everybody, honest leaves by one prefill, lists made to fit",
        "canned",
        saving.all_but_scoring("nothing is decoded"),
        Grade.WITHIN_3,
        bend=nudged,
    ),
    Attack(
        "canned_laundered",
        Family.SAMPLING,
        "the same, with tokens that the model would not think of put on a rank that is not looked at",
        "canned",
        saving.all_but_scoring("nothing is decoded"),
        Grade.WITHIN_3,
        bend=laundered,
    ),
    _tokens(
        "speculated",
        "takes an int4 draft's token whenever the model gives it a tenth or more, and never corrects",
        "speculated",
        Grade.SLASHED,
        saving.flat(0.4, "half of the tokens from a draft that costs a seventh"),
    ),
)
