"""Reading the chain at one block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from llmnet.chain.results import Event, Header
from llmnet.chain.rpc import Rpc
from llmnet.chain.runtime import SPEC_VIEW_FUNCTION, Runtime
from llmnet.chain.runtimes import Runtimes

PAGE = 256


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
        runtime, at = await self.runtime(), (await self.header()).hash
        entry = runtime.storage(pallet, item)
        prefix, start = runtime.storage_key(entry, keys), None
        while page := await self._rpc.keys_page(prefix, PAGE, start, at):
            values = await self._rpc.storage_many(page, at)
            for key in page:
                rest = runtime.storage_key_parts(entry, key)[len(keys) :]
                yield rest[0] if len(rest) == 1 else rest, runtime.storage_value(entry, values.get(key))
            if len(page) < PAGE:
                return
            start = page[-1]

    async def constant(self, pallet: str, name: str) -> Any:
        return (await self.runtime()).constant(pallet, name)

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
