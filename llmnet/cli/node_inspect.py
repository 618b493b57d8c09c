"""`llmnet-node inspect`: blocks, state, trie and file of a chain whose node is not running."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .node_chain import database_file
from .output import emit, say, table

if TYPE_CHECKING:
    from llmnet.devnode import Block
    from llmnet.devnode.database import Database
    from llmnet.devnode.state import State

    from .node_options import NodeSettings

_ROWS = 20


def inspect(settings: NodeSettings, subject: str, at: str | None) -> int:
    """Prints what is to be seen. Raises DevnodeError."""
    show = {"block": _block, "state": _state, "trie": _trie, "file": _file}[subject]
    with _opened(settings) as database:
        show(database, _find(database, at), settings.json)
    return 0


@contextlib.contextmanager
def _opened(settings: NodeSettings) -> Iterator[Database]:
    from llmnet.devnode import DatabaseError
    from llmnet.devnode.database import Database

    path = database_file(settings)
    if not path.exists():
        raise DatabaseError(
            f"there is no database {path}; --chain SPEC.json names another chain than the default"
        )
    database = Database(path, None)
    try:
        yield database
    finally:
        database.close()


def _find(database: Database, at: str | None) -> Block:
    from llmnet.devnode import UnknownBlock

    if at is None:
        found = database.best()
    elif at.isdecimal():
        found = database.block(int(at))
    else:
        try:
            found = database.block_by_hash(bytes.fromhex(at.removeprefix("0x")))
        except ValueError:
            raise UnknownBlock(f"--at {at} is neither a number nor a hash") from None
    if found is None:
        raise UnknownBlock(f"there is no block {at or 0}")
    return found


def _state_of(database: Database, block: Block) -> State:
    from llmnet.devnode import StatePruned

    best = database.best()
    assert best is not None
    oldest = database.oldest_state(best.number)
    if block.number < oldest:
        raise StatePruned(
            f"the state of block {block.number} is gone; the oldest kept is that of block {oldest}"
        )
    return database.state(block.number)


def _names(state: State) -> Mapping[bytes, str]:
    from llmnet.devnode import NodeConfig, Overlay, Runtime, RuntimeFault
    from llmnet.devnode.inspection import names_in
    from llmnet.devnode.state import CODE_KEY

    try:
        runtime = Runtime(state.get(CODE_KEY) or b"", cache_dir=NodeConfig().cache_dir)
        return names_in(runtime.call("Metadata_metadata", b"", Overlay(state)))
    except RuntimeFault:
        return {}  # keys are shown as they are


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _block(database: Database, block: Block, as_json: bool) -> None:
    from llmnet.devnode import StatePruned
    from llmnet.devnode.inspection import inspect_block

    try:
        state = _state_of(database, block)
    except StatePruned:
        state = None
    facts = inspect_block(block, state)
    told: dict[str, Any] = {
        "number": facts.number,
        "hash": _hex(facts.hash),
        "parent": _hex(facts.parent),
        "state_root": _hex(facts.state_root),
        "extrinsics_root": _hex(facts.extrinsics_root),
        "bytes": facts.size,
        "events": facts.event_count,
    }
    digest = [
        {"kind": kind, "engine": engine.decode("latin-1"), "data": _hex(data)}
        for kind, engine, data in facts.digest
    ]
    rows = [
        {
            "index": one.index,
            "hash": _hex(one.hash),
            "bytes": one.size,
            "version": one.version,
            "signed": one.signed,
        }
        for one in facts.extrinsics
    ]
    if as_json:
        raw = None if facts.events is None else _hex(facts.events)
        emit({**told, "digest": digest, "extrinsics": rows, "raw_events": raw})
        return
    for name, value in told.items():
        say(f"{name.replace('_', ' '):16} {'state pruned' if value is None else value}")
    for item in digest:
        say(f"{'digest':16} {item['kind']} {item['engine']} {item['data']}")
    columns = ("index", "hash", "bytes", "version", "signed")
    shown = [[str(row[column]) for column in columns] for row in rows]
    table("extrinsics", columns, shown, right=("index", "bytes", "version"))


def _state(database: Database, block: Block, as_json: bool) -> None:
    from llmnet.devnode.inspection import inspect_state

    state = _state_of(database, block)
    facts = inspect_state(state, _names(state))
    groups = {"pallets": facts.pallets, "items": facts.items}
    if as_json:
        emit(
            {
                "block": block.number,
                "root": _hex(facts.root),
                "keys": facts.keys,
                "key_bytes": facts.key_bytes,
                "value_bytes": facts.value_bytes,
                **{
                    name: [
                        {"name": one.name, "prefix": _hex(one.prefix), "keys": one.keys, "key_bytes": one.key_bytes,
                         "value_bytes": one.value_bytes}
                        for one in group
                    ]
                    for name, group in groups.items()
                },
                "largest": [{"key": _hex(key), "name": name, "bytes": size} for key, name, size in facts.largest],
                "children": [{"key": _hex(key), "keys": keys, "bytes": size} for key, keys, size in facts.children],
            }
        )  # fmt: skip
        return
    say(
        f"block {block.number}: {facts.keys} keys, {facts.key_bytes} bytes of keys, {facts.value_bytes} bytes of values"
    )
    say(f"root {_hex(facts.root)}")
    columns = ("name", "keys", "key bytes", "value bytes")
    for title, group in groups.items():
        rows = [(one.name, str(one.keys), str(one.key_bytes), str(one.value_bytes)) for one in group[:_ROWS]]
        more = f" (the first {_ROWS} of {len(group)})" if len(group) > _ROWS else ""
        table(title + more, columns, rows, right=columns[1:])
    largest = [(name, _hex(key)[:66], str(size)) for key, name, size in facts.largest]
    table("largest values", ("name", "key", "bytes"), largest, right=("bytes",))
    if facts.children:
        shown = [(_hex(key), str(keys), str(size)) for key, keys, size in facts.children]
        table("child tries", ("key", "keys", "bytes"), shown, right=("keys", "bytes"))


def _trie(database: Database, block: Block, as_json: bool) -> None:
    from llmnet.devnode.inspection import inspect_trie

    facts = inspect_trie(_state_of(database, block).trie())
    told = {
        "block": block.number,
        "root": _hex(facts.root),
        "nodes": facts.nodes,
        "bytes": facts.bytes,
        "hashed_values": facts.hashed_values,
        "hashed_value_bytes": facts.hashed_value_bytes,
        "children_of_branches": round(facts.children_of_branches, 2),
    }
    if as_json:
        kinds = {
            kind: {"nodes": count, "bytes": facts.bytes_by_kind.get(kind, 0)}
            for kind, count in facts.kinds.items()
        }
        emit(
            {
                **told,
                "kinds": kinds,
                "depths": {str(depth): count for depth, count in sorted(facts.depths.items())},
            }
        )
        return
    for name, value in told.items():
        say(f"{name.replace('_', ' '):22} {value}")
    kinds_rows = [
        (kind, str(count), str(facts.bytes_by_kind.get(kind, 0))) for kind, count in facts.kinds.items()
    ]
    table("nodes by kind", ("kind", "nodes", "bytes"), kinds_rows, right=("nodes", "bytes"))
    depths = [(str(depth), str(count)) for depth, count in sorted(facts.depths.items())]
    table("nodes by depth", ("depth", "nodes"), depths, right=("depth", "nodes"))


def _file(database: Database, _block: Block, as_json: bool) -> None:
    from llmnet.devnode.inspection import inspect_file

    facts = inspect_file(database)
    told = {
        "bytes": facts.bytes,
        "free_bytes": facts.free_bytes,
        "blocks": facts.blocks,
        "oldest_state": facts.oldest_state,
    }
    if as_json:
        tables = [{"name": name, "rows": rows, "bytes": size} for name, rows, size in facts.tables]
        emit({**told, "tables": tables})
        return
    for name, value in told.items():
        say(f"{name.replace('_', ' '):14} {value}")
    shown = [(name, str(rows), str(size)) for name, rows, size in facts.tables]
    table("tables", ("name", "rows", "bytes"), shown, right=("rows", "bytes"))
