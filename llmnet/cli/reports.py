"""`llmnet report`: equivocation, committed, opened, segment, check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .command import Context, command
from .output import emit, note, say

if TYPE_CHECKING:
    from llmnet.chain import Call, Client
    from llmnet.gateway import Bundle
    from llmnet.gateway.equivocation import CommittedSegment, Signed

File = Annotated[Path, typer.Argument(metavar="FILE", help="Receipt file that the worker signed.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Receipt files of the segment.")]


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(
        help="Report a worker that signed something else than it gave, committed or opened. A tenth of the slash is the reward.",
        no_args_is_help=True,
    )
    app.add_typer(group, name="report")

    @command(group, "equivocation", help="Two different receipts for one answer.")
    async def two(context: Context, first: File, second: File) -> None:
        from llmnet.gateway import equivocation

        async with context.client() as client:
            one, other = _loaded(client, [first, second])
            await _submit(
                context, client, equivocation.equivocation(one.worker, _signed(one), _signed(other))
            )

    @command(group, "opened", help="A receipt that differs from the one opened in the answer's audit.")
    async def opened(context: Context, file: File) -> None:
        from llmnet.gateway import ReportError, equivocation
        from llmnet.gateway.ledger import ClientLedger

        async with context.client() as client:
            [bundle] = _loaded(client, [file])
            found = await ClientLedger(client).opened(bundle.session, bundle.index)
            if found is None:
                raise ReportError("no audit has opened a receipt of this answer")
            await _submit(context, client, equivocation.opened(*found, _signed(bundle)))

    @command(
        group, "segment", help="The receipts of a whole segment, which are not those that were committed."
    )
    async def segment(context: Context, files: Files) -> None:
        from llmnet.gateway import equivocation

        async with context.client() as client:
            bundles = _loaded(client, files)
            found = await _segment(client, bundles[0])
            held = {bundle.index: _signed(bundle) for bundle in bundles}
            await _submit(context, client, equivocation.segment(found, held))

    @command(
        group, "committed", help="A receipt that differs from the committed one, which other files show."
    )
    async def committed(
        context: Context,
        file: File,
        files: Annotated[
            list[Path],
            typer.Option(
                "--segment", metavar="FILE", help="A receipt of the segment as committed; for each of them."
            ),
        ],
    ) -> None:
        from llmnet.gateway import equivocation

        async with context.client() as client:
            bundle, *others = _loaded(client, [file, *files])
            found = await _segment(client, bundle)
            receipts = sorted((other.receipt for other in others), key=lambda receipt: receipt.index)
            await _submit(context, client, equivocation.committed(found, receipts, _signed(bundle)))

    @command(
        group, "check", help="Compare the account's open sessions with the chain, and report what differs."
    )
    async def check(context: Context) -> None:
        async with context.requester() as (_, requester):
            numbers = await requester.ledger.sessions_of(requester.account)
            found = [number for number in numbers if await requester.watch(number)]
        if context.json:
            emit({"compared": numbers, "reported": found})
        else:
            say(f"compared {len(numbers)} sessions, reported the workers of {found or 'none'}")


def _loaded(client: Client, paths: list[Path]) -> list[Bundle]:
    """Receipt files of this chain, whose receipts are signed by one worker. Raises BundleError, ReportError."""
    from llmnet import proof
    from llmnet.gateway import Bundle, ReportError

    bundles = [Bundle.load(path) for path in paths]
    for path, bundle in zip(paths, bundles, strict=True):
        if bundle.genesis_hash != client.genesis_hash:
            raise ReportError(f"{path} is of another chain than the node's: pass the --node of its chain")
        if (bundle.worker, bundle.session) != (bundles[0].worker, bundles[0].session):
            raise ReportError(f"{path} is of another worker or session than {paths[0]}")
        if not proof.verify_signature(
            bundle.worker, bundle.receipt_signature, "receipt", client.genesis_hash, bundle.receipt.encode()
        ):
            raise ReportError(f"the receipt in {path} is not signed by its worker: it proves nothing")
    return bundles


def _signed(bundle: Bundle) -> Signed:
    return bundle.receipt, bundle.receipt_signature


async def _segment(client: Client, bundle: Bundle) -> CommittedSegment:
    """The committed segment that covers an answer. Raises ReportError, UnknownSession."""
    from llmnet.gateway import ReportError, UnknownSession
    from llmnet.gateway.equivocation import committed_segments
    from llmnet.pallets import sessions

    found = await sessions.session(client.at(), bundle.session)
    if found is None:
        raise UnknownSession(
            f"session {bundle.session} is no longer kept: there is nothing left to compare with"
        )
    last = (await client.head()).number
    for item in await committed_segments(client, bundle.worker, bundle.session, found.opened_at, last):
        if bundle.index in item.indices:
            return item
    raise ReportError(f"answer {bundle.session}/{bundle.index} is not committed yet")


async def _submit(context: Context, client: Client, call: Call) -> None:
    from llmnet.chain import ss58_encode
    from llmnet.gateway.amounts import tokens
    from llmnet.pallets.spot_checks import events

    result = await client.submit(call, context.signer())
    slashed = result.find(events.WorkerSlashed)
    amount = 0 if slashed is None else slashed.amount
    if context.json:
        emit({"block": result.block_number, "slashed": str(amount)})
        return
    if slashed is not None:
        say(
            f"{ss58_encode(slashed.worker)} was slashed by {tokens(amount)} tokens (block {result.block_number})"
        )
    note("a tenth of the slash is the reward")
