"""`llmnet account` and `llmnet offers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .command import Context, command
from .output import FAILED, OK, emit, note, say, table
from .values import parse_account

if TYPE_CHECKING:
    from llmnet.gateway.account import Statement
    from llmnet.gateway.offers import Choice


def add(app: typer.Typer) -> None:
    """Registers the commands."""

    @command(app, "account", help="Where every token of an account is.")
    async def account(
        context: Context,
        who: Annotated[
            str | None, typer.Argument(metavar="[ACCOUNT]", help="By default the acting account.")
        ] = None,
        blocks: Annotated[
            int, typer.Option(min=0, metavar="N", help="Tell also what the last N blocks did to it.")
        ] = 50,
    ) -> int:
        from llmnet.gateway.account import statement
        from llmnet.gateway.recent import recent
        from llmnet.gateway.second_looks import standing

        other = None if who is None else parse_account(who)
        signer = context.signer() if other is None else None
        async with context.client() as client:
            if signer is not None:
                from llmnet.gateway import Requester

                async with Requester(client, signer, context.settings.home_dir) as requester:
                    found = await statement(
                        client.at(), requester.account, lambda session: requester.usage(session).promised
                    )
            else:
                assert other is not None
                found = await statement(client.at(), other)
            lines = await standing(client.at(), found.account, found.block)
            moves = await recent(client, found.account, blocks)
        if context.json:
            emit({**found.to_json(), "standing": lines, "recent": moves})
        else:
            show(found)
            show_standing(lines, moves)
        return FAILED if found.problems else OK

    @command(app, "offers", help="Who answers with which model, for what price.")
    async def offers(
        context: Context,
        model: Annotated[str | None, typer.Argument(help="Only this model, by name or id.")] = None,
    ) -> None:
        from llmnet.gateway import all_offers
        from llmnet.gateway.ledger import ClientLedger
        from llmnet.pallets import reputation

        async with context.client() as client:
            found = await all_offers(ClientLedger(client), model)
            view = client.at()
            scores = {
                choice.worker: await reputation.score(view, choice.worker, 0, reputation.Axis.INTEGRITY)
                for choice in found
            }
        if context.json:
            emit([offer_json(choice, scores[choice.worker]) for choice in found])
        elif not found:
            note("no active worker offers anything")
        else:
            show_offers(found, scores)


def show(found: Statement) -> None:
    """The statement for people."""
    from llmnet.chain import ss58_encode
    from llmnet.gateway.amounts import tokens

    rows = [(place.kind, tokens(place.amount), place.what, place.when) for place in found.places]
    rows.append(("total", tokens(found.total), "", ""))
    title = f"{ss58_encode(found.account)} at block {found.block}, in tokens"
    table(title, ("where", "amount", "what", "when"), rows, right=("amount",))
    for place in found.owed:
        say(f"owed to this account, not part of the total: {tokens(place.amount)} {place.what}, {place.when}")
    for problem in found.problems:
        note(f"does not add up: {problem}")


def show_standing(lines: list[str], moves: list[dict[str, object]]) -> None:
    """What hangs over the account, and what happened to it of late."""
    from llmnet.gateway.story import money_lines

    for line in [*lines, *money_lines(moves)]:
        say(line)


def offer_json(choice: Choice, integrity: float) -> dict[str, object]:
    """An offer for machines; prices in plancks per 1,000 tokens."""
    return {
        "worker": "0x" + choice.worker.hex(),
        "model": choice.spec.name.decode(errors="replace"),
        "spec_id": "0x" + choice.spec_id.hex(),
        "endpoint": choice.offer.endpoint,
        "price_in": str(choice.offer.price_in),
        "price_out": str(choice.offer.price_out),
        "capacity": choice.offer.capacity,
        "integrity": integrity,
    }


def show_offers(found: list[Choice], scores: dict[bytes, float]) -> None:
    """Offers for people."""
    from llmnet.chain import ss58_encode
    from llmnet.gateway.amounts import tokens

    rows = [
        (
            choice.spec.name.decode(errors="replace"),
            ss58_encode(choice.worker),
            tokens(choice.offer.price_in),
            tokens(choice.offer.price_out),
            f"{scores[choice.worker]:.3f}",
            choice.offer.endpoint,
        )
        for choice in found
    ]
    table(
        "Offers, cheapest first (tokens per 1,000 tokens)",
        ("model", "worker", "in", "out", "integrity", "address"),
        rows,
        right=("in", "out", "integrity"),
    )
