"""Forged fingerprints: the answer is int8's, and the sketches are whatever might pass for the promised model's."""

from __future__ import annotations

from llmnet.redteam import bending, saving
from llmnet.redteam.attack import Attack, Bend, Family, Grade
from llmnet.redteam.forward import INT8
from llmnet.redteam.lengths import LONGER, TOKENS

_ALL = saving.everything("nothing is computed")


def _control(
    name: str, does: str, bend: Bend, *, transcript: str = "int8", saves: saving.Saving = INT8
) -> Attack:
    return Attack(name, Family.FORGERY, does, transcript, saves, Grade.WITHIN_3, bend=bend, must_fail=True)


CONTROLS = (
    Attack("honest", Family.CONTROL, "sells what was promised", "baseline", saving.NOTHING, Grade.UNACCUSED),
    Attack(
        "honest_greedy",
        Family.CONTROL,
        "sells what was promised at temperature 0",
        "baseline_greedy",
        saving.NOTHING,
        Grade.UNACCUSED,
        honest="baseline_greedy",
    ),
    Attack(
        "honest_long",
        Family.CONTROL,
        f"sells what was promised, answers of up to {LONGER * TOKENS} tokens",
        "baseline_long",
        saving.NOTHING,
        Grade.UNACCUSED,
    ),
)
FORGERY = (
    _control("zero", "all lanes zero", bending.constant(0)),
    _control("constant", "all lanes 100", bending.constant(100)),
    _control("random", "normal numbers of the lanes' own size", bending.sketches(bending.noise)),
    _control("saturated", "all lanes at an end of their range", bending.sketches(bending.saturated)),
    _control("other_position", "true sketches of this answer, each one position late", bending.shifted),
    _control("foreign_sketches", "true sketches of another request", bending.foreign_sketches("baseline")),
    _control(
        "foreign_leaves",
        "whole leaves of another request",
        bending.foreign("baseline"),
        transcript="baseline",
        saves=_ALL,
    ),
    _control(
        "shuffled",
        "honest leaves in another order",
        bending.shuffled,
        transcript="baseline",
        saves=saving.NOTHING,
    ),
    Attack(
        "by_regression",
        Family.FORGERY,
        "int8's final state moved by a ridge regression learned from honest runs, lists made to fit",
        "by_regression",
        INT8,
        Grade.WITHIN_3,
        bend=bending.nudged,
    ),
    Attack(
        "by_descent",
        Family.FORGERY,
        "int8's and fp8's final states mixed, the weights found along the distance's gradient, lists made to fit",
        "by_descent",
        INT8,
        Grade.WITHIN_3,
        bend=bending.nudged,
    ),
)
