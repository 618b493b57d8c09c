"""What the demo shows at its end: a table, a JSON file and a picture."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.table import Table

NAT = 256  # evidence on chain is in 1/256 nat
SLASH_AT = 5120
UNIT = 10**12


@dataclass(frozen=True, slots=True)
class Point:
    """One decided audit: evidence of this answer, and the worker's two sums after it, in 1/256 nat."""

    block: int
    verdict: str
    reason: str
    position: int
    margin: int
    position_total: int
    margin_total: int


@dataclass(slots=True)
class WorkerResult:
    """What became of one worker. Amounts in plancks; `integrity` is the reputation score, 0 to 1."""

    name: str
    behaviour: str
    answers: int = 0
    earned: int = 0
    fined: int = 0
    slashed: int = 0
    integrity: float = 0.5
    points: list[Point] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """Audits that found nothing."""
        return sum(point.verdict == "Passed" for point in self.points)

    @property
    def failed(self) -> int:
        """Audits that failed."""
        return sum(point.verdict == "Failed" for point in self.points)

    @property
    def right(self) -> bool:
        """Whether the chain did this worker justice."""
        if self.behaviour == "honest":
            return self.earned > 0 and self.fined == 0 and self.slashed == 0 and self.failed == 0
        return self.slashed > 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole run."""

    workers: Sequence[WorkerResult]
    issuance_before: int
    issuance_after: int
    held_ok: bool
    seed: int
    seconds: float

    @property
    def issuance_ok(self) -> bool:
        """Nothing was minted or burnt, and what is on hold is what the pallets say is on hold."""
        return self.issuance_before == self.issuance_after and self.held_ok

    @property
    def ok(self) -> bool:
        """Whether every verdict was right and the money adds up."""
        return bool(self.workers) and self.issuance_ok and all(worker.right for worker in self.workers)

    def to_json(self) -> str:
        """The machine's version of the table."""
        workers = [
            {**asdict(worker), "passed": worker.passed, "failed": worker.failed, "right": worker.right}
            for worker in self.workers
        ]
        body = {
            "workers": workers,
            "issuance_ok": self.issuance_ok,
            "ok": self.ok,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
        }
        return json.dumps(body, indent=2) + "\n"


def tokens(plancks: int) -> str:
    """Plancks as whole tokens, six decimals."""
    return f"{plancks / UNIT:,.6f}"


def outcome_table(outcome: Outcome) -> Table:
    """One row a worker."""
    table = Table(title=f"Verdicts of the chain (seed {outcome.seed}); amounts in tokens, evidence in nat")
    table.add_column("worker")
    for column in ("audits passed", "failed", "evidence", "earned", "fined", "slashed", "integrity"):
        table.add_column(column, justify="right")
    table.add_column("right?")
    for worker in outcome.workers:
        last = worker.points[-1] if worker.points else None
        evidence = max(last.position_total, last.margin_total) / NAT if last else 0.0
        table.add_row(
            f"{worker.name} {worker.behaviour}",
            f"{worker.passed} of {worker.answers}",
            str(worker.failed),
            f"{evidence:.1f}",
            tokens(worker.earned),
            tokens(worker.fined),
            tokens(worker.slashed),
            f"{worker.integrity:.3f}",
            "[green]yes[/]" if worker.right else "[red]NO[/]",
        )
    return table


def evidence_table(workers: Iterable[WorkerResult]) -> Table:
    """How the evidence of single audits is distributed: one row a value, in nat."""
    table = Table(title="Evidence of one answer against its worker")
    for column in ("worker", "position, nat", "margin, nat", "answers"):
        table.add_column(column, justify="right")
    for worker in workers:
        counts = Counter((point.position, point.margin) for point in worker.points)
        for (position, margin), number in sorted(counts.items()):
            table.add_row(worker.name, f"{position / NAT:.2f}", f"{margin / NAT:.2f}", str(number))
    return table


def draw_evidence(workers: Sequence[WorkerResult], path: Path) -> None:
    """Write a picture (SVG or PNG by the file's ending): a panel a worker, evidence over blocks, the slash limit."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(
        1, len(workers), figsize=(3.0 * len(workers) + 1, 3.6), sharex=True, sharey=True, squeeze=False
    )
    for worker, axes in zip(workers, panels[0], strict=True):
        blocks = [point.block for point in worker.points]
        start = [0.0] if blocks else []  # every line starts at zero where the first audit was decided
        for name, totals in (
            ("positions", [point.position_total / NAT for point in worker.points]),
            ("margins", [point.margin_total / NAT for point in worker.points]),
        ):
            axes.step([*blocks[:1], *blocks], start + totals, where="post", marker=".", label=name)
        axes.axhline(SLASH_AT / NAT, color="crimson", linestyle="--", linewidth=1)
        axes.set_title(f"{worker.name}: {worker.behaviour}", fontsize=10)
        axes.set_xlabel("block")
    first = panels[0][0]
    first.set_ylabel("evidence, nat")
    first.set_ylim(bottom=-0.5)
    first.annotate(
        "slash", (0.02, SLASH_AT / NAT), xycoords=("axes fraction", "data"), va="bottom", color="crimson"
    )
    first.legend(frameon=False, loc="center")
    figure.suptitle("Evidence against each worker")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
