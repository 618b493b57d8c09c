"""What `chainHead_v1_storage` and `archive_v1_storage` can ask of a state, and the answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from llmnet.devnode.hashing import blake2_256
from llmnet.devnode.rpc.errors import INVALID_PARAMS, RpcError
from llmnet.devnode.rpc.registry import hex_of, parse_hex, parse_list
from llmnet.devnode.state import State

MAX_QUERIES = 1000
_KINDS = ("value", "hash", "closestDescendantMerkleValue", "descendantsValues", "descendantsHashes")


@dataclass(frozen=True)
class Query:
    """One item: what to tell (`kind`) about `key` or the keys below it, those up to `start` left out."""

    key: bytes
    kind: str
    start: bytes | None = None


def parse_queries(items: Any) -> list[Query]:
    """Reads the parameter `items`."""
    return [_parse_query(item) for item in parse_list(items, "items", MAX_QUERIES)]


def _parse_query(item: Any) -> Query:
    if not isinstance(item, dict) or item.get("type") not in _KINDS:
        raise RpcError(
            INVALID_PARAMS,
            "Invalid params",
            f'each item must be {{"key": …, "type": …}} with a type of {", ".join(_KINDS)}',
        )
    start = item.get("paginationStartKey")
    return Query(
        parse_hex(item.get("key"), "key"),
        item["type"],
        None if start is None else parse_hex(start, "paginationStartKey"),
    )


def parse_child(key: Any) -> bytes | None:
    """Reads the parameter `childTrie`: the key of a default child trie, without the common prefix."""
    return None if key is None else parse_hex(key, "childTrie")


def answers(state: State, query: Query, child: bytes | None) -> Iterator[dict[str, Any]]:
    """The items found for a query: none if there is nothing. Keys and values are hex."""
    match query.kind:
        case "value" | "hash":
            value = state.get(query.key, child)
            if value is not None:
                yield _item(query.key, value, hashed=query.kind == "hash")
        case "closestDescendantMerkleValue":
            merkle = state.closest_merkle_value(query.key, child)
            if merkle is not None:
                yield {"key": hex_of(query.key), query.kind: hex_of(merkle)}
        case _:
            for key, value in state.items(query.key, query.start, child):
                yield _item(key, value, hashed=query.kind == "descendantsHashes")


def _item(key: bytes, value: bytes, *, hashed: bool) -> dict[str, Any]:
    return {
        "key": hex_of(key),
        **({"hash": hex_of(blake2_256(value))} if hashed else {"value": hex_of(value)}),
    }
