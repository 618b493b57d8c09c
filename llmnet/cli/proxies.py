"""`llmnet proxies`: which keys may act for an account (`--proxy-for`), and no longer."""

from __future__ import annotations

from typing import Annotated

import typer

from .command import Context, command
from .output import emit, note, table
from .stakes import submit
from .values import parse_account

Kind = Annotated[
    str, typer.Option(metavar="KIND", help="Any, NonTransfer, or Work: what daemons do day by day.")
]
Who = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account whose key may act.")]


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="Keys that may act for an account.", no_args_is_help=True)
    app.add_typer(group, name="proxies")

    @command(group, "add", help="Let another account's key act for the acting account; takes a deposit.")
    async def add_(context: Context, who: Who, *, kind: Kind = "Work") -> None:
        from llmnet.chain import add_proxy

        account = parse_account(who)
        async with context.client() as client:
            await submit(context, client, add_proxy(account, kind), f"{who} may act as {kind}")

    @command(group, "remove", help="Take that back, at once; the deposit comes back.")
    async def remove(context: Context, who: Who, *, kind: Kind = "Work") -> None:
        from llmnet.chain import remove_proxy

        account = parse_account(who)
        async with context.client() as client:
            await submit(context, client, remove_proxy(account, kind), f"{who} may no longer act as {kind}")

    @command(group, "list", help="Who may act for an account.")
    async def list_(
        context: Context,
        who: Annotated[
            str | None, typer.Argument(metavar="[ACCOUNT]", help="By default the acting account.")
        ] = None,
    ) -> None:
        from llmnet.chain import proxies_of, ss58_encode
        from llmnet.gateway.amounts import tokens

        owner = context.signer().account if who is None else parse_account(who)
        async with context.client() as client:
            found, deposit = await proxies_of(client.at(), owner)
        rows = [(ss58_encode(proxy.delegate), proxy.kind, proxy.delay) for proxy in found]
        if context.json:
            listed = [dict(zip(("account", "kind", "delay"), row, strict=True)) for row in rows]
            emit({"proxies": listed, "deposit": str(deposit)})
        elif not rows:
            note("nobody may act for this account")
        else:
            title = f"May act for {ss58_encode(owner)}, deposit {tokens(deposit)} tokens"
            columns = ("account", "kind", "delay in blocks")
            table(title, columns, [(account, kind, str(delay)) for account, kind, delay in rows])
