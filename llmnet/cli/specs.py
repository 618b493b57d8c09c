"""`llmnet spec`: register, calibrate, list."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import Context, command
from .config import ConfigError
from .models import Directory, Numerics, files_of, spec_json
from .output import emit, say, table
from .stakes import submit
from .values import parse_spec_id, spec_of_model

if TYPE_CHECKING:
    from llmnet.chain import Client
    from llmnet.engine import ModelFiles
    from llmnet.proof import Calibration, ServiceSpec

MAX_ROW = 1 << 16
MAX_DAYS = 3650
FEW_ANSWERS = 64


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="Registered models.", no_args_is_help=True)
    app.add_typer(group, name="spec")

    @command(group, "list", help="Models that workers may offer.")
    async def listing(context: Context) -> None:
        from llmnet.pallets import registry

        async with context.client() as client:
            view = client.at()
            specs = await registry.specs(view)
            rows = {spec_id: await registry.calibration(view, spec_id) for spec_id in specs}
        if context.json:
            emit(
                [
                    {**spec_json(spec), "calibrated": rows[spec_id] is not None}
                    for spec_id, spec in specs.items()
                ]
            )
            return
        cells = [
            (
                spec.name.decode(errors="replace"),
                spec_id.hex(),
                spec.numerics.name.lower(),
                "no" if (row := rows[spec_id]) is None else f"until block {row.expires_at}",
            )
            for spec_id, spec in specs.items()
        ]
        table("Registered models", ("name", "id", "numerics", "calibrated"), cells)

    @command(group, "register", help="Register a model of this machine; a deposit is held.")
    async def register(context: Context, model: Directory = None, numerics: Numerics = "fp32") -> None:
        from llmnet.pallets import registry

        spec = spec_of_model(files_of(model), numerics)
        async with context.client() as client:
            if await registry.spec(client.at(), spec.id) is not None:
                say(f"spec {spec.id.hex()} is registered already")
                return
            await submit(context, client, registry.register_spec(spec), f"registered spec {spec.id.hex()}")

    @command(
        group, "calibrate", help="Set the thresholds of a model (root: the development chain's //Alice)."
    )
    async def calibrate(
        context: Context,
        row: Annotated[
            Path | None,
            typer.Argument(
                metavar="[FILE]",
                help="JSON, as `llmnet calibrate fit` writes it. Without it, the row that is known for the model.",
            ),
        ] = None,
        model: Directory = None,
        spec: Annotated[
            str | None, typer.Option("--spec", metavar="ID", help="The spec's id (default: the model's).")
        ] = None,
        numerics: Numerics = "fp32",
        measure: Annotated[
            bool, typer.Option("--measure", help="Measure some honest answers here, even if a row is known.")
        ] = False,
        valid_days: Annotated[
            int | None,
            typer.Option(
                "--valid-days",
                metavar="N",
                min=1,
                max=MAX_DAYS,
                help="Expire after so many days (default: as FILE says, else never).",
            ),
        ] = None,
    ) -> None:
        from llmnet.chain import Call
        from llmnet.pallets import registry

        spec_id, calibration = _chosen(row, model, spec, numerics, measure)
        async with context.client() as client:
            if valid_days is not None:
                calibration = replace(calibration, expires_at=await block_in(client, valid_days))
            call = registry.set_calibration(spec_id, calibration)
            sudo = Call("Sudo", "sudo", {"call": call})
            await submit(context, client, sudo, f"calibrated spec {spec_id.hex()}")


def _chosen(
    row: Path | None, model: Path | None, spec: str | None, numerics: str, measure: bool
) -> tuple[bytes, Calibration]:
    """Which spec, and its thresholds: of a file, known, or measured here. Raises ConfigError."""
    from llmnet.verifier.calibrate import measured_row

    if row is not None and measure:
        raise ConfigError("give a FILE or --measure, not both")
    if spec is not None:
        if row is None:
            raise ConfigError("--spec needs a FILE: only this machine's own model can be measured")
        spec_id = parse_spec_id(spec)
        return spec_id, read_row(row, spec_id)
    files = files_of(model)
    own = spec_of_model(files, numerics)
    if row is not None:
        return own.id, read_row(row, own.id)
    known = None if measure else measured_row(own.id)
    return own.id, known or row_from_here(files, own)


async def block_in(client: Client, days: int) -> int:
    """The number of the block that comes after so many days, at the chain's own pace."""
    milliseconds: int = client.constant("Aura", "SlotDuration")
    return int((await client.head()).number) + days * 86_400_000 // milliseconds


def row_from_here(files: ModelFiles, spec: ServiceSpec) -> Calibration:
    """Thresholds from a few honest answers of this machine: all are fitted on, none is left to judge by."""
    import tempfile

    import torch

    from llmnet.measure import machine_in_words, observe_all, record_honest
    from llmnet.verifier.calibrate import fit

    torch.set_num_threads(1)
    say("measuring honest answers against the reference")
    with tempfile.TemporaryDirectory(prefix="llmnet-") as folder:
        file = record_honest(Path(folder) / "honest.jsonl", files, spec, FEW_ANSWERS, long=0, deep=0)
        observed = observe_all(
            file, spec, machine=machine_in_words(spec.numerics), made_by="llmnet spec calibrate"
        )
    logit = max(max(answer.logit) for answer in observed.answers)
    hidden = max(max(answer.hidden) for answer in observed.answers)
    say(f"{observed.positions} positions: largest squared distance {logit} (logits), {hidden} (hidden)")
    return fit(observed.answers, spec.numerics)


def read_row(path: Path, spec_id: bytes | None = None) -> Calibration:
    """A calibration row from JSON: seven numbers, or a row with the spec that it belongs to. Raises ConfigError."""
    import json

    from llmnet.proof import ProofError

    try:
        with path.open("rb") as file:
            return _row(path, json.loads(file.read(MAX_ROW)), spec_id)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except ConfigError:
        raise
    except (ValueError, TypeError, RecursionError, ProofError) as error:
        raise ConfigError(f"{path} is not a calibration: {error}") from None


def _row(path: Path, value: Any, spec_id: bytes | None) -> Calibration:
    from llmnet.proof import Calibration

    names = [field.name for field in fields(Calibration)]
    if isinstance(value, dict) and "row" in value:
        named = str(value.get("spec", "")).removeprefix("0x")
        if spec_id is not None and named != spec_id.hex():
            raise ConfigError(f"{path} is the row of spec {named[:80]}, not of {spec_id.hex()}")
        value = value["row"]
    if not isinstance(value, dict) or set(value) != set(names):
        raise ConfigError(f"{path} must be a JSON object with exactly {', '.join(names)}")
    return Calibration(**value)
