"""Printing: text or tables for people, JSON for machines, and one line for each error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

OK, FAILED, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130
_CONTROL = {code: None for code in (*range(32), 127, *range(128, 160)) if chr(code) not in "\n\t"}


def clean(text: str) -> str:
    """Text from outside without characters that steer a terminal."""
    return text.translate(_CONTROL)


def say(text: str = "", *, end: str = "\n") -> None:
    """A line for people on standard output."""
    sys.stdout.write(clean(text) + end)
    sys.stdout.flush()


def note(text: str) -> None:
    """Progress and side remarks: standard error, so that pipes carry answers only."""
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()


def emit(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()
) -> None:
    """A table; `right` names the columns of numbers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title, title_justify="left")
    numbers = set(right)
    for column in columns:
        grid.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(clean(cell)) for cell in row))
    console = Console(file=sys.stdout)
    if not console.is_terminal:  # a file or a pipe has no width to fit
        console = Console(file=sys.stdout, width=200)
    console.print(grid)


def fail(message: str, code: int, *, as_json: bool) -> int:
    """One line on standard error; returns `code`."""
    line = " ".join(clean(message).split())
    sys.stderr.write((json.dumps({"error": line, "status": code}) if as_json else f"llmnet: {line}") + "\n")
    return code


def status_of(error: BaseException) -> int | None:
    """The exit status for an error that is an answer to the user, None for a fault of ours."""
    from llmnet.chain import ChainError, RequestTimeout, SubscriptionLost, TransportError

    from .config import ConfigError

    if isinstance(error, ConfigError):
        return USAGE
    if isinstance(error, (RequestTimeout, SubscriptionLost, TransportError, ConnectionError)):
        return UNREACHABLE
    if isinstance(error, ChainError):
        return FAILED
    return _status_of_rooms(error)


def _status_of_rooms(error: BaseException) -> int | None:
    """Errors of packages that need not be imported for it: one that was not imported has raised nothing."""
    names = {kind.__name__: kind for kind in type(error).__mro__ if kind.__module__.startswith("llmnet.")}
    if "WorkerUnreachable" in names:
        return UNREACHABLE
    if names.keys() & {
        "GatewayError",
        "VerifierError",
        "EngineError",
        "ProofError",
        "MeasureError",
        "SimError",
        "RedTeamError",
    }:
        return FAILED
    return FAILED if isinstance(error, OSError) else None
