"""What was seen of honest answers at every position, and the compact file that keeps it.

The file is JSON lines, compressed by xz: first a line that names the model, the class and how it was made, then one line an answer.
"""

from __future__ import annotations

import json
import lzma
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from llmnet.proof import NumericsClass
from llmnet.verifier.errors import CalibrationError

FORMAT = "llmnet observed answers 1"
MAX_BYTES = 1 << 28
_FILTERS = [
    {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 22}
]  # a small window: the first byte costs no 100 MB
MAX_DISTANCE = 1 << 36  # eight lanes of i16 are at most 2^35 apart


@dataclass(frozen=True, slots=True)
class Observation:
    """One answer. Lists have one entry a position: squared lane distances from the reference, and the deficit in sampling
    (Q16.16 nat; None where it is not looked at).

    `broken`: positions whose leaf contradicts itself or names another token than was delivered.
    """

    id: str
    temperature: int
    prompt_tokens: int
    logit: tuple[int, ...]
    hidden: tuple[int, ...]
    deficit: tuple[int | None, ...]
    broken: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        lists = self.logit, self.hidden, self.deficit
        if not self.logit or len({len(one) for one in lists}) != 1:
            raise CalibrationError(
                f"answer {self.id}: distances and deficits must be as many, and at least one"
            )
        numbers = [value for one in lists for value in one if value is not None]
        if not all(type(value) is int and 0 <= value < 1 << 63 for value in numbers):
            raise CalibrationError(f"answer {self.id}: a distance or deficit is not a whole number from 0")
        if max(*self.logit, *self.hidden) > MAX_DISTANCE:
            raise CalibrationError(f"answer {self.id}: no sketches are that far apart")
        if not all(type(place) is int and 0 <= place < len(self.logit) for place in self.broken):
            raise CalibrationError(f"answer {self.id}: a broken position is outside the answer")

    def __len__(self) -> int:
        return len(self.logit)

    def noisier(self, power: int) -> Observation:
        """The answer of a machine whose squared distances are so many times as large, and deficits the root of it."""
        return replace(
            self,
            logit=tuple(min(MAX_DISTANCE, power * value) for value in self.logit),
            hidden=tuple(min(MAX_DISTANCE, power * value) for value in self.hidden),
            deficit=tuple(
                None if short is None else round(math.sqrt(power) * short) for short in self.deficit
            ),
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """Honest answers of one spec. `made_by`: the command; `machine`: in words, what computed them."""

    spec_id: bytes
    model: str
    numerics: NumericsClass
    machine: str
    made_by: str
    answers: tuple[Observation, ...]

    @property
    def positions(self) -> int:
        """Over all answers."""
        return sum(len(answer) for answer in self.answers)


def merge(parts: Sequence[Observed]) -> Observed:
    """Answers of several machines as one. Raises CalibrationError unless all are of one spec and class."""
    first = parts[0]
    if len({(one.spec_id, one.numerics) for one in parts}) > 1:
        raise CalibrationError("these are answers of different models or classes: calibrate each on its own")
    if len(parts) == 1:
        return first
    answers = [
        replace(answer, id=f"{answer.id}@{number}")
        for number, one in enumerate(parts)
        for answer in one.answers
    ]
    return replace(
        first,
        machine=", ".join(dict.fromkeys(one.machine for one in parts)),
        made_by="; ".join(dict.fromkeys(one.made_by for one in parts)),
        answers=tuple(answers),
    )


def save(observed: Observed, path: Path) -> None:
    """Write the compact file: the same answers give the same bytes."""
    lines = [_line(_head(observed))] + [_line(_packed(answer)) for answer in observed.answers]
    path.write_bytes(lzma.compress("".join(lines).encode(), filters=_FILTERS))


def load(path: Path) -> Observed:
    """Raises CalibrationError for what is not such a file, OSError if it cannot be read."""
    unpacker = lzma.LZMADecompressor(memlimit=1 << 28)
    try:
        data = unpacker.decompress(path.read_bytes(), MAX_BYTES)
        if not unpacker.eof:
            raise CalibrationError(f"{path} is cut short, or holds more than {MAX_BYTES >> 20} MB")
        text = data.decode()
    except (lzma.LZMAError, UnicodeDecodeError) as error:
        raise CalibrationError(
            f"{path} holds no observed answers: {error}; `llmnet calibrate pack` makes one"
        ) from error
    return _observed(path, text.splitlines())


def _observed(path: Path, lines: list[str]) -> Observed:
    values = [_json(path, number, line) for number, line in enumerate(lines, start=1)]
    if not values or values[0].get("format") != FORMAT:
        raise CalibrationError(f"{path} does not begin as a file of observed answers")
    head = values[0]
    answers = tuple(_answer(path, number, value) for number, value in enumerate(values[1:], start=2))
    if len({answer.id for answer in answers}) != len(answers):
        raise CalibrationError(f"{path} holds an answer twice")
    try:
        spec_id, numerics = bytes.fromhex(head["spec"]), NumericsClass[head["numerics"]]
        return Observed(spec_id, head["model"], numerics, head["machine"], head["made_by"], answers)
    except (KeyError, TypeError, ValueError) as error:
        raise CalibrationError(f"{path}, line 1: {error!r} is missing or wrong") from error


def _json(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line, parse_constant=_no_such_number)
    except (ValueError, RecursionError) as error:
        raise CalibrationError(f"{path}, line {number} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise CalibrationError(f"{path}, line {number} is damaged: not an object")
    return value


def _no_such_number(name: str) -> float:
    raise ValueError(f"{name} is no distance")


def _answer(path: Path, number: int, value: Mapping[str, Any]) -> Observation:
    try:
        return Observation(
            str(value["id"]),
            int(value["temperature"]),
            int(value["prompt"]),
            tuple(value["logit"]),
            tuple(value["hidden"]),
            tuple(value["deficit"]),
            tuple(value.get("broken", ())),
        )
    except (KeyError, TypeError, ValueError, CalibrationError) as error:
        raise CalibrationError(f"{path}, line {number} is damaged: {error}") from error


def _head(observed: Observed) -> dict[str, object]:
    return {
        "format": FORMAT,
        "spec": observed.spec_id.hex(),
        "model": observed.model,
        "numerics": observed.numerics.name,
        "machine": observed.machine,
        "made_by": observed.made_by,
    }


def _packed(answer: Observation) -> dict[str, object]:
    value = asdict(answer)
    value["prompt"] = value.pop("prompt_tokens")
    if not answer.broken:
        del value["broken"]
    return value


def _line(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"
