"""`llmnet sessions`: list, top-up, close, rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .command import Context, command
from .output import emit, note, say, table
from .values import parse_amount

if TYPE_CHECKING:
    from llmnet.chain import TxResult

Number = Annotated[int, typer.Argument(min=0, metavar="SESSION", help="The session's number.")]


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="The sessions that this account pays for.", no_args_is_help=True)
    app.add_typer(group, name="sessions")

    @command(group, "list", help="Open and closing sessions.")
    async def listing(context: Context) -> None:
        async with context.requester() as (_, requester):
            numbers = await requester.ledger.sessions_of(requester.account)
            found = [(number, await requester.ledger.session(number)) for number in numbers]
            rows = [_row(number, session, requester) for number, session in found if session is not None]
        if context.json:
            emit(rows)
        elif not rows:
            note("no session is open: `llmnet ask` opens one")
        else:
            _show(rows)

    @command(group, "top-up", help="Add tokens to a session's escrow.")
    async def top_up(
        context: Context,
        session: Number,
        amount: Annotated[str, typer.Argument(metavar="TOKENS", help="What to add.")],
    ) -> None:
        plancks = parse_amount(amount)
        async with context.requester() as (_, requester):
            _done(
                context,
                await requester.top_up(session, plancks),
                f"added {amount} tokens to session {session}",
            )

    @command(group, "close", help="Close a session; what the worker may not claim comes back.")
    async def close(context: Context, session: Number) -> None:
        async with context.requester() as (_, requester):
            result = await requester.close_session(session)
        from llmnet.pallets import sessions

        event = result.find(sessions.events.Closing)
        when = (
            "its escrow is back"
            if event is None
            else f"the rest of the escrow is back after block {event.until}"
        )
        _done(context, result, f"session {session} takes no more requests; {when}")

    @command(group, "rate", help="Rate a closed session, 0 to 5 stars.")
    async def rate(
        context: Context, session: Number, stars: Annotated[int, typer.Argument(min=0, max=5, help="0 to 5.")]
    ) -> None:
        async with context.requester() as (_, requester):
            _done(
                context, await requester.rate(session, stars), f"rated session {session} with {stars} stars"
            )


def _done(context: Context, result: TxResult, text: str) -> None:
    if context.json:
        emit({"done": text, "block": result.block_number, "extrinsic": "0x" + result.extrinsic_hash.hex()})
    else:
        say(f"{text} (block {result.block_number})")


def _row(number: int, session: Any, requester: Any) -> dict[str, object]:
    from llmnet.pallets.sessions import StatusClosing, status_block

    usage = requester.usage(session)
    return {
        "session": number,
        "worker": "0x" + session.worker.hex(),
        "spec_id": "0x" + session.spec_id.hex(),
        "status": session.status.VARIANT,
        "escrow": str(session.escrow),
        "left": str(requester.left(session)),
        "promised": str(usage.promised),
        "claimed": str(session.claimed),
        "answers": usage.answers,
        "unanswered": usage.pending,
        "opened_at": session.opened_at,
        "ends_at": status_block(session) if isinstance(session.status, StatusClosing) else session.expires_at,
        "unusable": usage.broken,
    }


def _show(rows: list[dict[str, object]]) -> None:
    from llmnet.chain import ss58_encode
    from llmnet.gateway.amounts import tokens

    cells = [
        (
            str(row["session"]),
            ss58_encode(bytes.fromhex(str(row["worker"])[2:])),
            str(row["status"])
            if row["unusable"] is None
            else f"{row['status']}, unusable: {row['unusable']}",
            str(row["answers"]),
            tokens(int(str(row["escrow"]))),
            tokens(int(str(row["left"]))),
            tokens(int(str(row["promised"]))),
            tokens(int(str(row["claimed"]))),
            str(row["ends_at"]),
        )
        for row in rows
    ]
    columns = (
        "session",
        "worker",
        "status",
        "answers",
        "escrow",
        "left",
        "promised",
        "claimed",
        "ends at block",
    )
    table("Sessions, amounts in tokens", columns, cells, right=(columns[0], *columns[3:]))
