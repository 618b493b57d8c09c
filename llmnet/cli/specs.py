"""`llmnet spec`: register, calibrate, list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .command import Context, command
from .config import ConfigError
from .models import Directory, Numerics, files_of, spec_json
from .output import emit, say, table
from .stakes import submit
from .values import parse_spec_id, spec_of_model

if TYPE_CHECKING:
    from llmnet.engine import ModelFiles
    from llmnet.proof import Calibration, ServiceSpec

MAX_ROW = 1 << 16


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
                help="JSON: logit_q95, logit_q99, hidden_q95, … Without it, honest answers are measured here.",
            ),
        ] = None,
        model: Directory = None,
        spec: Annotated[
            str | None, typer.Option("--spec", metavar="ID", help="The spec's id (default: the model's).")
        ] = None,
        numerics: Numerics = "fp32",
    ) -> None:
        from llmnet.chain import Call
        from llmnet.pallets import registry

        if spec is not None:
            if row is None:
                raise ConfigError("--spec needs a FILE: only this machine's own model can be measured")
            spec_id, calibration = parse_spec_id(spec), read_row(row)
        else:
            files = files_of(model)
            own = spec_of_model(files, numerics)
            spec_id, calibration = own.id, measured_row(files, own) if row is None else read_row(row)
        call = registry.set_calibration(spec_id, calibration)
        async with context.client() as client:
            sudo = Call("Sudo", "sudo", {"call": call})
            await submit(context, client, sudo, f"calibrated spec {spec_id.hex()}")


def measured_row(files: ModelFiles, spec: ServiceSpec) -> Calibration:
    """Thresholds from honest answers of this machine."""
    import torch

    from llmnet.demo.measuring import measure_honest
    from llmnet.verifier import propose

    torch.set_num_threads(1)
    say("measuring honest answers against the reference")
    distances = measure_honest(files, spec)
    say(
        f"{len(distances.logit)} positions: largest squared distance {max(distances.logit)} (logits), "
        f"{max(distances.hidden)} (hidden); largest lane difference {distances.largest_lane}"
    )
    return propose(distances, spec)


def read_row(path: Path) -> Calibration:
    """A calibration row from JSON. Raises ConfigError."""
    import dataclasses
    import json

    from llmnet.proof import Calibration, ProofError

    names = [field.name for field in dataclasses.fields(Calibration)]
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(MAX_ROW))
        if not isinstance(value, dict) or set(value) != set(names):
            raise ConfigError(f"{path} must be a JSON object with exactly {', '.join(names)}")
        return Calibration(**value)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except ConfigError:
        raise
    except (ValueError, TypeError, RecursionError, ProofError) as error:
        raise ConfigError(f"{path} is not a calibration: {error}") from None
