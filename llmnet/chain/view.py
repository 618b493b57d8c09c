"""Reading the chain at one block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, TypeVar, TypeVarTuple, overload

from llmnet.chain.codec import TypeCodec
from llmnet.chain.entries import (
    ApiMethod,
    ConstantEntry,
    Occurrence,
    PalletEvent,
    StorageDoubleMap,
    StorageKey,
    StorageMap,
    StorageNMap,
    ViewFunction,
)
from llmnet.chain.metadata import StorageEntry
from llmnet.chain.results import Event, Header
from llmnet.chain.rpc import Rpc
from llmnet.chain.runtime import SPEC_VIEW_FUNCTION, Runtime
from llmnet.chain.runtimes import Runtimes

PAGE = 256
K = TypeVar("K")
K1 = TypeVar("K1")
K2 = TypeVar("K2")
V = TypeVar("V")
V1 = TypeVar("V1")
V2 = TypeVar("V2")
V3 = TypeVar("V3")
R = TypeVar("R")
E = TypeVar("E", bound=PalletEvent)
Ks = TypeVarTuple("Ks")


class View:
    """An immutable view of one block. Made by `client.at(...)`; without a block it pins the best one at first
    use.

    Storage and events of a block were written by the runtime that executed it, which is the one in its
    parent's state; runtime calls run the code in the block's own state. The two differ only in the block of
    an upgrade."""

    def __init__(self, rpc: Rpc, runtimes: Runtimes, block_hash: bytes | None) -> None:
        self._rpc, self._runtimes = rpc, runtimes
        self._hash = block_hash
        self._header: Header | None = None
        self._lock = asyncio.Lock()

    async def header(self) -> Header:
        """The pinned block's header. Raises BlockNotFound."""
        async with self._lock:
            if self._header is None:
                block_hash = self._hash or await self._rpc.block_hash()
                assert block_hash is not None  # there always is a best block
                self._header = await self._rpc.header(block_hash)
                self._hash = block_hash
            return self._header

    async def runtime(self) -> Runtime:
        """The runtime that wrote this block's state."""
        header = await self.header()
        return await self._runtimes.at(header.parent if header.number else header.hash)

    # Reading with generated entries. All raise IncompatibleRuntime where this block's runtime has another shape

    async def get(self, item: StorageNMap[*Ks, V], *keys: *Ks) -> V:
        """One storage value: `await view.get(System.Account, who)`. Raises what `query` raises."""
        key: StorageKey[V] = item.at(*keys)
        return (await self.read_all([key]))[0]

    @overload
    async def read(self, a: StorageKey[V1], b: StorageKey[V2], /) -> tuple[V1, V2]: ...
    @overload
    async def read(self, a: StorageKey[V1], b: StorageKey[V2], c: StorageKey[V3], /) -> tuple[V1, V2, V3]: ...
    async def read(self, *keys: StorageKey[Any]) -> tuple[Any, ...]:
        """Values of several items at once: `await view.read(Bonds.at(who), Account.at(who))`."""
        return tuple(await self.read_all(keys))

    async def read_all(self, keys: Sequence[StorageKey[V]]) -> list[V]:
        """Values in the order of their keys, in as few requests as the node allows."""
        runtime, at = await self.runtime(), (await self.header()).hash
        entries = [runtime.bound.storage(key.entry) for key in keys]
        for key, entry in zip(keys, entries, strict=True):
            if len(key.keys) != len(entry.keys):
                raise TypeError(f"{key.entry} takes {len(entry.keys)} keys, got {len(key.keys)}: use items")
        raw_keys = [runtime.storage_key(entry, key.keys) for key, entry in zip(keys, entries, strict=True)]
        if len(raw_keys) == 1:
            values = {raw_keys[0]: await self._rpc.storage(raw_keys[0], at)}
        else:
            values = dict(await self._rpc.storage_many(raw_keys, at))
        return [
            runtime.storage_value(entry, values.get(raw), runtime.bound.codec(key.entry.types))
            for key, entry, raw in zip(keys, entries, raw_keys, strict=True)
        ]

    @overload
    def items(  # type: ignore[overload-overlap] # a StorageMap is a StorageNMap of one key: the first fits
        self, item: StorageMap[K, V | None], /
    ) -> AsyncGenerator[tuple[K, V], None]: ...
    @overload
    def items(
        self, item: StorageDoubleMap[K1, K2, V | None], first: K1, /
    ) -> AsyncGenerator[tuple[K2, V], None]: ...
    @overload
    def items(self, item: StorageNMap[*Ks, V | None], /) -> AsyncGenerator[tuple[tuple[*Ks], V], None]: ...
    async def items(
        self, item: StorageNMap[*tuple[Any, ...], Any], *keys: Any
    ) -> AsyncGenerator[tuple[Any, Any], None]:
        """(key, value) of every entry of a map, or of those under a first key, page by page. Several remaining keys
        come as a tuple; one that is stored only as a hash comes as its hash."""
        runtime = await self.runtime()
        entry = runtime.bound.storage(item.entry)
        async for pair in self._entries(entry, keys, runtime.bound.codec(item.entry.types)):
            yield pair

    async def typed_events(self, kind: type[E]) -> list[Occurrence[E]]:
        """The block's events of one class, in order."""
        (await self.runtime()).bound.check_event(kind)
        found = [(kind.read(event), event) for event in await self.events()]
        return [
            Occurrence(typed, event.block_number, event.block_hash, event.extrinsic_index)
            for typed, event in found
            if typed is not None
        ]

    async def ask(self, function: ViewFunction[R] | ApiMethod[R], args: Mapping[str, Any]) -> R:
        """Calls a view function or a method of a runtime API. Generated functions are made of this."""
        runtime = await self.code_runtime()
        codec = runtime.bound.codec(function.entry.types)
        if isinstance(function, ViewFunction):
            found = runtime.bound.view_function(function)
            raw = await self.call_api(SPEC_VIEW_FUNCTION, runtime.encode_view_call(found, dict(args)))
            result: R = runtime.decode_view_result(found, raw, codec)
            return result
        found = runtime.bound.api(function)
        name = f"{function.entry.pallet}_{function.entry.name}"
        raw = await self.call_api(name, runtime.encode_inputs(found, dict(args)))
        answer: R = codec.decode(found.output, raw)
        return answer

    # Reading by name

    async def query(self, pallet: str, item: str, *keys: Any) -> Any:
        """One storage value, decoded; None if absent and optional, else the runtime's default.

        Raises UnknownEntry, EncodeError (keys), DecodeError and what the transport raises."""
        runtime, at = await self.runtime(), (await self.header()).hash
        entry = runtime.storage(pallet, item)
        key = runtime.storage_key(entry, keys)
        if len(keys) != len(entry.keys):
            raise TypeError(f"{pallet}.{item} takes {len(entry.keys)} keys, got {len(keys)}: use query_map")
        return runtime.storage_value(entry, await self._rpc.storage(key, at))

    async def query_map(self, pallet: str, item: str, *keys: Any) -> AsyncGenerator[tuple[Any, Any], None]:
        """(key, value) of every entry under the given leading keys, page by page.

        The key is the remaining key, or a tuple where several remain."""
        runtime = await self.runtime()
        async for pair in self._entries(runtime.storage(pallet, item), keys, runtime.codec):
            yield pair

    async def _entries(
        self, entry: StorageEntry, keys: Sequence[Any], codec: TypeCodec
    ) -> AsyncGenerator[tuple[Any, Any], None]:
        runtime, at = await self.runtime(), (await self.header()).hash
        prefix, start = runtime.storage_key(entry, keys), None
        while page := await self._rpc.keys_page(prefix, PAGE, start, at):
            values = await self._rpc.storage_many(page, at)
            for key in page:
                rest = runtime.storage_key_parts(entry, key, codec)[len(keys) :]
                value = runtime.storage_value(entry, values.get(key), codec)
                yield rest[0] if len(rest) == 1 else rest, value
            if len(page) < PAGE:
                return
            start = page[-1]

    @overload
    async def constant(self, pallet: ConstantEntry[V]) -> V: ...
    @overload
    async def constant(self, pallet: str, name: str) -> Any: ...
    async def constant(self, pallet: str | ConstantEntry[V], name: str = "") -> Any:
        """A constant, by its generated entry or by name."""
        runtime = await self.runtime()
        return runtime.constant(pallet, name) if isinstance(pallet, str) else runtime.bound.constant(pallet)

    async def events(self) -> tuple[Event, ...]:
        """All events of the block, in order."""
        runtime, header = await self.runtime(), await self.header()
        key = runtime.storage_key(runtime.storage("System", "Events"), ())
        return runtime.decode_events(await self._rpc.storage(key, header.hash), header.number, header.hash)

    async def extrinsics(self) -> list[bytes]:
        """The encoded extrinsics of the block."""
        return await self._rpc.body((await self.header()).hash)

    async def call_api(self, method: str, data: bytes = b"") -> bytes:
        """A runtime API by its raw name (`AuraApi_slot_duration`) and SCALE arguments."""
        return await self._rpc.call(method, data, (await self.header()).hash)

    async def runtime_api(self, api: str, method: str, **args: Any) -> Any:
        """A runtime API with decoded arguments and result (metadata V15 or newer)."""
        runtime = await self.code_runtime()
        function = runtime.api(api, method)
        raw = await self.call_api(f"{api}_{method}", runtime.encode_inputs(function, args))
        return runtime.codec.decode(function.output, raw)

    async def account_nonce(self, account: bytes) -> int:
        """The nonce in this block's state; transactions waiting in the pool do not count."""
        raw = await self.call_api("AccountNonceApi_account_nonce", account)
        return int.from_bytes(raw, "little")

    async def view_function(self, pallet: str, name: str, **args: Any) -> Any:
        """A pallet's view function (metadata V16)."""
        runtime = await self.code_runtime()
        function = runtime.view_function(pallet, name)
        raw = await self.call_api(SPEC_VIEW_FUNCTION, runtime.encode_view_call(function, args))
        return runtime.decode_view_result(function, raw)

    async def code_runtime(self) -> Runtime:
        """The runtime in this block's state: the one that executes the next block."""
        return await self._runtimes.at((await self.header()).hash)
