"""`llmnet sim`: what cheating is worth on the real runtime."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .command import Context, command
from .config import ConfigError
from .node_chain import find_wasm
from .output import emit, note, say, table
from .values import parse_amount

if TYPE_CHECKING:
    from llmnet.sim import Recorded, Result

Evidence = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Recorded evidence (default: that of this checkout, class fp32)."),
]
_CHECKOUT = Path(__file__).resolve().parents[2] / "docs" / "verification-data" / "evidence-fp32.json"


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(
        help="Honest and dishonest populations on the real runtime, in this process.", no_args_is_help=True
    )
    app.add_typer(group, name="sim")

    @command(group, "list", help="The deviations that can be played.")
    async def listing(context: Context, evidence: Evidence = None) -> None:
        from llmnet.sim import scenarios

        rows = [(each.name, each.role, ", ".join(each.members)) for each in scenarios(_recorded(evidence))]
        if context.json:
            emit([{"name": name, "role": role, "members": members} for name, role, members in rows])
        else:
            table("Deviations", ("name", "counted", "who"), rows)

    @command(
        group,
        "run",
        help="Play deviations beside their honest twins; all without a NAME. R is the price of an answer.",
    )
    async def run(
        context: Context,
        names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…")] = None,
        evidence: Evidence = None,
        answers: Annotated[int, typer.Option(min=1, help="Answers that each worker sells.")] = 400,
        seeds: Annotated[int, typer.Option(min=1, help="Runs of each seat.")] = 3,
        closer: Annotated[
            int,
            typer.Option(min=0, help="More runs of what comes near to paying: few do not tell it from luck."),
        ] = 0,
        jobs: Annotated[int, typer.Option(min=1, help="Processes at once.")] = 2,
        price: Annotated[str, typer.Option(metavar="TOKENS", help="Price of an answer.")] = "0.01",
        wasm: Annotated[Path | None, typer.Option(metavar="FILE", help="Runtime.")] = None,
        out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results as JSON.")] = None,
    ) -> None:
        from llmnet.sim import Plan, Terms, play_all, scenarios

        recorded = _recorded(evidence)
        terms = Terms(recorded, parse_amount(price))
        plan = Plan(find_wasm(wasm), terms, answers=answers, seeds=tuple(range(1, seeds + 1)))
        chosen = names or [scenario.name for scenario in scenarios(recorded)]
        results = play_all(
            plan, chosen, closer=closer, jobs=jobs, watch=lambda done, all_: note(f"{done} of {all_} runs")
        )
        document = _document(results, answers, seeds, evidence or _CHECKOUT)
        if out is not None:
            out.write_text(json.dumps(document, indent=1) + "\n")
        if context.json:
            emit(document)
        else:
            _show(results)


def _recorded(path: Path | None) -> Recorded:
    from llmnet.sim import load

    if path is None and not _CHECKOUT.is_file():
        raise ConfigError("give --evidence FILE: this is no checkout, which would have one")
    return load(path or _CHECKOUT)


def _document(results: Sequence[Result], answers: int, seeds: int, evidence: Path) -> dict[str, object]:
    from llmnet.sim import best_deviation

    return {
        "evidence": evidence.name,
        "answers": answers,
        "seeds": seeds,
        "best": best_deviation(results).name,
        "results": [result.as_json() for result in results],
    }


def _show(results: Sequence[Result]) -> None:
    from llmnet.sim import best_deviation

    rows = [
        (
            result.name,
            f"{result.value:+.2f} ± {result.error:.2f}",
            str(result.runs),
            f"{result.deviant:+.0f}",
            f"{result.honest:+.0f}",
            f"{result.sold:.0f}",
            f"{result.lost:.1f}",
            str(result.honest_punished),
        )
        for result in sorted(results, key=lambda result: -result.value)
    ]
    numbers = ("value", "runs", "deviant", "honest", "sold", "slashed", "honest slashed")
    table(
        "What deviating brings more than honesty, with its standard error: R an answer sold, validators: R an audit; whole runs in R",
        ("deviation", *numbers),
        rows,
        right=numbers,
    )
    best = best_deviation(results)
    say(
        f"most profitable deviation: {best.name}, {best.value:+.2f} R {'an answer' if best.role == 'worker' else 'an audit'}"
    )
