"""Pieces of work to weigh, and how a piece that grows with something is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from bench.weights.measure import FINALIZE, Measured, measure_between, measure_call, run_once
from bench.weights.scene import Cast, Scene, Stage
from llmnet.chain import Call, Keypair

Sent = tuple[Scene, Call, Keypair]


@dataclass(frozen=True, slots=True)
class Lab:
    """Where cases are measured. `times`: how often each is timed."""

    stage: Stage
    cast: Cast
    times: int

    def call(self, sent: Sent) -> Measured:
        """A signed call, or with root's key a call of root."""
        scene, call, keys = sent
        return measure_call(scene, call, keys, self.times, root=keys is self.cast.root)

    def finalize(self, scene: Scene) -> Measured:
        """All that a block does at its end."""
        state = scene.begun()
        ran, _ = run_once(scene, state, FINALIZE, b"")
        spent = min(run_once(scene, state, FINALIZE, b"")[0].nanoseconds for _ in range(self.times))
        return Measured(spent, len(ran.read), len(ran.written), sum(map(len, state.prove(ran.read))))

    def idle(self, scene: Scene, without: Scene) -> Measured:
        """What a block does by itself at its end, beyond what it does in another scene."""
        return measure_between(scene.begun(), scene, without.begun(), FINALIZE, b"", self.times)


NOTHING = Measured(0.0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Fit:
    """A cost that grows with `component`, if it has one: what is there anyway, and what each one more costs."""

    base: Measured
    component: str | None = None
    each: Measured = NOTHING
    points: tuple[tuple[int, Measured], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One function of a pallet's weights. `measure` takes the component's value, 0 without one."""

    pallet: str
    name: str
    doc: str
    measure: Callable[[Lab, int], Measured]
    component: str | None = None
    values: Sequence[int] = (0,)
    call: Callable[[Lab, int], Sent] | None = None
    scenes: Sequence[Callable[[Lab, int], Scene]] = ()  # in which a block does the work by itself
    without: Callable[[Lab], Scene] | None = None  # the same scene without the work


def calls(
    pallet: str, name: str, doc: str, *variants: Callable[[Lab, int], Sent], **grows: Sequence[int]
) -> Piece:
    """A call; of several ways that it can go, the dearest of each kind counts."""
    component, values = next(iter(grows.items())) if grows else (None, (0,))

    def measure(lab: Lab, value: int) -> Measured:
        return dearest([lab.call(variant(lab, value)) for variant in variants])

    return Piece(pallet, name, doc, measure, component, values, variants[0])


def work(
    pallet: str,
    name: str,
    doc: str,
    without: Callable[[Lab], Scene],
    *scenes: Callable[[Lab, int], Scene],
    count: int = 1,
    **grows: Sequence[int],
) -> Piece:
    """What a block does at its end, `count` times in each scene; the dearest of each kind counts."""
    component, values = next(iter(grows.items())) if grows else (None, (0,))

    def measure(lab: Lab, value: int) -> Measured:
        return dearest([share(lab.idle(scene(lab, value), without(lab)), count) for scene in scenes])

    return Piece(pallet, name, doc, measure, component, values, None, scenes, without)


def dearest(found: Sequence[Measured]) -> Measured:
    """The most of each kind."""
    return Measured(
        max(one.nanoseconds for one in found),
        max(one.reads for one in found),
        max(one.writes for one in found),
        max(one.proof for one in found),
    )


def share(whole: Measured, count: int) -> Measured:
    """One of `count` equal parts, rounded up."""
    return Measured(
        whole.nanoseconds / count,
        ceil(whole.reads / count),
        ceil(whole.writes / count),
        ceil(whole.proof / count),
    )


def fit(points: Mapping[int, Measured], component: str | None) -> Fit:
    """A line through the first and the last point, raised until no point lies above it."""
    if component is None:
        return Fit(next(iter(points.values())))
    low, high = min(points), max(points)
    span = high - low
    each = Measured(
        max(0.0, (points[high].nanoseconds - points[low].nanoseconds) / span),
        *(
            max(0, ceil((getattr(points[high], kind) - getattr(points[low], kind)) / span))
            for kind in ("reads", "writes", "proof")
        ),
    )
    base = dearest(
        [
            Measured(
                max(0.0, point.nanoseconds - each.nanoseconds * value),
                max(0, point.reads - each.reads * value),
                max(0, point.writes - each.writes * value),
                max(0, point.proof - each.proof * value),
            )
            for value, point in points.items()
        ]
    )
    return Fit(base, component, each, tuple(points.items()))


def weigh(lab: Lab, piece: Piece) -> Fit:
    """Measures a piece at all values of its component."""
    return fit({value: piece.measure(lab, value) for value in piece.values}, piece.component)
