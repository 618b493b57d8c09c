"""What the published page is made of: files of results, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from llmnet.redteam.errors import BadCells
from llmnet.sim import standard_error

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
T = TypeVar("T")
_ROUNDING = 1e-6
"""R, below which a mean is nothing but the rounding of a sum."""


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, extra="ignore")


class Rate(_Read):
    """`k` of `n`, with the limits of its interval."""

    k: Count
    n: Count
    low: Share
    high: Share

    @model_validator(mode="after")
    def _ordered(self) -> Rate:
        if self.k > self.n or self.low > self.high:
            raise ValueError("k must not be more than n, nor low more than high")
        return self


class ToSlash(_Read):
    """Audits until a worker is slashed, resampled; None where too many never are. `censored`: the share that never is."""

    mean: float | None
    p90: float | None
    censored: Share


class ToDecision(_Read):
    """Positions until the sequential test of one answer decides."""

    mean: float
    p90: float


class Cell(_Read):
    """One attack in one class."""

    attack: str
    family: str
    does: str
    expected: str
    seen: str
    as_expected: bool
    aim: int | None = None
    answers: Count
    positions: Count
    fail: Rate
    slash_within: Mapping[str, Share]
    audits_to_slash: ToSlash
    positions_to_decision: ToDecision | None
    curve: list[tuple[float, float, float]]
    honest_false: Rate
    bytes_on: float
    bytes_off: float
    saves: float
    value: float
    value_careful: float
    covered: bool
    note: str = ""

    @property
    def late(self) -> bool:
        """Whether it is slashed later than aimed at, or never."""
        mean = self.audits_to_slash.mean
        return self.aim is not None and (mean is None or mean > self.aim)


class HonestWorkers(_Read):
    """How often honest answers fail, and honest workers are slashed within 100 audits."""

    fail: Rate
    slash_100_audits: Rate


class ClassResults(_Read):
    """All attacks in one numerics class."""

    numerics: str = Field(alias="class")
    model: str
    command: str
    calibration: Mapping[str, int]
    calibrated_on: Mapping[str, int]
    honest: HonestWorkers
    cells: list[Cell]


class ProtocolOutcome(_Read):
    """One attack on the protocol, on the real runtime."""

    name: str
    family: str
    does: str
    expected: str
    effect: str
    by: str
    as_expected: bool
    covered: bool
    why: str
    tried: Count
    caught: Count
    answers: Count
    audits: Count
    on_chain: Count
    off_chain: Count
    value: float
    note: str = ""


class Protocol(_Read):
    """All of them, and how they were run."""

    command: str
    attacks: list[ProtocolOutcome]


class Method(_Read):
    """A way of checking."""

    name: str
    source: str
    bytes_a_position: float
    check_ms: float
    false_rate: Mapping[str, Share]
    published_false: Count | None = None


class MethodOnAttack(_Read):
    """How well a method tells an attack: [value, low, high]."""

    method: str
    attack: str
    answers: Count
    area: tuple[Share, Share, Share]
    detection: Mapping[str, tuple[Share, Share, Share] | None]
    published: Count | None = None


class ClassComparison(_Read):
    """All methods in one class."""

    fitted_on: Count
    held_out: Count
    timing: Mapping[str, float] = {}
    methods: list[Method]
    rows: list[MethodOnAttack]


class Comparison(_Read):
    """The methods beside one another."""

    window: Count
    levels: list[float]
    classes: Mapping[str, ClassComparison]

    @property
    def fullest(self) -> ClassComparison:
        """The class in which the most methods were looked at, and timed: what they cost is told from it."""
        return max(self.classes.values(), key=lambda found: (len(found.methods), bool(found.timing)))


class Simulated(_Read):
    """A deviation that was played on the real runtime. `value`: R an answer more than honesty, mean of `runs` runs that
    have the standard deviation `spread`."""

    name: str
    role: str
    value: float
    spread: float
    runs: Count
    lost: float
    honest_punished: Count

    @property
    def error(self) -> float:
        """Standard error of `value`."""
        return standard_error(self.spread, self.runs)

    @property
    def pays(self) -> bool:
        """Whether it brings more than the rounding of a sum does."""
        return self.value > _ROUNDING


class Simulation(_Read):
    """What deviations earn: `answers` a worker, at least once for each of `seeds`, replaying the file `evidence`."""

    evidence: str
    answers: Count
    seeds: Count
    results: list[Simulated]


@dataclass(frozen=True)
class Results:
    """Everything that was found; what is not there yet is None or empty, and named in `missing`."""

    classes: tuple[ClassResults, ...] = ()
    protocol: Protocol | None = None
    comparison: Comparison | None = None
    simulation: Simulation | None = None
    missing: tuple[str, ...] = field(default=())

    @property
    def outcomes(self) -> list[ProtocolOutcome]:
        """Of the attacks on the protocol."""
        return [] if self.protocol is None else self.protocol.attacks


_ORDER = ("FP32", "FP16", "BF16_FP32_RESIDUAL", "BF16")


def load(folder: Path) -> Results:
    """Read `redteam-*.json`, `protocol.json`, `comparison.json` and `simulation.json`. Raises BadCells, naming file and field."""
    classes = [_read(path, ClassResults) for path in sorted(folder.glob("redteam-*.json"))]
    protocol = _optional(folder / "protocol.json", Protocol)
    comparison = _optional(folder / "comparison.json", Comparison)
    simulation = _optional(folder / "simulation.json", Simulation)
    there = {
        "redteam-CLASS.json": classes,
        "protocol.json": protocol,
        "comparison.json": comparison,
        "simulation.json": simulation,
    }
    return Results(
        classes=tuple(sorted(classes, key=lambda found: _place(found.numerics))),
        protocol=protocol,
        comparison=comparison,
        simulation=simulation,
        missing=tuple(name for name, value in there.items() if not value),
    )


def _place(numerics: str) -> tuple[int, str]:
    """The classes in their own order, unknown ones behind."""
    return (_ORDER.index(numerics) if numerics in _ORDER else len(_ORDER), numerics)


def in_order(classes: Mapping[str, T]) -> list[tuple[str, T]]:
    """By class, in the classes' order."""
    return sorted(classes.items(), key=lambda item: _place(item[0]))


def _optional(path: Path, shape: type[T]) -> T | None:
    return _read(path, shape) if path.exists() else None


def _read(path: Path, shape: type[T]) -> T:
    try:
        return TypeAdapter(shape).validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise BadCells(f"{path}: {_first(error)}; make it again, or take it from the repository") from error


def _first(error: ValidationError | OSError) -> str:
    if isinstance(error, OSError):
        return str(error)
    found = error.errors()[0]
    place = ".".join(str(part) for part in found["loc"])
    return f"{place or 'the file'}: {found['msg']}"
