"""`llmnet calibrate`: record honest answers, pack them, fit thresholds, report what they are worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .command import Context, command
from .config import ConfigError
from .models import Directory, Numerics, files_of
from .output import emit, note, say, table
from .values import spec_of_model

if TYPE_CHECKING:
    from llmnet.proof import ServiceSpec
    from llmnet.verifier.calibrate import Observed, Report

Answers = Annotated[int, typer.Option("--answers", metavar="N", help="Distinct prompts with short answers.")]
Packed = Annotated[
    list[Path], typer.Argument(metavar="PACKED…", help="Files made by `llmnet calibrate pack`.")
]
LONG = 24
"""Recorded answers of 128 tokens, where nobody says another number."""
_EVERY = 16


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="How far honest workers stray, and the thresholds of it.", no_args_is_help=True)
    app.add_typer(group, name="calibrate")
    _add_recording(group)
    _add_asking_again(group)
    _add_reading(group)


def _add_recording(group: typer.Typer) -> None:
    @command(
        group, "record", help="Let an honest worker of a class answer; run again, it goes on where it was."
    )
    async def record(
        context: Context,
        out: Annotated[Path, typer.Argument(metavar="FILE", help="Recordings, one line an answer.")],
        numerics: Numerics = "fp32",
        answers: Answers = 2100,
        long: Annotated[
            int | None,
            typer.Option(
                metavar="N", help=f"Answers of 128 tokens besides (default: {LONG}, at most --answers)."
            ),
        ] = None,
        deep: Annotated[int, typer.Option(metavar="N", help="Conversations of 500 tokens and more.")] = 24,
        model: Directory = None,
    ) -> None:
        import torch

        from llmnet.measure import record_honest

        torch.set_num_threads(1)
        files = files_of(model)
        spec = spec_of_model(files, numerics)
        long = min(LONG, answers) if long is None else long
        check_counts(answers, long, deep)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        file = record_honest(
            out, files, spec, answers, long=long, deep=deep, device=device, progress=progress(out)
        )
        _told(context, out, spec, answers=len(file.ids()))

    @command(group, "pack", help="Distances of recorded answers, small enough to publish.")
    async def pack(
        context: Context,
        recordings: Annotated[Path, typer.Argument(metavar="FILE", help="Recordings.")],
        out: Annotated[Path, typer.Argument(metavar="PACKED", help="NAME.jsonl.xz")],
        numerics: Numerics = "fp32",
        model: Directory = None,
        machine: Annotated[
            str | None,
            typer.Option(metavar="WORDS", help="What computed the answers (default: this machine's CPU)."),
        ] = None,
    ) -> None:
        from llmnet.measure import RecordingFile, machine_in_words, observe_all
        from llmnet.verifier.calibrate import save

        spec = spec_of_model(files_of(model), numerics)
        observed = observe_all(
            RecordingFile(recordings),
            spec,
            machine=machine or machine_in_words(spec.numerics),
            made_by=f"llmnet calibrate {_how(recordings)} --numerics {numerics}",
        )
        save(observed, out)
        _told(context, out, spec, answers=len(observed.answers), positions=observed.positions)


def _add_asking_again(group: typer.Typer) -> None:
    @command(
        group,
        "again",
        help="Ask again what honest answers deviated most at, with other seeds: is it the question, or chance?",
    )
    async def again(
        context: Context,
        packed: Annotated[Path, typer.Argument(metavar="PACKED", help="Honest answers of the class.")],
        out: Annotated[Path, typer.Argument(metavar="FILE", help="Recordings, one line an answer.")],
        numerics: Numerics = "fp32",
        rounds: Annotated[
            int, typer.Option(metavar="N", min=1, help="How often each of the worst hundredth is asked.")
        ] = 20,
        model: Directory = None,
    ) -> None:
        import torch

        from llmnet.measure import record_again
        from llmnet.verifier.calibrate import fit, measured_row, most_deviating

        torch.set_num_threads(1)
        files = files_of(model)
        spec = spec_of_model(files, numerics)
        observed = read(packed)
        if observed.spec_id != spec.id:
            raise ConfigError(f"{packed} is of spec {observed.spec_id.hex()}, not of {spec.id.hex()}")
        row = measured_row(spec.id) or fit(observed.answers, spec.numerics)
        worst = most_deviating(observed.answers, row, max(1, len(observed.answers) // 100))
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            file = record_again(out, files, spec, worst, rounds, device=device, progress=progress(out))
        except ValueError as error:
            raise ConfigError(
                f"{packed} holds other questions than `llmnet calibrate record` asks: {error}"
            ) from error
        _told(context, out, spec, prompts=len(worst), answers=len(file.ids()))


def _add_reading(group: typer.Typer) -> None:
    @command(
        group, "fit", help="Thresholds from one half of the answers; `llmnet spec calibrate` registers them."
    )
    async def fit(
        context: Context,
        packed: Packed,
        out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The row, as JSON.")] = Path(
            "row.json"
        ),
    ) -> None:
        from llmnet.verifier.calibrate import merge, row_file

        found = report_of(merge([read(path) for path in packed]))
        out.write_text(json.dumps(row_file(found), indent=1) + "\n")
        if context.json:
            emit(row_file(found))
        else:
            show([found])
            say(
                f"row written to {out}: register it with `llmnet spec calibrate {out} --spec {found.observed.spec_id.hex()}`"
            )

    @command(group, "report", help="What thresholds are worth on answers that they were not fitted on.")
    async def report(
        context: Context,
        packed: Packed,
        page: Annotated[
            Path | None,
            typer.Option("--page", metavar="FILE", help="Write the page, and its picture beside it."),
        ] = None,
    ) -> int | None:
        from llmnet.verifier.calibrate import draw
        from llmnet.verifier.calibrate import page as whole_page

        reports = reports_of(packed)
        if page is not None:
            page.write_text(whole_page(reports))
            draw(reports, page.with_suffix(".svg"))
        if context.json:
            emit([one.as_json() for one in reports])
        else:
            show(reports)
        return 1 if any(one.chosen.slashed for one in reports) else None


def _how(recordings: Path) -> str:
    """The command that made these recordings: those of questions asked again are named after the round."""
    from llmnet.measure import RecordingFile
    from llmnet.measure.plan import AGAIN

    return "again" if any(AGAIN in name for name in RecordingFile(recordings).ids()) else "record"


def _told(context: Context, out: Path, spec: ServiceSpec, **counts: int) -> None:
    if context.json:
        emit({"file": str(out), "spec": "0x" + spec.id.hex(), **counts})
    else:
        said = ", ".join(f"{number} {what}" for what, number in counts.items())
        say(f"{out}: {said}; spec {spec.id.hex()}")


def check_counts(answers: int, long: int, deep: int) -> None:
    """Raise ConfigError for numbers that cannot be asked for."""
    from llmnet.measure.plan import MOST_ANSWERS, MOST_DEEP

    for option, number, least, most in (
        ("--answers", answers, 1, MOST_ANSWERS),
        ("--long", long, 0, answers),
        ("--deep", deep, 0, MOST_DEEP),
    ):
        if not least <= number <= most:
            raise ConfigError(f"{option} is {number}: it has to be {least} to {most}")


def progress(path: Path) -> Callable[[int, int], None]:
    """Tells every so often how far a recording is."""

    def tell(done: int, wanted: int) -> None:
        if done % _EVERY == 0 or done == wanted:
            note(f"{path}: {done} of {wanted}")

    return tell


def read(path: Path) -> Observed:
    """A packed file. Raises CalibrationError."""
    from llmnet.verifier.calibrate import load

    return load(path)


def report_of(observed: Observed) -> Report:
    """Fitted and judged."""
    from llmnet.verifier.calibrate import report

    note(f"{observed.numerics.name.lower()}: {len(observed.answers)} answers, {observed.positions} positions")
    return report(observed)


def reports_of(paths: list[Path]) -> list[Report]:
    """One report a spec, in the order of the classes: files of one spec are taken together."""
    from llmnet.verifier.calibrate import merge

    kinds: dict[bytes, list[Observed]] = {}
    for path in paths:
        observed = read(path)
        kinds.setdefault(observed.spec_id, []).append(observed)
    merged = sorted((merge(parts) for parts in kinds.values()), key=lambda one: one.numerics)
    return [report_of(one) for one in merged]


def show(reports: list[Report]) -> None:
    """For people: the rows, and what they do to answers that they have not seen."""
    columns = (
        "class",
        "thresholds",
        "split",
        "held out",
        "fined",
        "below",
        "highest sum, nat",
        "slashed in 1,000 audits",
    )
    cells = [
        (
            one.observed.numerics.name.lower(),
            f"{found.row.logit_q95}/{found.row.logit_q99} {found.row.hidden_q95}/{found.row.hidden_q99} {found.method.value}",
            found.how,
            str(found.held_out),
            f"{found.failed.hits}",
            f"{100 * found.failed.high:.2f} %",
            f"{found.highest / 256:.2f}" + (" SLASHED" if found.slashed else ""),
            f"{found.histories.slashed[-1].hits} of {found.histories.slashed[-1].trials}",
            f"{found.alarm.above:.1e}",
        )
        for one in reports
        for found in (one.chosen, *one.others)
    ]
    table("Judged on held-out answers", columns, cells, right=("held out", "fined", "below"))
