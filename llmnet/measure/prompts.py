"""Public prompts: enough different ones to calibrate a class, the same on every machine."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from llmnet.proof import Message, Role

_SUBJECTS = """
the sea|a bicycle|photosynthesis|the moon|bread|a prime number|gravity|owls|an algorithm|thunderstorms|coffee|chess|the heart|volcanoes|
a violin|glass|the number zero|sleep|salt|steam engines|penguins|maps|rainbows|soap|honey bees|a magnet|tides|paper|the alphabet|mirrors|
a compass|winter|a bridge|inflation|democracy|a battery|friendship|mushrooms|clocks|the desert|a recipe for soup|a database|recursion|
vaccines|the brain|elephants|ice|the printing press|a telescope|music|earthquakes|money|cotton|a hash function|trees in autumn|a library|
the speed of light|rice|a sailing ship|whales|fire|the colour blue|a garden|memory|an orchestra|pendulums|tea|fractions|a lighthouse|
silk|the calendar|a canal|foxes|an eclipse|sugar|a neural network|the wheel|lemons|a castle|fog|probability|a novel|wolves|concrete|
cats|the violet|a mountain pass|typing|stone walls|radio|apples|a harbour|shadows|wine|sand|a kite|the north star|potatoes|a password|
migration of birds|a good question|snow|a market|lightning|a tax|poetry|copper|the ear|a kitchen knife|rivers|plastic|a marathon|
carpets|dust
"""
_FORMS = (
    "What is special about {}?",
    "Explain {} to a child.",
    "Write one sentence about {}.",
    "Name three facts about {}.",
    "Why does {} matter?",
    "Tell me a short story in which {} plays a part.",
    "What do most people get wrong about {}?",
    "Compare {} with something similar.",
    "Give me a question for a quiz about {}, and its answer.",
    "How would you describe {} to somebody who has never heard of it?",
    "Write a haiku about {}.",
    "Translate into French: I have often thought about {}.",
    "List the words that come to mind when you think of {}.",
    "What would the world be like without {}?",
    'Continue this text: "When she first learned about {}, she',
    "Is it true that nobody understands {}? Answer yes or no and say why.",
    "Write a Python function whose name has to do with {}. Only code, please.",
    "What is 17 plus 25? Then say something about {}.",
    "Complete the table\n| thing | what it is |\n|---|---|\n| {} |",
    "I have to give a talk about {} tomorrow, ten minutes long, for people who would rather be somewhere else. "
    "How do I begin, what do I leave out, and what should they remember a week later?",
)
_SYSTEMS = (
    None,
    None,
    "Answer in one sentence.",
    "You are a patient teacher.",
    "You are a pirate. Never leave your role.",
    "Answer as JSON with the keys topic and text.",
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a requester sends. The id names it in all recordings."""

    id: str
    messages: tuple[Message, ...]


@cache
def _all() -> tuple[Prompt, ...]:
    subjects = _SUBJECTS.replace("\n", "").split("|")
    return tuple(
        Prompt(f"{form}/{place}", _messages(_FORMS[form].format(subject), form + place))
        for form in range(len(_FORMS))
        for place, subject in enumerate(subjects)
    )


def _messages(text: str, number: int) -> tuple[Message, ...]:
    system = _SYSTEMS[number % len(_SYSTEMS)]
    asked = Message.of(Role.USER, text)
    return (asked,) if system is None else (Message.of(Role.SYSTEM, system), asked)


def prompts(count: int, *, seed: int = 0) -> list[Prompt]:
    """The first `count` of all prompts in the order of `seed`; a longer list begins with a shorter one.

    Raises ValueError for more than there are.
    """
    everything = list(_all())
    if not 0 <= count <= len(everything):
        raise ValueError(f"there are {len(everything)} prompts, asked for {count}")
    random.Random(f"prompts/{seed}").shuffle(everything)
    return everything[:count]
