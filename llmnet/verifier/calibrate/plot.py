"""The picture beside the tables: how far honest positions lie from the reference, one line a class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from llmnet.verifier.calibrate.report import Report

_COLOURS = ("#1b6ca8", "#c4561c", "#3d8b40", "#7a3b8f")


def draw(reports: Sequence[Report], path: Path) -> None:
    """Write an SVG or PNG: the share of positions at least so far from the reference, thresholds as dots. The same reports
    give the same bytes.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    settings = {"svg.hashsalt": "llmnet", "svg.fonttype": "none", "path.simplify": True}
    with matplotlib.rc_context(settings):
        figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True)
        for axis, lanes in zip(axes, ("logit", "hidden"), strict=True):
            for report, colour in zip(reports, _COLOURS, strict=False):
                _line(axis, report, lanes, colour)
            axis.set(xscale="log", yscale="log", xlabel=f"squared distance of the {lanes} lanes, plus 1")
        axes[0].set_ylabel("share of honest positions at least as far")
        axes[0].legend(frameon=False, fontsize=8)
        figure.tight_layout()
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata)
        pyplot.close(figure)


def _line(axis: object, report: Report, lanes: str, colour: str) -> None:
    values = np.sort(np.concatenate([getattr(answer, lanes) for answer in report.observed.answers]))
    steps = np.unique(values)  # one point a value, and at most a hundred
    steps = steps[np.unique(np.linspace(0, len(steps) - 1, 100).astype(int))]
    share = 1 - np.searchsorted(values, steps, side="left") / len(values)
    axis.plot(steps + 1, share, color=colour, label=report.observed.numerics.name.lower())  # type: ignore[attr-defined]
    for level in ("q95", "q99"):
        limit = getattr(report.row, f"{lanes}_{level}")
        above = max(float((values >= limit).mean()), 1 / len(values))
        axis.plot([limit + 1], [above], "o", color=colour, markersize=4)  # type: ignore[attr-defined]
