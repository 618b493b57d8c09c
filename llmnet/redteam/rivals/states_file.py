"""Hidden states of recorded answers, kept so that they are computed once: one line of JSON an answer, bfloat16."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from llmnet.redteam.rivals.errors import RivalError


@dataclass(frozen=True, slots=True)
class States:
    """Both sides' states of an answer [n, D], as floats that bfloat16 can hold."""

    id: str
    worker: NDArray[np.float32]
    own: NDArray[np.float32]


class StatesFile:
    """States in the order in which they were computed. A torn last line is ignored, and cut off before the next is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cut = False

    def __iter__(self) -> Iterator[States]:
        """Raises RivalError, naming the line, for a damaged one."""
        for number, line in enumerate(self._lines(), start=1):
            try:
                value = json.loads(line)
                yield States(str(value["id"]), _unpacked(value["worker"]), _unpacked(value["own"]))
            except (ValueError, KeyError, TypeError) as error:
                raise RivalError(
                    f"{self.path}, line {number}: no states: {error!r}; delete the file"
                ) from error

    def append(self, states: States) -> None:
        """Written when this returns."""
        value = {"id": states.id, "worker": _packed(states.worker), "own": _packed(states.own)}
        self._cut_torn_line()
        with self.path.open("ab") as file:
            file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    def _cut_torn_line(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and not self._cut:
            os.truncate(self.path, sum(len(line) for line in self._lines()))
        self._cut = True

    def _lines(self) -> Iterator[bytes]:
        if self.path.exists():
            with self.path.open("rb") as file:
                yield from (line for line in file if line.endswith(b"\n"))


def bfloat16(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rounded to what bfloat16 can hold."""
    rounded: NDArray[np.float32] = _bits(states).float().numpy()
    return rounded


def _bits(states: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(states)).to(torch.bfloat16)


def _packed(states: NDArray[np.float32]) -> list[object]:
    return [states.shape[1], b64encode(_bits(states).view(torch.int16).numpy().tobytes()).decode()]


def _unpacked(value: list[object]) -> NDArray[np.float32]:
    width, text = value
    bits = np.frombuffer(b64decode(str(text), validate=True), dtype=np.int16).reshape(-1, int(str(width)))
    states: NDArray[np.float32] = torch.from_numpy(bits.copy()).view(torch.bfloat16).float().numpy()
    return states
