"""Attacks on the forward pass: something cheaper than the promised model computes the answer and its leaves."""

from __future__ import annotations

from llmnet.measure import Recording
from llmnet.redteam import saving
from llmnet.redteam.attack import Attack, Family, Grade, Source, by_class
from llmnet.redteam.bending import first

W3, W5, SLOW = Grade.WITHIN_3, Grade.WITHIN_5, Grade.SLASHED
UNPAID, MISSED = Grade.UNPROFITABLE, Grade.NOT_COVERED
INT8, FP8, INT4 = saving.bits(8), saving.bits(8), saving.bits(4.5)
_SMALL = saving.layers(15)
_LONG = 24


def _is_long(_: Source, recording: Recording) -> bool:
    return len(recording.leaves) >= _LONG


def _attack(
    name: str, does: str, transcript: str, saves: saving.Saving, expected: object, **more: object
) -> Attack:
    aim = 3 if expected is W3 else None
    return Attack(name, Family.FORWARD, does, transcript, saves, expected, aim=aim, **more)  # type: ignore[arg-type]


def _short(tokens: int, expected: Grade) -> Attack:
    return _attack(
        f"short_{tokens}",
        f"int8 weights where no more than {tokens} tokens are asked for, a tenth of the answers",
        "int8",
        INT8.times(0.1, "a tenth of the answers"),
        expected,
        share=0.1,
        bend=first(tokens),
        note="the sequential test needs six positions, so few tokens are only fined for the slash that they complete",
    )


def _part(percent: int, expected: Grade) -> Attack:
    share = percent / 100
    return _attack(
        f"int8_{percent}pc",
        f"int8 weights for {percent} % of the answers, at random",
        "int8",
        INT8.times(share, f"{percent} % of the answers"),
        expected,
        share=share,
    )


FORWARD = (
    _attack(
        "small_model",
        "every second layer only: a model of half the size (none of its family is at hand)",
        "small",
        _SMALL,
        W3,
    ),
    _attack("skip_1", "one layer in the middle is left out", "skip_1", saving.layers(1), W3),
    _attack("skip_3", "three layers in the middle are left out", "skip_3", saving.layers(3), W3),
    _attack("skip_8", "eight layers in the middle are left out", "skip_8", saving.layers(8), W3),
    _attack(
        "early_exit",
        "honest up to the third layer from the end, which is the last",
        "early_exit",
        saving.layers(3),
        W3,
    ),
    _attack("int8", "int8 weights, a scale per tensor", "int8", INT8, W3),
    _attack(
        "int4",
        "int4 weights, symmetric, a scale per 64 (the files' own are 4 bits, asymmetric per 32)",
        "int4",
        INT4,
        W3,
    ),
    _attack("fp8", "e4m3 weights, a scale per output channel", "fp8", FP8, W3),
    _attack(
        "w8a8",
        "int8 weights (a scale per channel) and int8 activations (a scale per token)",
        "w8a8",
        INT8,
        W3,
    ),
    _attack(
        "fp8_kv",
        "keys and values are kept as e4m3",
        "fp8_kv",
        saving.flat(
            0.15, "half of the cache's bytes, about a third of what is read at 16 sequences of 1,000 tokens"
        ),
        W3,
    ),
    _attack("truncated", "the first half of the prompt is not read", "truncated", saving.prompt(0.5), W3),
    _attack("no_system", "the system prompt is dropped", "no_system", saving.prompt(0.3), W3),
    _attack("one_edited", "one token of the prompt is another", "one_edited", saving.NOTHING, W3),
    _attack(
        "tuned_1pc",
        "a fine-tune: low-rank noise of 1 % of each projection's norm",
        "tuned_1pc",
        saving.NOTHING,
        by_class(fp32=W3, fp16=W3, residual=W3, bf16=W5),
    ),
    _attack(
        "tuned_10pc",
        "a fine-tune: low-rank noise of 10 % of each projection's norm",
        "tuned_10pc",
        saving.NOTHING,
        W3,
    ),
    _part(50, SLOW),
    _part(25, SLOW),
    _part(10, UNPAID),
    _part(2, UNPAID),
    _short(5, UNPAID),
    _short(2, UNPAID),
    _attack(
        "every_tenth",
        "every tenth token by int8 weights",
        "every_tenth",
        INT8.times(0.1, "a tenth of the tokens"),
        SLOW,
    ),
    _attack(
        "long_only",
        f"int8 weights for answers of {_LONG} tokens and more, the shorter ones are honest",
        "int8",
        INT8,
        W5,
        only=_is_long,
    ),
)
