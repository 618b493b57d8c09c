"""The pictures of the published page. The same results give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from llmnet.proof.scoring import SLASH
from llmnet.redteam.report_data import Cell, ClassComparison, ClassResults, Comparison, in_order
from llmnet.redteam.report_tables import class_name

_NAT = 256
_COLUMNS = 6
_ABOVE = 28  # nat: what lies higher is cut, for slashed is slashed
_LOOK = {
    "svg.hashsalt": "llmnet",
    "svg.fonttype": "none",
    "font.size": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.5,
    "path.simplify": True,
}
_COLOURS = ("#111111", "#1b6ca8", "#7fb2d6", "#3d8b40", "#c4561c", "#d9b08c", "#a98fc0", "#7a3b8f")


def evidence(found: ClassResults) -> bytes:
    """A panel an attack: evidence against a worker after 1, 2, ... audited answers, and where it is slashed."""
    cells = [cell for cell in found.cells if cell.curve]
    rows = -(-len(cells) // _COLUMNS)
    with _figure(rows, min(_COLUMNS, len(cells)), (1.7, 1.25), sharex=True, sharey=True) as (
        figure,
        panels,
        drawn,
    ):
        for axes, cell in zip(panels, cells, strict=False):
            _curve(axes, cell)
        for axes in panels[len(cells) :]:
            axes.axis("off")
        figure.suptitle(
            f"Evidence against a worker, nat, over audited answers: median and 10-90 % ({class_name(found.numerics)})"
        )
        figure.tight_layout()
    return drawn()


def _curve(axes: Any, cell: Cell) -> None:
    audits = range(1, len(cell.curve) + 1)
    low, middle, high = ([min(point[part], _ABOVE) for point in cell.curve] for part in range(3))
    colour = "#1b6ca8" if cell.covered else "#c4561c"
    axes.fill_between(audits, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(audits, middle, color=colour, linewidth=1.2)
    axes.axhline(SLASH / _NAT, color="crimson", linewidth=0.6, linestyle="--")
    axes.set(ylim=(-1, _ABOVE), yticks=(0, 10, 20), xticks=(1, 6, 12))
    axes.set_title(cell.attack if cell.covered else f"{cell.attack} (not covered)", fontsize=7, pad=2)


def comparison(found: Comparison) -> bytes:
    """A panel a class: each method's detection of each attack at the first level, with its interval."""
    classes = in_order(found.classes)
    level, names = str(found.levels[0]), [method.name for method in found.fullest.methods]
    height = 0.28 * max(len(_attacks(one)) for _, one in classes) + 0.9
    with _figure(1, len(classes), (3.4, height), sharex=True, sharey=False) as (figure, panels, drawn):
        for axes, (numerics, one) in zip(panels, classes, strict=True):
            _dots(axes, one, level, names)
            axes.set_title(class_name(numerics), fontsize=8)
            axes.set_xlabel(f"share detected at {100 * float(level):g} % false alarms", fontsize=7)
        columns = min(4, 2 * len(classes))
        lines = -(-len(names) // columns)
        fullest = [one for _, one in classes].index(found.fullest)
        figure.legend(
            *panels[fullest].get_legend_handles_labels(),
            loc="lower center",
            ncols=columns,
            frameon=False,
            fontsize=7,
        )
        figure.tight_layout(rect=(0, 0.16 * lines / figure.get_figheight() + 0.02, 1, 1))
    return drawn()


def _dots(axes: Any, found: ClassComparison, level: str, names: Sequence[str]) -> None:
    attacks = _attacks(found)
    for number, name in enumerate(names):
        rows = [row for row in found.rows if row.method == name and row.detection.get(level)]
        shift = (number - (len(names) - 1) / 2) * 0.09
        places = [attacks.index(row.attack) + shift for row in rows]
        spans = [row.detection[level] or (0, 0, 0) for row in rows]
        errors = [[value - low for value, low, _ in spans], [high - value for value, _, high in spans]]
        bars = [[max(0.0, length) for length in side] for side in errors]
        axes.errorbar(
            [value for value, _, _ in spans],
            places,
            xerr=bars,
            fmt="o",
            markersize=2.4,
            linewidth=0.5,
            color=_COLOURS[number % len(_COLOURS)],
            label=name,
        )
    axes.set(
        xlim=(-0.03, 1.03), yticks=range(len(attacks)), yticklabels=attacks, ylim=(len(attacks) - 0.5, -0.5)
    )


def _attacks(found: ClassComparison) -> list[str]:
    return list(dict.fromkeys(row.attack for row in found.rows))


@contextmanager
def _figure(
    rows: int, columns: int, panel: tuple[float, float], *, sharex: bool, sharey: bool
) -> Iterator[tuple[Any, Sequence[Any], Callable[[], bytes]]]:
    """A figure, its panels in reading order, and a function that gives the SVG once all is drawn."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    buffer = BytesIO()
    with matplotlib.rc_context(_LOOK):
        size = (panel[0] * columns + 0.4, panel[1] * rows + 0.5)
        figure, axes = pyplot.subplots(
            rows, columns, figsize=size, sharex=sharex, sharey=sharey, squeeze=False
        )
        try:
            yield figure, list(axes.flat), buffer.getvalue
            figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        finally:
            pyplot.close(figure)
