"""What an attack is, and how it may end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from llmnet.measure import Recording
from llmnet.proof import NumericsClass, ServiceSpec
from llmnet.redteam.saving import Saving


class Family(Enum):
    """What is dishonest about it."""

    CONTROL = "control"
    FORWARD = "forward"
    SAMPLING = "sampling"
    FORGERY = "forgery"


class Grade(Enum):
    """What became of it, from worst for the cheat to best."""

    WITHIN_3 = "slashed within 3"
    WITHIN_5 = "slashed within 5"
    SLASHED = "slashed"
    UNPROFITABLE = "unprofitable"
    NOT_COVERED = "not covered"
    UNACCUSED = "never accused"

    @property
    def rank(self) -> int:
        """0 for the hardest."""
        return list(Grade).index(self)


@dataclass(frozen=True)
class Source:
    """What an attack can draw on: recordings of its transcript first, then of what else it needs."""

    spec: ServiceSpec
    recordings: Mapping[str, Sequence[Recording]]


Bend = Callable[[Source, Recording], Recording]
"""What the cheat makes of a recorded answer before it commits to it."""
Chosen = Callable[[Source, Recording], bool]
"""Whether the cheat cheats on this answer; where it does not, it is honest."""


@dataclass(frozen=True)
class Attack:
    """One way to cheat. `share`: of the answers; `expected`: by class, or one for all; `aim`: after how many audits on average
    who does this is to be slashed, whether that is reached or not.

    Leaves are those of `transcript`, changed by `bend`. Answers that are not cheated on are honest ones of `honest`.
    """

    name: str
    family: Family
    does: str
    transcript: str
    saves: Saving
    expected: Grade | Mapping[NumericsClass, Grade]
    bend: Bend | None = None
    share: float = 1.0
    only: Chosen | None = None
    needs: tuple[str, ...] = ()
    honest: str = "baseline"
    must_fail: bool = False
    aim: int | None = None
    note: str = ""
    classes: tuple[NumericsClass, ...] = field(default=tuple(NumericsClass))

    def expects(self, numerics: NumericsClass) -> Grade:
        """In a class."""
        return self.expected if isinstance(self.expected, Grade) else self.expected[numerics]

    @property
    def transcripts(self) -> tuple[str, ...]:
        """All that must be recorded."""
        return tuple(dict.fromkeys((self.transcript, self.honest, *self.needs)))

    def answers(self, source: Source) -> list[Recording]:
        """The cheated answers, as they were committed to."""
        chosen = [
            recording
            for recording in source.recordings[self.transcript]
            if self.only is None or self.only(source, recording)
        ]
        return chosen if self.bend is None else [self.bend(source, recording) for recording in chosen]

    def cheated(self, source: Source) -> float:
        """The share of all answers that is cheated on."""
        recorded = len(source.recordings[self.transcript])
        return self.share * len(self.answers(source)) / recorded if recorded else 0.0


def by_class(*, fp32: Grade, fp16: Grade, residual: Grade, bf16: Grade) -> Mapping[NumericsClass, Grade]:
    """Grades that differ with the arithmetic."""
    return {
        NumericsClass.FP32: fp32,
        NumericsClass.FP16: fp16,
        NumericsClass.BF16_FP32_RESIDUAL: residual,
        NumericsClass.BF16: bf16,
    }
