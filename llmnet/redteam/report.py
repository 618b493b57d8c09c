"""The published page: docs/verification.md and its pictures, made from docs/verification-data alone.

`load(folder)` reads the results, `write(root)` makes page and pictures anew, `differing(root)` says which of them are not
what the results give, `show(results)` prints the same tables in a terminal.
"""

from __future__ import annotations

from pathlib import Path

from rich.table import Table as RichTable

from llmnet.redteam import plots, report_tables
from llmnet.redteam.report_data import Results, load
from llmnet.redteam.report_page import evidence_picture, page

__all__ = ["COMPARISON_PICTURE", "DATA", "PAGE", "Results", "differing", "files", "load", "show", "write"]

PAGE = Path("docs/verification.md")
DATA = Path("docs/verification-data")
COMPARISON_PICTURE = "comparison.svg"


def files(root: Path) -> dict[Path, bytes]:
    """What the results below `root` give: the content of every file, by its path. Raises BadCells."""
    results = load(root / DATA)
    made = {root / PAGE: page(results).encode()}
    for found in results.classes:
        if any(cell.curve for cell in found.cells):
            made[root / DATA / evidence_picture(found)] = plots.evidence(found)
    if results.comparison is not None:
        made[root / DATA / COMPARISON_PICTURE] = plots.comparison(results.comparison)
    return made


def write(root: Path) -> list[Path]:
    """Write page and pictures; returns those that changed. Raises BadCells."""
    made = files(root)
    changed = _stale(made)
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made[path])
    return changed


def differing(root: Path) -> list[Path]:
    """Which files are not what the results give. Raises BadCells."""
    return _stale(files(root))


def _stale(made: dict[Path, bytes]) -> list[Path]:
    return [path for path, content in made.items() if not path.exists() or path.read_bytes() != content]


def show(results: Results) -> list[RichTable]:
    """The page's tables for a terminal."""
    return [table.terminal() for table in report_tables.every(results)]
