"""`llmnet keys`: new, show. Secrets stay in their files; they are never printed and never arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .command import Context, command
from .config import ConfigError, default_key_file
from .output import emit, say
from .values import parse_account


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="Key files.", no_args_is_help=True)
    app.add_typer(group, name="keys")

    @command(group, "new", help="Make a key in a new file of mode 0600.")
    async def new(
        context: Context,
        file: Annotated[
            Path | None, typer.Argument(metavar="[FILE]", help="Default: the key of this user.")
        ] = None,
    ) -> None:
        from llmnet.chain import Keypair

        path = file or context.settings.key_file or default_key_file(context.settings)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            made = Keypair.create_file(path)
        except FileExistsError:
            raise ConfigError(
                f"{path} exists and is not overwritten: name another file, or use that key"
            ) from None
        _show(context, made.public, path)

    @command(group, "show", help="The account of a key file, or of any account in another notation.")
    async def show(
        context: Context,
        who: Annotated[
            str | None, typer.Argument(metavar="[ACCOUNT]", help="By default the acting account.")
        ] = None,
    ) -> None:
        _show(context, context.signer().public if who is None else parse_account(who), None)


def _show(context: Context, account: bytes, path: Path | None) -> None:
    from llmnet.chain import ss58_encode

    value = {"address": ss58_encode(account), "account": "0x" + account.hex()}
    if path is not None:
        value["file"] = str(path)
    if context.json:
        emit(value)
    else:
        say("\n".join(f"{name}: {item}" for name, item in value.items()))
