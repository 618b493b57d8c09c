"""Methods `offchain_*`: the local storage of offchain workers."""

from __future__ import annotations

from typing import Any

from llmnet.devnode.rpc.errors import INVALID_PARAMS, OFFCHAIN_KIND, RpcError
from llmnet.devnode.rpc.offchain_storage import OffchainStorage
from llmnet.devnode.rpc.registry import Context, method, optional_hex, parse_bytes


def _storage(context: Context, kind: Any) -> OffchainStorage:
    if kind not in ("PERSISTENT", "LOCAL"):
        raise RpcError(INVALID_PARAMS, "Invalid params", "kind: PERSISTENT or LOCAL expected")
    if kind == "LOCAL":
        raise RpcError(OFFCHAIN_KIND, "This storage kind is not available yet")
    return context.hub.offchain


@method("offchain_localStorageSet", unsafe=True)
async def local_storage_set(context: Context, kind: Any, key: Any, value: Any) -> Any:
    _storage(context, kind).put(parse_bytes(key, "key"), parse_bytes(value, "value"))


@method("offchain_localStorageGet", unsafe=True)
async def local_storage_get(context: Context, kind: Any, key: Any) -> Any:
    return optional_hex(_storage(context, kind).get(parse_bytes(key, "key")))


@method("offchain_localStorageClear", unsafe=True)
async def local_storage_clear(context: Context, kind: Any, key: Any) -> Any:
    _storage(context, kind).clear(parse_bytes(key, "key"))
