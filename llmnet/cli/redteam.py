"""`llmnet redteam`: attack the network, and see what is caught."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import Context, command
from .config import ConfigError
from .models import Directory, files_of
from .output import FAILED, emit, note, say, table
from .values import NUMERICS

if TYPE_CHECKING:
    from llmnet.redteam.attack import Attack
    from llmnet.redteam.cells import Cell
    from llmnet.redteam.shop import Shop

_ROOT = Path(__file__).resolve().parents[2]
_DATA = Path("docs") / "verification-data"
_WIDE = 180  # where there is no terminal that says how wide it is
ALL, PROTOCOL = "all", "protocol"
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME…", help=f"Attacks; {ALL} numeric ones; {PROTOCOL}: those on the protocol."),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--numerics", metavar="CLASS", help=f"{', '.join(NUMERICS)}; several times for several. Default: all."
    ),
]
Recordings = Annotated[
    Path | None,
    typer.Option(
        "--recordings",
        metavar="DIR",
        envvar="LLMNET_RECORDINGS",
        help="What was recorded, one folder a class (default: recordings in the cache).",
    ),
]
Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="Honest answers and results.")]


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="Attack the network and see what is caught.", no_args_is_help=True)
    app.add_typer(group, name="redteam")
    _add_list(group)
    _add_run(group)
    _add_report(group)


def _add_list(group: typer.Typer) -> None:
    @command(group, "list", help="All attacks: what they do, what they save, what is expected.")
    async def listing(context: Context) -> None:
        from llmnet.redteam import protocol
        from llmnet.redteam.registry import ATTACKS

        numeric = [_described(attack) for attack in ATTACKS.values()]
        others = [
            {
                "attack": found.name,
                "family": f"protocol: {found.family}",
                "does": found.does,
                "expected": found.expected.value,
            }
            for found in protocol.attacks().values()
        ]
        if context.json:
            emit([*numeric, *others])
            return
        rows = [(one["attack"], one["family"], one["expected"], one["does"]) for one in (*numeric, *others)]
        table("Attacks", ("attack", "family", "expected", "what it does"), rows)


def _add_run(group: typer.Typer) -> None:
    @command(group, "run", help="Record what is missing, judge it, and say where it is not as expected.")
    async def run(
        context: Context,
        names: Names = None,
        numerics: Classes = None,
        recordings: Recordings = None,
        data: Data = _ROOT / _DATA,
        answers: Annotated[int, typer.Option(min=4, metavar="N", help="Prompts that are attacked.")] = 24,
        write: Annotated[bool, typer.Option("--write", help="Write cells and evidence to --data.")] = False,
        model: Directory = None,
    ) -> int | None:
        if names == [PROTOCOL]:
            from llmnet.redteam.protocol.__main__ import main as attack_protocol

            return attack_protocol(["--out", str(data / "protocol.json")] if write else [])
        wanted = _attacks(names)
        cells: list[Cell] = []
        for name in _classes(numerics):
            shop = _shop(name, recordings, answers, model)
            cells += _run(shop, wanted, data, write=write)
        if context.json:
            emit([cell.as_json() for cell in cells])
        else:
            show(cells)
        return None if all(cell.as_expected for cell in cells) else FAILED


def _add_report(group: typer.Typer) -> None:
    @command(group, "report", help="The published tables, from the data that are kept.")
    async def report(
        context: Context,
        write: Annotated[
            bool, typer.Option("--write", help="Make docs/verification.md and its pictures anew.")
        ] = False,
        root: Annotated[Path, typer.Option(metavar="DIR", help="The checkout.")] = _ROOT,
    ) -> int | None:
        from llmnet.redteam import report as page

        if write:
            changed = [str(path.relative_to(root)) for path in page.write(root)]
            if context.json:
                emit({"changed": changed})
            else:
                say("\n".join(changed) or "nothing changed")
            return None
        stale = [str(path.relative_to(root)) for path in page.differing(root)]
        if context.json:
            emit({"differing": stale})
        else:
            _print_tables(page.show(page.load(root / page.DATA)))
        if stale:
            note(
                f"not what the data give: {', '.join(stale)}; `llmnet redteam report --write` makes them anew"
            )
        return FAILED if stale else None


def _print_tables(tables: Sequence[Any]) -> None:
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=_WIDE)
    for found in tables:
        console.print(found)


def _attacks(names: Sequence[str] | None) -> list[Attack]:
    from llmnet.redteam.registry import chosen

    if not names:
        raise ConfigError(f"name the attacks, or `{ALL}`, or `{PROTOCOL}`; `llmnet redteam list` tells them")
    return chosen([] if names == [ALL] else names)


def _classes(names: Sequence[str] | None) -> list[str]:
    for name in names or ():
        if name not in NUMERICS:
            raise ConfigError(f"--numerics is one of {', '.join(NUMERICS)}, not {name!r}")
    return list(names or NUMERICS)


def _shop(name: str, recordings: Path | None, answers: int, model: Path | None) -> Shop:
    import torch

    from llmnet.engine import cache_dir
    from llmnet.proof import NumericsClass
    from llmnet.redteam.shop import Shop

    torch.set_num_threads(1)
    numerics = NumericsClass[name.upper()]
    folder = (recordings or cache_dir() / "recordings") / numerics.name
    return Shop(files_of(model), numerics, folder, answers=answers)


def _run(shop: Shop, wanted: Sequence[Attack], data: Path, *, write: bool) -> list[Cell]:
    """One class."""
    from llmnet.redteam import campaign, exporting

    observed = campaign.honest_answers(shop, data)
    judged_with = campaign.bench(shop, observed)
    campaign.record_all(shop, wanted, note)
    cells = campaign.judge_all(shop, wanted, judged_with, note)
    if write:
        path = campaign.results_file(data, shop.numerics)
        old = campaign.read(path) if path.exists() else None
        campaign.write(path, campaign.merged(old, campaign.summary(shop, judged_with, observed, cells)))
        exporting.write_evidence(
            exporting.evidence_file(data, shop), exporting.document(shop, judged_with, observed)
        )
    return cells


def show(cells: Sequence[Cell]) -> None:
    """A line a cell, and those that are not as expected once more."""
    rows = [_row(cell.as_json()) for cell in cells]
    heads = ("attack", "class", "seen", "failed", "audits to slash", "saves", "value R", "careful R")
    table("Attacks", heads, rows, right=heads[3:])
    for cell in cells:
        if not cell.as_expected:
            expected = cell.attack.expects(cell.numerics).value
            say(
                f"NOT AS EXPECTED: {cell.attack.name} in {cell.numerics.name}: {expected} expected, {cell.seen.value} seen"
            )


def _row(cell: dict[str, Any]) -> tuple[str, ...]:
    slash = cell["audits_to_slash"]["mean"]
    return (
        cell["attack"],
        cell["class"].lower(),
        cell["seen"],
        f"{cell['fail']['k']}/{cell['fail']['n']}",
        "-" if slash is None else f"{slash:.1f}",
        f"{cell['saves']:.0%}",
        f"{cell['value']:+.2f}",
        f"{cell['value_careful']:+.2f}",
    )


def _described(attack: Attack) -> dict[str, str]:
    expected = {attack.expects(numerics).value for numerics in attack.classes}
    return {
        "attack": attack.name,
        "family": attack.family.value,
        "does": attack.does,
        "saves": attack.saves.how,
        "expected": " / ".join(sorted(expected)),
    }
