"""Who plays in the demo, and what is asked."""

from __future__ import annotations

import random
from dataclasses import dataclass

HONEST = "honest"
BEHAVIOURS = (HONEST, "int8", "skip_layer", "cheap_decode")
VALIDATORS = ("Validator1", "Validator2", "Validator3")
REQUESTER = "Requester1"
SUDO = "Alice"

QUESTIONS = (
    "What is the capital of France?",
    "Why is the sky blue?",
    "How do I boil an egg?",
    "Write one sentence about the sea.",
    "What is photosynthesis?",
    "Name three planets and one fact about each.",
    "Who wrote Romeo and Juliet?",
    "Explain gravity to a child.",
    "What is a prime number?",
    "How does a bicycle stay upright?",
    "Why do leaves fall in autumn?",
    "What makes bread rise?",
    "Give me a tip for learning a language.",
    "What is the largest ocean?",
    "How do magnets work?",
    "Tell me something about owls.",
    "What is a good breakfast?",
    "Why do we dream?",
    "What is an algorithm?",
    "Describe a thunderstorm.",
)


@dataclass(frozen=True, slots=True)
class Player:
    """A worker of the demo: a development account, and what it does with what it is asked."""

    name: str
    behaviour: str


def players(behaviours: tuple[str, ...] = BEHAVIOURS) -> list[Player]:
    """One worker for each behaviour."""
    return [Player(f"Worker{number}", behaviour) for number, behaviour in enumerate(behaviours, start=1)]


def questions(seed: int, count: int, worker: str) -> list[str]:
    """`count` questions for one worker, drawn with replacement once the list is used up."""
    draw = random.Random(f"{seed}/{worker}")
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += draw.sample(QUESTIONS, len(QUESTIONS))
    return drawn[:count]
