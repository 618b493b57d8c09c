"""`llmnet plant`: commit, reveal, list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .command import Context, command
from .output import FAILED, OK, emit, note, say, table
from .values import parse_answer

if TYPE_CHECKING:
    from pathlib import Path

    from llmnet.chain import Client, TxResult
    from llmnet.gateway.plants import Plant, PlantBook

Answer = Annotated[str, typer.Argument(metavar="SESSION/INDEX", help="The answer that is to be wrong.")]


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(
        help="Faults that are planted to see whether validators look. For planters, whom root chooses.",
        no_args_is_help=True,
    )
    app.add_typer(group, name="plant")

    @command(group, "commit", help="Promise, before it is asked for, that an answer will be wrong.")
    async def commit(context: Context, answer: Answer) -> None:
        from llmnet.gateway import plants

        session, index = parse_answer(answer)
        async with context.client() as client:
            with plants.open_book(_path(context, client)) as book:
                plant = await plants.commit(client, context.signer(), book, session, index)
        text = (
            f"planted {session}/{index}; its worker needs this line in its --plants file: {session}/{index}"
        )
        _tell(context, plant, text)

    @command(group, "reveal", help="Reveal plants whose answers have a verdict.")
    async def reveal(
        context: Context,
        answer: Annotated[
            str | None, typer.Argument(metavar="[SESSION/INDEX]", help="By default all that can be.")
        ] = None,
    ) -> int:
        from llmnet.gateway import plants

        async with context.client() as client:
            with plants.open_book(_path(context, client)) as book:
                chosen = await _chosen(client, book, answer)
                for plant in chosen:
                    result = await plants.reveal(client, context.signer(), book, plant)
                    _tell(context, plant, f"revealed {plant.session}/{plant.index}: {_outcome(result)}")
        if not chosen:
            note("no plant has a verdict that is not revealed")
        return OK if chosen else FAILED

    @command(group, "list", help="The plants of this account.")
    async def listing(context: Context) -> None:
        from llmnet.chain import ss58_encode
        from llmnet.gateway import plants

        async with context.client() as client:
            with plants.open_book(_path(context, client)) as book:
                found = [(plant, await plants.verdict_number(client, plant)) for plant in book.plants()]
        if context.json:
            emit([_json(plant, audit) for plant, audit in found])
        elif not found:
            note("nothing is planted: `llmnet plant commit` does that")
        else:
            rows = [
                (
                    f"{plant.session}/{plant.index}",
                    ss58_encode(plant.worker),
                    plant.state.value,
                    "" if audit is None else str(audit),
                )
                for plant, audit in found
            ]
            table("Plants", ("answer", "worker", "state", "audit"), rows)


def _path(context: Context, client: Client) -> Path:
    from llmnet.gateway import account_folder

    folder = account_folder(context.settings.home_dir, client.genesis_hash, context.signer().account)
    return folder / "plants.sqlite"


async def _chosen(client: Client, book: PlantBook, answer: str | None) -> list[Plant]:
    from llmnet.gateway import PlantError
    from llmnet.gateway.plants import PlantState, verdict_number

    waiting = [plant for plant in book.plants() if plant.state is not PlantState.REVEALED]
    if answer is not None:
        wanted = parse_answer(answer)
        found = [plant for plant in waiting if (plant.session, plant.index) == wanted]
        if not found:
            raise PlantError(
                f"{answer} is not planted by this account, or is revealed: see `llmnet plant list`"
            )
        return found
    return [plant for plant in waiting if await verdict_number(client, plant) is not None]


def _outcome(result: TxResult) -> str:
    from llmnet.gateway.amounts import tokens
    from llmnet.pallets.spot_checks import events

    paid = [event for event in result.events if (event.pallet, event.name) == ("SpotChecks", "Jackpot")]
    if paid:
        return (
            f"the panel had looked; {len(paid)} validators got {tokens(paid[0].fields['amount'])} tokens each"
        )
    filed = result.find(events.ReviewFiled)
    number = "" if filed is None else f" (review {filed.audit})"
    return f"the panel had let it pass; five others look now{number}"


def _tell(context: Context, plant: Plant, text: str) -> None:
    if context.json:
        emit({**_json(plant, None), "done": text})
    else:
        say(text)


def _json(plant: Plant, audit: int | None) -> dict[str, object]:
    return {
        "session": plant.session,
        "index": plant.index,
        "worker": "0x" + plant.worker.hex(),
        "state": plant.state.value,
        "audit": audit,
    }
