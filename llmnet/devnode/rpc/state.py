"""Methods `state_*` and `childstate_*`: storage, runtime calls, metadata."""

from __future__ import annotations

from itertools import islice
from typing import Any

from llmnet.devnode.errors import CodecError, RuntimeFault, UnknownBlock
from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.rpc.errors import BLOCK_RANGE, INVALID_PARAMS, STATE_CLIENT, TOO_MANY_KEYS, RpcError
from llmnet.devnode.rpc.registry import (
    Context,
    hex_of,
    method,
    need_hash,
    optional_hex,
    parse_bytes,
    parse_hash,
    parse_list,
    parse_number,
    parse_text,
)
from llmnet.devnode.scale import Reader
from llmnet.devnode.state import DEFAULT_CHILD_PREFIX, State

MAX_PAGE = 1000
MAX_KEYS = 10_000
MAX_BLOCKS = 1000


def _state(context: Context, at: Any) -> State:
    return context.service.node.chain.at(parse_hash(at))[1]


@method("state_getStorage", "state_getStorageAt")
async def get_storage(context: Context, key: Any, at: Any = None) -> Any:
    return optional_hex(_state(context, at).get(parse_bytes(key, "key")))


@method("state_getStorageHash", "state_getStorageHashAt")
async def get_storage_hash(context: Context, key: Any, at: Any = None) -> Any:
    value = _state(context, at).get(parse_bytes(key, "key"))
    return None if value is None else hex_of(blake2_256(value))


@method("state_getStorageSize", "state_getStorageSizeAt")
async def get_storage_size(context: Context, key: Any, at: Any = None) -> Any:
    value = _state(context, at).get(parse_bytes(key, "key"))
    return None if value is None else len(value)


@method("state_getKeysPaged", "state_getKeysPagedAt")
async def get_keys_paged(
    context: Context, prefix: Any, count: Any, start_key: Any = None, at: Any = None
) -> Any:
    return _page(_state(context, at), prefix, count, start_key, None)


def _page(state: State, prefix: Any, count: Any, start_key: Any, child: bytes | None) -> list[str]:
    number = parse_number(count, "count")
    if number > MAX_PAGE:
        raise RpcError(TOO_MANY_KEYS, f"count exceeds maximum value. value: {number}, max: {MAX_PAGE}")
    start = None if start_key is None else parse_bytes(start_key, "start key")
    wanted = b"" if prefix is None else parse_bytes(prefix, "prefix")
    return [hex_of(key) for key in islice(state.keys(wanted, start, child), number)]


@method("state_getKeys")
async def get_keys(context: Context, prefix: Any, at: Any = None) -> Any:
    keys = [
        hex_of(key) for key in islice(_state(context, at).keys(parse_bytes(prefix, "prefix")), MAX_KEYS + 1)
    ]
    return _within(keys)


@method("state_getPairs", unsafe=True)
async def get_pairs(context: Context, prefix: Any, at: Any = None) -> Any:
    items = islice(_state(context, at).items(parse_bytes(prefix, "prefix")), MAX_KEYS + 1)
    return _within([[hex_of(key), hex_of(value)] for key, value in items])


def _within(found: list[Any]) -> list[Any]:
    if len(found) > MAX_KEYS:
        raise RpcError(TOO_MANY_KEYS, f"more than {MAX_KEYS} keys; use state_getKeysPaged")
    return found


@method("state_queryStorageAt")
async def query_storage_at(context: Context, keys: Any, at: Any = None) -> Any:
    wanted = [parse_bytes(key, "key") for key in parse_list(keys, "keys", MAX_KEYS)]
    block, state = context.service.node.chain.at(parse_hash(at))
    changes = [[hex_of(key), optional_hex(state.get(key))] for key in wanted]
    return [{"block": hex_of(block.hash), "changes": changes}]


@method("state_queryStorage")
async def query_storage(context: Context, keys: Any, start: Any, end: Any = None) -> Any:
    """Values of the keys at `start`, then what changed block by block up to `end`."""
    wanted = [parse_bytes(key, "key") for key in parse_list(keys, "keys", MAX_KEYS)]
    chain = context.service.node.chain
    try:
        first, last = chain.at(need_hash(start))[0], chain.at(parse_hash(end))[0]
    except UnknownBlock as error:
        raise RpcError(BLOCK_RANGE, f"Cannot resolve a block range: {error}") from error
    if first.number > last.number:
        raise RpcError(
            BLOCK_RANGE, f"Cannot resolve a block range [{first.number} ... {last.number}]: from > to"
        )
    if last.number - first.number >= MAX_BLOCKS:
        raise RpcError(BLOCK_RANGE, f"Cannot resolve a block range of {MAX_BLOCKS} blocks or more")
    known: dict[bytes, bytes | None] = {}
    answer = []
    for number in range(first.number, last.number + 1):
        block, state = chain.at(chain.block(number).hash)
        values = [(key, state.get(key)) for key in wanted]
        changed = [(key, value) for key, value in values if key not in known or known[key] != value]
        known.update(changed)
        if changed:
            shown = [[hex_of(key), optional_hex(value)] for key, value in changed]
            answer.append({"block": hex_of(block.hash), "changes": shown})
    return answer


@method("state_call", "state_callAt")
async def call(context: Context, function: Any, argument: Any, at: Any = None) -> Any:
    name, data, block = parse_text(function, "function"), parse_bytes(argument, "argument"), parse_hash(at)
    return hex_of(await context.service.run(context.service.node.call, name, data, block))


@method("state_getMetadata")
async def get_metadata(context: Context, at: Any = None) -> Any:
    block = parse_hash(at)
    encoded = await context.service.run(context.service.node.call, "Metadata_metadata", b"", block)
    try:
        return hex_of(Reader(encoded).vector())
    except CodecError as error:
        raise RuntimeFault(f"the runtime's metadata cannot be read: {error}") from error


@method("state_getRuntimeVersion", "chain_getRuntimeVersion")
async def get_runtime_version(context: Context, at: Any = None) -> Any:
    block = parse_hash(at)
    return (await context.service.run(context.service.node.version, block)).as_json()


@method("state_getReadProof")
async def get_read_proof(context: Context, keys: Any, at: Any = None) -> Any:
    """The nodes from the state root to the keys, so that a client can check values by itself."""
    wanted = [parse_bytes(key, "key") for key in parse_list(keys, "keys", MAX_KEYS)]
    block, state = context.service.node.chain.at(parse_hash(at))
    return {"at": hex_of(block.hash), "proof": [hex_of(node) for node in state.prove(wanted)]}


@method("state_getChildReadProof")
async def get_child_read_proof(context: Context, child: Any, keys: Any, at: Any = None) -> Any:
    """As `state_getReadProof` for keys of a child trie, its root in the state included."""
    name = _child(child)
    wanted = [parse_bytes(key, "key") for key in parse_list(keys, "keys", MAX_KEYS)]
    block, state = context.service.node.chain.at(parse_hash(at))
    return {"at": hex_of(block.hash), "proof": [hex_of(node) for node in state.prove(wanted, name)]}


@method("state_subscribeStorage")
async def subscribe_storage(context: Context, keys: Any = None) -> Any:
    connection = context.subscriber()
    if keys is None:
        raise RpcError(
            INVALID_PARAMS, "Invalid params", "name the keys to watch; all of them cannot be watched"
        )
    wanted = [parse_bytes(key, "key") for key in parse_list(keys, "keys", MAX_KEYS)]
    return context.hub.storage(connection, wanted)


@method("state_subscribeRuntimeVersion", "chain_subscribeRuntimeVersion")
async def subscribe_runtime_version(context: Context) -> Any:
    return context.hub.version(context.subscriber())


def _child(key: Any) -> bytes:
    """The unprefixed key of a child trie that is named by its prefixed one."""
    prefixed = parse_bytes(key, "child storage key")
    if not prefixed.startswith(DEFAULT_CHILD_PREFIX):
        raise RpcError(STATE_CLIENT, "Client error: Invalid child storage key")
    return prefixed[len(DEFAULT_CHILD_PREFIX) :]


@method("childstate_getStorage")
async def child_get_storage(context: Context, child: Any, key: Any, at: Any = None) -> Any:
    return optional_hex(_state(context, at).get(parse_bytes(key, "key"), _child(child)))


@method("childstate_getStorageEntries")
async def child_get_storage_entries(context: Context, child: Any, keys: Any, at: Any = None) -> Any:
    state, name = _state(context, at), _child(child)
    wanted = [parse_bytes(key, "key") for key in parse_list(keys, "keys", MAX_KEYS)]
    return [optional_hex(state.get(key, name)) for key in wanted]


@method("childstate_getStorageHash")
async def child_get_storage_hash(context: Context, child: Any, key: Any, at: Any = None) -> Any:
    value = _state(context, at).get(parse_bytes(key, "key"), _child(child))
    return None if value is None else hex_of(blake2_256(value))


@method("childstate_getStorageSize")
async def child_get_storage_size(context: Context, child: Any, key: Any, at: Any = None) -> Any:
    value = _state(context, at).get(parse_bytes(key, "key"), _child(child))
    return None if value is None else len(value)


@method("childstate_getKeys")
async def child_get_keys(context: Context, child: Any, prefix: Any, at: Any = None) -> Any:
    found = _state(context, at).keys(parse_bytes(prefix, "prefix"), None, _child(child))
    return _within([hex_of(key) for key in islice(found, MAX_KEYS + 1)])


@method("childstate_getKeysPaged", "childstate_getKeysPagedAt")
async def child_get_keys_paged(
    context: Context, child: Any, prefix: Any, count: Any, start_key: Any = None, at: Any = None
) -> Any:
    return _page(_state(context, at), prefix, count, start_key, _child(child))
