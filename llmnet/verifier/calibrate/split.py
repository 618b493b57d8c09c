"""Which answers thresholds are fitted on and which ones judge them: never the same prompt on both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llmnet.proof import domain_hash
from llmnet.verifier.calibrate.observed import Observation
from llmnet.verifier.errors import CalibrationError


@dataclass(frozen=True, slots=True)
class Halves:
    """Answers to fit on, answers to judge by, and in words how they were told apart."""

    how: str
    fitted: tuple[Observation, ...]
    held_out: tuple[Observation, ...]


def kind_of(answer: Observation) -> str:
    """What is asked in one way is of one kind: the form of its prompt."""
    return _prompt(answer.id).split("/", 1)[0]


def by_prompt(answers: Sequence[Observation]) -> Halves:
    """Halves by the prompt: an answer and its longer form are on one side."""
    return _halves("by prompt", answers, lambda answer: _coin(_prompt(answer.id)))


def by_form(answers: Sequence[Observation]) -> Halves:
    """Harder: what is asked in one way ("Write a haiku about …") is all on one side. Ids are `FORM/SUBJECT`."""
    return _halves("by form of the prompt", answers, lambda answer: _coin("form " + kind_of(answer)))


def by_length(answers: Sequence[Observation], most: int = 16, deepest: int = 128) -> Halves:
    """Hardest: fitted on short answers to short prompts, judged by all others."""
    return _halves(
        "fitted on short, judged on long",
        answers,
        lambda answer: len(answer) <= most and answer.prompt_tokens <= deepest,
    )


def _halves(how: str, answers: Sequence[Observation], fits: Callable[[Observation], bool]) -> Halves:
    fitted = tuple(answer for answer in answers if fits(answer))
    held_out = tuple(answer for answer in answers if not fits(answer))
    if not fitted or not held_out:
        raise CalibrationError(f"{len(answers)} answers cannot be split {how}: record more")
    return Halves(how, fitted, held_out)


def _prompt(answer_id: str) -> str:
    return answer_id.removeprefix("long/").split("@", 1)[0]  # @: the machine, when several were merged


def _coin(text: str) -> bool:
    return domain_hash("draw", f"calibration/{text}".encode())[0] & 1 == 0
