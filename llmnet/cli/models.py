"""`llmnet model`: fetch, path, spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .command import Context, command
from .output import emit, note, say
from .values import NUMERICS

Directory = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help="Model directory (default: SmolLM2-135M-Instruct)."),
]


def files_of(model: Path | None, *, verify: bool = False) -> Any:
    """The model's files; the default one is fetched if it is not there. Raises EngineError."""
    from llmnet.engine import ensure_default_model, load_model_dir

    return (
        ensure_default_model(verify=verify, progress=note)
        if model is None
        else load_model_dir(model, verify=verify)
    )


Numerics = Annotated[
    str,
    typer.Option("--numerics", metavar="CLASS", help=f"Arithmetic that is promised: {', '.join(NUMERICS)}."),
]


def spec_json(spec: Any) -> dict[str, object]:
    """A spec for machines."""
    return {
        "id": "0x" + spec.id.hex(),
        "name": spec.name.decode(errors="replace"),
        "weights_root": "0x" + spec.weights_root.hex(),
        "tokenizer_hash": "0x" + spec.tokenizer_hash.hex(),
        "template_hash": "0x" + spec.template_hash.hex(),
        "graph_hash": "0x" + spec.graph_hash.hex(),
        "sampler_version": spec.sampler_version,
        "top_k": spec.top_k,
        "numerics": spec.numerics.name,
        "vocab_size": spec.vocab_size,
        "context_length": spec.context_length,
        "logit_shift": spec.logit_shift,
        "hidden_shift": spec.hidden_shift,
        "encoded": spec.encode().hex(),
    }


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="Models on this machine.", no_args_is_help=True)
    app.add_typer(group, name="model")

    @command(group, "fetch", help="Fetch the default model, or check that it is as it was fetched.")
    async def fetch(
        context: Context,
        verify: Annotated[bool, typer.Option("--verify", help="Read and hash every byte.")] = False,
    ) -> None:
        _show_path(context, files_of(None, verify=verify))

    @command(group, "path", help="Where the model is; nothing is fetched.")
    async def path(context: Context, model: Directory = None) -> None:
        if model is None:
            from llmnet.engine import cache_dir
            from llmnet.engine.default_model import NAME

            model = cache_dir() / "models" / NAME
        from llmnet.engine import load_model_dir

        _show_path(context, load_model_dir(model))

    @command(group, "spec", help="The spec under which this model is registered and checked.")
    async def spec(context: Context, model: Directory = None) -> None:
        from llmnet.verifier.reference import spec_of

        value = spec_json(spec_of(files_of(model)))
        if context.json:
            emit(value)
        else:
            say("\n".join(f"{name}: {item}" for name, item in value.items()))


def _show_path(context: Context, files: Any) -> None:
    if context.json:
        emit({"path": str(files.path), "weights_root": "0x" + files.weights_root.hex()})
    else:
        say(str(files.path))
