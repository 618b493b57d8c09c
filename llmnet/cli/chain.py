"""`llmnet chain`: any pallet of any runtime, from its metadata. Reading; `chain_calls.py` has what signs and follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import chain_calls
from .chain_lookup import arguments, first_sentence, pallet_name, pick, usage
from .chain_values import Values, brief
from .command import Context, command
from .config import ConfigError
from .output import emit, note, say, table

if TYPE_CHECKING:
    from llmnet.chain import Client, Metadata, Runtime, View
    from llmnet.chain.metadata import Function, Outer, StorageEntry

PalletName = Annotated[str, typer.Argument(metavar="PALLET", help="Any spelling of case.")]
AnyPallet = Annotated[str | None, typer.Argument(metavar="[PALLET]", help="Only this pallet.")]
Words = Annotated[
    list[str] | None, typer.Argument(metavar="[ARGS]...", help="In order or NAME=VALUE; JSON or plain.")
]
At = Annotated[str | None, typer.Option(metavar="BLOCK", help="A block's number or hash; default: the best.")]
Limit = Annotated[int, typer.Option(min=1, help="Show at most so many entries.")]


def add(app: typer.Typer) -> None:
    """Registers the commands."""
    group = typer.Typer(help="Any pallet of any chain, from its metadata.", no_args_is_help=True)
    app.add_typer(group, name="chain")
    _add_entries(group)
    _add_functions(group)
    chain_calls.add(group)


def _add_entries(group: typer.Typer) -> None:
    @command(group, "pallets", help="What the runtime has; with a name, the calls and more of that pallet.")
    async def pallets(context: Context, pallet: AnyPallet = None) -> None:
        async with context.client() as client:
            runtime = client.runtime
            if pallet is None:
                _list_pallets(context, runtime)
            else:
                _describe_pallet(context, runtime, pallet_name(runtime.metadata, pallet))

    @command(group, "query", help="Storage: one value, or the entries of a map when keys are left away.")
    async def query(
        context: Context, pallet: PalletName, item: str, keys: Words = None, at: At = None, limit: Limit = 50
    ) -> None:
        async with context.client() as client:
            view = await view_at(client, at)
            runtime = await view.runtime()
            name = pallet_name(runtime.metadata, pallet)
            storage = runtime.metadata.pallets[name].storage
            entry = storage[pick(f"storage item of {name}", item, storage)]
            given = _keys(runtime, entry, keys or [])
            if len(given) == len(entry.keys):
                found = await view.query(name, entry.name, *given)
                _one(context, None if found is None else Values(runtime).show(entry.value, found))
            else:
                await _entries(context, runtime, view, entry, given, limit)

    @command(group, "constants", help="The constants of one pallet, or of all.")
    async def constants(context: Context, pallet: AnyPallet = None) -> None:
        async with context.client() as client:
            values, rows = Values(client.runtime), []
            for name in _chosen(client.runtime.metadata, pallet):
                for constant in client.runtime.metadata.pallets[name].constants.values():
                    shown = values.show(constant.type, client.constant(name, constant.name))
                    rows.append((name, constant.name, shown, first_sentence(constant.docs)))
        _rows(context, "Constants", ("pallet", "constant", "value", "docs"), rows)

    @command(group, "errors", help="The errors of one pallet, or of all, and what they mean.")
    async def errors(context: Context, pallet: AnyPallet = None) -> None:
        async with context.client() as client:
            metadata = client.runtime.metadata
            rows = [
                (name, variant.name, " ".join(variant.docs).strip())
                for name in _chosen(metadata, pallet)
                for variant in metadata.variants(name, "errors").variants
            ]
        _rows(context, "Errors", ("pallet", "error", "docs"), rows)


def _add_functions(group: typer.Typer) -> None:
    @command(group, "view", help="View functions: without a function, those of the pallet.")
    async def view(
        context: Context,
        pallet: PalletName,
        function: Annotated[str | None, typer.Argument(metavar="[FUNCTION]")] = None,
        args: Words = None,
        at: At = None,
    ) -> None:
        async with context.client() as client:
            pinned = await view_at(client, at)
            runtime = await pinned.code_runtime()
            name = pallet_name(runtime.metadata, pallet)
            functions = runtime.metadata.pallets[name].view_functions
            if function is None:
                _functions(context, runtime, f"View functions of {name}", list(functions.values()))
                return
            found = functions[pick(f"view function of {name}", function, functions)]
            given = arguments(runtime, found.inputs, args or [], f"{name}.{found.name}")
            value = await pinned.view_function(name, found.name, **given)
            _one(context, Values(runtime).show(found.output, value))

    @command(group, "apis", help="Runtime APIs: all, the methods of one, or a call of a method.")
    async def apis(
        context: Context,
        api: Annotated[str | None, typer.Argument(metavar="[API]")] = None,
        method: Annotated[str | None, typer.Argument(metavar="[METHOD]")] = None,
        args: Words = None,
        at: At = None,
    ) -> None:
        async with context.client() as client:
            pinned = await view_at(client, at)
            runtime = await pinned.code_runtime()
            known = runtime.metadata.apis
            if not known:
                raise ConfigError("the node tells metadata V14 only, which does not describe runtime APIs")
            if api is None:
                rows = [
                    (found.name, ", ".join(found.methods), first_sentence(found.docs))
                    for found in known.values()
                ]
                _rows(context, "Runtime APIs", ("api", "methods", "docs"), rows)
                return
            name = pick("runtime API", api, known)
            if method is None:
                _functions(context, runtime, f"Methods of {name}", list(known[name].methods.values()))
                return
            found = known[name].methods[pick(f"method of {name}", method, known[name].methods)]
            given = arguments(runtime, found.inputs, args or [], f"{name}.{found.name}")
            value = await pinned.runtime_api(name, found.name, **given)
            _one(context, Values(runtime).show(found.output, value))


async def view_at(client: Client, at: str | None) -> View:
    """The view of a block by number or hash. Raises ConfigError for one that is not there."""
    if at is None:
        return client.at()
    if at.startswith("0x") and len(at) == 66:
        try:
            return client.at(bytes.fromhex(at[2:]))
        except ValueError:
            raise ConfigError(f"{at!r} is not a block's hash") from None
    if not at.isdecimal():
        raise ConfigError(f"{at[:80]!r} is neither a block's number nor its hash (0x and 64 hex digits)")
    block_hash = await client.block_hash(int(at))
    if block_hash is None:
        raise ConfigError(f"the chain has no block {at} yet")
    return client.at(block_hash)


def _chosen(metadata: Metadata, pallet: str | None) -> list[str]:
    return list(metadata.pallets) if pallet is None else [pallet_name(metadata, pallet)]


def _list_pallets(context: Context, runtime: Runtime) -> None:
    metadata = runtime.metadata
    kinds: tuple[Outer, ...] = ("calls", "events", "errors")
    rows = [
        (
            pallet.index,
            name,
            *(len(metadata.variants(name, kind).variants) for kind in kinds),
            len(pallet.storage),
            len(pallet.constants),
            len(pallet.view_functions),
        )
        for name, pallet in metadata.pallets.items()
    ]
    columns = ("index", "pallet", *kinds, "storage", "constants", "views")
    title = f"{runtime.version.spec_name} {runtime.version.spec_version}, metadata V{metadata.version}"
    _rows(context, title, columns, rows, right=("index", *columns[2:]))


def _describe_pallet(context: Context, runtime: Runtime, name: str) -> None:
    metadata, words = runtime.metadata, runtime.bound.shapes.words
    calls = [
        ("call", v.name, usage(runtime, [(str(f.name), f.type) for f in v.fields]), first_sentence(v.docs))
        for v in metadata.variants(name, "calls").variants
    ]
    stored = [
        ("storage", e.name, runtime.bound.text_of_storage(e), first_sentence(e.docs))
        for e in metadata.pallets[name].storage.values()
    ]
    views = [
        ("view", f.name, runtime.bound.text_of_function(f), first_sentence(f.docs))
        for f in metadata.pallets[name].view_functions.values()
    ]
    events = [
        ("event", v.name, runtime.bound.text_of_variant(v), first_sentence(v.docs))
        for v in metadata.variants(name, "events").variants
    ]
    constants = [
        ("constant", c.name, words(c.type), first_sentence(c.docs))
        for c in metadata.pallets[name].constants.values()
    ]
    rows = [*calls, *stored, *views, *events, *constants]
    _rows(context, name, ("kind", "name", "shape", "docs"), rows)


def _functions(context: Context, runtime: Runtime, title: str, functions: Sequence[Function]) -> None:
    rows = [(f.name, runtime.bound.text_of_function(f), first_sentence(f.docs)) for f in functions]
    _rows(context, title, ("function", "shape", "docs"), rows)


def _keys(runtime: Runtime, entry: StorageEntry, given: Sequence[str]) -> list[Any]:
    if len(given) > len(entry.keys):
        shape = runtime.bound.text_of_storage(entry)
        raise ConfigError(
            f"{entry.pallet}.{entry.name} is {shape}: it takes {len(entry.keys)} keys, not {len(given)}"
        )
    values = Values(runtime)
    pairs = zip(entry.keys, given, strict=False)
    return [values.parse(type_id, text, f"key {n}") for n, ((_, type_id), text) in enumerate(pairs, 1)]


async def _entries(
    context: Context, runtime: Runtime, view: View, entry: StorageEntry, given: Sequence[Any], limit: int
) -> None:
    rows: list[tuple[Any, Any]] = []
    values, more = Values(runtime), False
    rest = entry.keys[len(given) :]
    async for key, value in view.query_map(entry.pallet, entry.name, *given):
        if len(rows) == limit:
            more = True
            break
        parts = (key,) if len(rest) == 1 else key
        shown = [
            values.show(type_id, part) if hasher.endswith(("Concat", "Identity")) else "0x" + part.hex()
            for (hasher, type_id), part in zip(rest, parts, strict=True)
        ]
        rows.append((shown[0] if len(rest) == 1 else shown, values.show(entry.value, value)))
    _rows(context, f"{entry.pallet}.{entry.name}", ("key", "value"), rows)
    if more:
        note(f"there are more than {limit} entries: --limit shows more, keys narrow them down")


def _one(context: Context, value: Any) -> None:
    if context.json:
        emit(value)
    else:
        say("none" if value is None else brief(value))


def _rows(
    context: Context,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    right: Sequence[str] = (),
) -> None:
    """Rows as JSON objects or as a table."""
    if context.json:
        emit([dict(zip(columns, row, strict=True)) for row in rows])
    elif not rows:
        note(f"{title}: nothing there")
    else:
        table(title, columns, [[brief(cell) for cell in row] for row in rows], right=right)
