"""`llmnet chain call`, `events` and `block`: what signs, follows and reads blocks."""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .chain_lookup import arguments, pallet_name, pick
from .chain_values import Values, brief, plain
from .command import Context, command
from .config import ConfigError
from .output import FAILED, OK, emit, say, table

if TYPE_CHECKING:
    from llmnet.chain import Call, Client, DryRun, Event, Runtime, Signer, TxResult

Words = Annotated[
    list[str] | None, typer.Argument(metavar="[ARGS]...", help="In order or NAME=VALUE; JSON or plain.")
]


def add(group: typer.Typer) -> None:
    """Registers the commands."""

    @command(
        group, "call", help="Submit any call. What it would do and cost is shown before anything is sent."
    )
    async def call(
        context: Context,
        pallet: Annotated[str, typer.Argument(metavar="PALLET")],
        function: Annotated[str, typer.Argument(metavar="CALL")],
        args: Words = None,
        sender: Annotated[
            str | None, typer.Option("--from", metavar="KEY", help="A key file or a development account.")
        ] = None,
        sudo: Annotated[bool, typer.Option("--sudo", help="Send it as root, by the sudo key.")] = False,
        tip: Annotated[int, typer.Option(min=0, help="Plancks for the author of the block.")] = 0,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    ) -> int:
        signer = _sender(context, sender)
        async with context.client() as client:
            made = _build(client, pallet, function, args or [], sudo)
            fee = await _fee(client, made, signer, tip)
            if not context.json:
                _announce(client, made, signer, fee)
            if not dry_run and not yes and context.json:
                raise ConfigError("with --json nobody can be asked: pass --yes, or --dry-run")
            trial = await client.dry_run(made, signer)
            if dry_run or not trial.ok:
                return _told(context, client, made, fee, trial)
            if not yes and not typer.confirm("Send it?", err=True):
                say("nothing was sent")
                return FAILED
            result = await client.submit(made, signer, tip=tip, check=False)
            return _result(context, client.runtime, result)

    @command(group, "events", help="The events of a block, or with --follow those of every block to come.")
    async def events(
        context: Context,
        pallet: Annotated[
            list[str] | None, typer.Option(help="Only of this pallet; may be repeated.")
        ] = None,
        block: Annotated[
            str | None, typer.Option(metavar="BLOCK", help="Number or hash; default: the best.")
        ] = None,
        follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on, finalised blocks only.")] = False,
        from_block: Annotated[int | None, typer.Option(min=0, help="Follow from this block on.")] = None,
        limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many events.")] = None,
    ) -> None:
        from .chain import view_at

        async with context.client() as client:
            wanted = {pallet_name(client.runtime.metadata, name) for name in pallet or ()}
            if follow or from_block is not None:
                await _follow(context, client, wanted, from_block, limit)
                return
            view = await view_at(client, block)
            found = [event for event in await view.events() if not wanted or event.pallet in wanted]
            lines = [_event_facts(await view.runtime(), event) for event in found[:limit]]
            if context.json:
                emit(lines)
            elif lines:
                rows = [(_phase(line), line["event"], brief(line["fields"])) for line in lines]
                table(f"Events of block {(await view.header()).number}", ("in", "event", "fields"), rows)
            else:
                say(f"no such events in block {(await view.header()).number}")

    @command(group, "block", help="A block: its header, transactions and events.")
    async def block(
        context: Context,
        number: Annotated[
            str | None, typer.Argument(metavar="[BLOCK]", help="Number or hash; default: the best.")
        ] = None,
    ) -> None:
        from .chain import view_at

        async with context.client() as client:
            view = await view_at(client, number)
            facts = await _block_facts(view)
        if context.json:
            emit(facts)
            return
        say(
            f"block {facts['number']} {facts['hash']}\nparent {facts['parent']}\nstate  {facts['state_root']}"
        )
        rows = [
            (str(t["index"]), t["signer"] or "", t["call"], brief(t["args"])) for t in facts["extrinsics"]
        ]
        table("Transactions", ("index", "signer", "call", "arguments"), rows, right=("index",))
        events = [(_phase(line), line["event"], brief(line["fields"])) for line in facts["events"]]
        table("Events", ("in", "event", "fields"), events)


# Calls


def _sender(context: Context, sender: str | None) -> Signer:
    """Who sends: `--from` is a file or a development account, else the acting account. Raises ConfigError."""
    from dataclasses import replace

    if sender is None:
        return context.signer()
    path = Path(sender).expanduser()
    chosen = {"key_file": path, "dev_key": None} if path.is_file() else {"dev_key": sender, "key_file": None}
    return replace(context, settings=replace(context.settings, **chosen)).signer()


def _build(client: Client, pallet: str, function: str, args: list[str], sudo: bool) -> Call:
    runtime = client.runtime
    name = pallet_name(runtime.metadata, pallet)
    variants = {variant.name: variant for variant in runtime.metadata.variants(name, "calls").variants}
    variant = variants[pick(f"call of {name}", function, variants)]
    inputs = [(str(field.name), field.type) for field in variant.fields]
    made = client.call(name, variant.name, **arguments(runtime, inputs, args, f"{name}.{variant.name}"))
    return client.call("Sudo", "sudo", call=made) if sudo else made


async def _fee(client: Client, call: Call, signer: Signer, tip: int) -> int | None:
    """The estimate, which needs no signature; None where the runtime offers none."""
    from llmnet.chain import RpcError, UnknownEntry

    try:
        return await client.fee(call, signer, tip=tip)
    except (RpcError, UnknownEntry):
        return None


def _announce(client: Client, call: Call, signer: Signer, fee: int | None) -> None:
    from llmnet.chain import ss58_encode

    values = Values(client.runtime)
    say(f"call  {call} {brief(values.show_arguments(call))}")
    say(f"from  {ss58_encode(signer.account, values.prefix)}")
    say(f"fee   {'unknown' if fee is None else f'{fee} plancks'}")
    sys.stdout.flush()


def _told(context: Context, client: Client, call: Call, fee: int | None, trial: DryRun) -> int:
    """What the trial gave; nothing was sent."""
    reason = trial.invalid or (str(trial.error) if trial.error is not None else None)
    if context.json:
        facts = {
            "call": str(call),
            "args": Values(client.runtime).show_arguments(call),
            "fee": None if fee is None else str(fee),
        }
        data = "0x" + client.runtime.encode_call(call).hex()
        emit({**facts, "data": data, "ok": trial.ok, "reason": reason, "sent": False})
    else:
        say("it would succeed" if trial.ok else f"it would fail: {reason}")
        say("nothing was sent")
    return OK if trial.ok else FAILED


def _result(context: Context, runtime: Runtime, result: TxResult) -> int:
    events = [_event_facts(runtime, event) for event in result.events]
    facts = {
        "block": result.block_number,
        "block_hash": "0x" + result.block_hash.hex(),
        "extrinsic": "0x" + result.extrinsic_hash.hex(),
        "index": result.index,
        "fee": None if result.fee is None else str(result.fee),
        "error": None if result.error is None else str(result.error),
        "events": events,
    }
    if context.json:
        emit(facts)
    else:
        say(f"in block {result.block_number}, transaction {facts['extrinsic']}, fee {facts['fee']} plancks")
        for line in events:
            say(f"  {line['event']} {brief(line['fields'])}")
        if result.error is not None:
            say(f"it failed: {result.error}")
    return OK if result.error is None else FAILED


# Events and blocks


async def _follow(
    context: Context, client: Client, wanted: Collection[str], from_block: int | None, limit: int | None
) -> None:
    """Prints a line an event until interrupted, or until there were enough."""
    import json

    count = 0
    async with aclosing(client.events(from_block=from_block)) as found:
        async for event in found:
            if wanted and event.pallet not in wanted:
                continue
            line = _event_facts(client.runtime, event)
            if context.json:
                sys.stdout.write(json.dumps(line) + "\n")
                sys.stdout.flush()
            else:
                say(f"{line['block']:>8} {_phase(line):>4} {line['event']} {brief(line['fields'])}")
            count += 1
            if count == limit:
                return


def _event_facts(runtime: Runtime, event: Event) -> dict[str, Any]:
    """An event with its fields shown by their types, as the runtime that wrote it has them."""
    if event.source is not None:
        runtime = event.source.runtime
    values = Values(runtime)
    variant = runtime.metadata.variants(event.pallet, "events").find(event.name)
    named = {} if variant is None else {f.name or str(n): f.type for n, f in enumerate(variant.fields)}
    fields = {
        name: values.show(named[name], value) if name in named else plain(value)
        for name, value in event.fields.items()
    }
    return {
        "block": event.block_number,
        "extrinsic": event.extrinsic_index,
        "event": str(event),
        "fields": fields,
    }


def _phase(line: dict[str, Any]) -> str:
    return "-" if line["extrinsic"] is None else str(line["extrinsic"])


async def _block_facts(view: Any) -> dict[str, Any]:
    from llmnet.chain import decode_extrinsic, ss58_encode

    header, runtime = await view.header(), await view.runtime()
    values = Values(runtime)
    transactions = []
    for index, data in enumerate(await view.extrinsics()):
        found = decode_extrinsic(runtime, data)
        signer = found.signer
        shown = (
            ss58_encode(signer, values.prefix)
            if isinstance(signer, bytes)
            else brief(plain(signer))
            if signer
            else None
        )
        transactions.append(
            {
                "index": index,
                "hash": "0x" + found.hash.hex(),
                "signer": shown,
                "call": str(found.call),
                "args": values.show_arguments(found.call),
            }
        )
    return {
        "number": header.number,
        "hash": "0x" + header.hash.hex(),
        "parent": "0x" + header.parent.hex(),
        "state_root": "0x" + header.state_root.hex(),
        "extrinsics": transactions,
        "events": [_event_facts(runtime, event) for event in await view.events()],
    }
