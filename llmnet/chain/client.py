"""The client: one connection, one chain, any runtime version."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from llmnet.chain.errors import (
    DispatchFailed,
    MetadataError,
    MethodNotFound,
    UnknownEntry,
    WrongChain,
)
from llmnet.chain.extrinsic import ERA_PERIOD, Signer, encode_with_length
from llmnet.chain.follow import Follower
from llmnet.chain.nonces import NonceManager
from llmnet.chain.outcome import tx_result
from llmnet.chain.results import (
    Block,
    Cursor,
    DryRun,
    Event,
    Header,
    RuntimeVersion,
    SignedExtrinsic,
    TxResult,
)
from llmnet.chain.rpc import Rpc, from_hex, to_hex
from llmnet.chain.runtime import Runtime
from llmnet.chain.runtimes import Runtimes, default_cache_dir
from llmnet.chain.search import Place
from llmnet.chain.ss58 import ss58_encode
from llmnet.chain.submit import Submitter, Wait
from llmnet.chain.transport import Transport
from llmnet.chain.values import Call, Variant
from llmnet.chain.view import View
from llmnet.chain.websocket import WebSocketTransport


class Client:
    """Made by `async with Client.connect("ws://…") as client`, or by `await Client.over(transport)`.

    The node is trusted for what it says about the chain: run your own, or several behind one address list."""

    def __init__(
        self, transport: Transport, genesis_hash: bytes, rpc: Rpc, runtimes: Runtimes, poll: float
    ) -> None:
        self.transport, self.genesis_hash = transport, genesis_hash
        self._rpc, self._runtimes = rpc, runtimes
        self._nonces = NonceManager(self.next_nonce)
        self._submitter = Submitter(rpc, runtimes, self._nonces, genesis_hash, poll)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, urls: str | Sequence[str], *, cache_dir: Path | None = None, poll: float = 0.5, **options: Any
    ) -> AsyncGenerator[Client, None]:
        """Connects over WebSocket; `options` are those of `WebSocketTransport`. Metadata is cached in
        `cache_dir` (default: the user's cache directory). Raises RequestTimeout if no endpoint answers."""
        transport = WebSocketTransport([urls] if isinstance(urls, str) else urls, **options)
        try:
            client = await cls.over(transport, cache_dir=cache_dir or default_cache_dir(), poll=poll)
            transport.handshake = client._check_genesis
            yield client
        finally:
            await transport.close()

    @classmethod
    async def over(cls, transport: Transport, *, cache_dir: Path | None = None, poll: float = 0.5) -> Client:
        """A client over any transport; the caller closes the transport. Without `cache_dir` nothing is kept
        on disk."""
        rpc = Rpc(transport)
        genesis = await rpc.block_hash(0)
        best = await rpc.block_hash()
        if genesis is None or best is None:
            raise MetadataError("the node has no genesis block")
        runtimes = Runtimes(rpc, cache_dir)
        await runtimes.at(best)
        return cls(transport, genesis, rpc, runtimes, poll)

    async def _check_genesis(self, request: Any) -> None:
        found = from_hex(await request("chain_getBlockHash", [0]))
        if found != self.genesis_hash:
            raise WrongChain(
                f"the endpoint serves genesis {to_hex(found)}, wanted {to_hex(self.genesis_hash)}"
            )

    # Reading

    @property
    def runtime(self) -> Runtime:
        """The newest runtime met so far."""
        return self._runtimes.latest

    @property
    def runtime_version(self) -> RuntimeVersion:
        return self.runtime.version

    async def request(self, method: str, *params: Any) -> Any:
        """Any RPC method of the node, raw."""
        return await self.transport.request(method, params)

    async def head(self) -> Header:
        """The best block."""
        block_hash = await self._rpc.block_hash()
        assert block_hash is not None
        return await self._rpc.header(block_hash)

    async def finalized_head(self) -> Header:
        return await self._rpc.header(await self._rpc.finalized_hash())

    def at(self, block: bytes | Header | Block | Cursor | None = None) -> View:
        """A view pinned to a block; without one, to the best block at its first use."""
        return View(
            self._rpc, self._runtimes, block if block is None or isinstance(block, bytes) else block.hash
        )

    async def block_hash(self, number: int) -> bytes | None:
        """The best chain's block of that number, None beyond its head."""
        return await self._rpc.block_hash(number)

    def constant(self, pallet: str, name: str) -> Any:
        return self.runtime.constant(pallet, name)

    async def query(self, pallet: str, item: str, *keys: Any) -> Any:
        """One storage value at the best block. For several values of one moment use one `at()` view."""
        return await self.at().query(pallet, item, *keys)

    async def view_function(self, pallet: str, name: str, **args: Any) -> Any:
        return await self.at().view_function(pallet, name, **args)

    async def blocks(
        self, from_block: int | None = None, *, after: Cursor | None = None, finalized: bool = True
    ) -> AsyncGenerator[Block, None]:
        """Every block in order, without gap over reconnects, endless. Starts at `from_block`, after a cursor,
        or with the next block. Persist `block.cursor` when a block was processed. See `follow.Follower` for
        errors."""
        async with aclosing(
            Follower(self._rpc, self._runtimes, finalized).blocks(from_block, after)
        ) as blocks:
            async for block in blocks:
                yield block

    async def events(
        self,
        wanted: Collection[tuple[str, str]] | None = None,
        from_block: int | None = None,
        *,
        after: Cursor | None = None,
        finalized: bool = True,
    ) -> AsyncGenerator[Event, None]:
        """The events named ("Pallet", "Event"), or all. Raises UnknownEntry for a name the runtime does not
        have."""
        names = None if wanted is None else frozenset(wanted)
        for pallet, name in names or ():
            self._check_event(pallet, name)
        async with aclosing(self.blocks(from_block, after=after, finalized=finalized)) as blocks:
            async for block in blocks:
                for event in block.events:
                    if names is None or (event.pallet, event.name) in names:
                        yield event

    def _check_event(self, pallet: str, name: str) -> None:
        events = self.runtime.metadata.pallet(pallet).events
        if events is None or self.runtime.metadata.types.enum(events).find(name) is None:
            raise UnknownEntry(f"{pallet} has no event {name!r}")

    # Writing

    def call(self, pallet: str, function: str, **args: Any) -> Call:
        """A call, checked against the runtime's types; calls nest: `call("Sudo", "sudo", call=call(…))`.

        Raises UnknownEntry, EncodeError."""
        return self.runtime.call(pallet, function, args)

    async def next_nonce(self, account: bytes) -> int:
        """Pool included where the node tells it."""
        try:
            return await self._rpc.next_index(ss58_encode(account))
        except MethodNotFound:
            return await self.at().account_nonce(account)

    async def sign(
        self,
        call: Call,
        signer: Signer,
        *,
        nonce: int | None = None,
        tip: int = 0,
        period: int | None = ERA_PERIOD,
    ) -> SignedExtrinsic:
        """A signed extrinsic that is not sent. The nonce is not reserved."""
        number = await self.next_nonce(signer.public) if nonce is None else nonce
        return await self._submitter.sign(call, signer, number, tip, period)

    async def submit(
        self,
        call: Call,
        signer: Signer,
        *,
        wait: Wait = "finalized",
        tip: int = 0,
        period: int = ERA_PERIOD,
        timeout: float | None = None,
        check: bool = True,
    ) -> TxResult:
        """Signs with the next nonce, sends, and waits until the transaction is in a block or finalised.

        period: blocks it is valid for. timeout: seconds to wait after it was sent.
        Raises DispatchFailed when the call failed (`check=False` returns the result instead),
        TransactionError otherwise.
        """
        if wait not in ("in_block", "finalized"):
            raise ValueError(f"wait is 'in_block' or 'finalized', not {wait!r}")
        extrinsic, place = await self._submitter.submit(call, signer, wait, tip, period, timeout)
        result = await self.outcome(extrinsic, place, finalized=wait == "finalized")
        if check and result.error is not None:
            raise DispatchFailed(result, result.error)
        return result

    async def locate(self, extrinsic: SignedExtrinsic) -> Place | None:
        """Where an extrinsic is on the best chain, if it is."""
        return await self._submitter.locate(extrinsic)

    async def outcome(self, extrinsic: SignedExtrinsic, place: Place, *, finalized: bool = False) -> TxResult:
        view = self.at(place.block_hash)
        return tx_result(await view.runtime(), extrinsic, place, await view.events(), finalized)

    async def fee(self, call: Call, account: bytes, *, tip: int = 0) -> int:
        """The estimated fee in plancks, tip included. Needs no key: the estimate looks at the size only."""
        extrinsic = await self.sign(call, _Blank(account), tip=tip)
        view = self.at()
        runtime = await view.code_runtime()
        function = runtime.api("TransactionPaymentApi", "query_info")
        raw = await view.call_api("TransactionPaymentApi_query_info", encode_with_length(extrinsic.data))
        return int(runtime.codec.decode(function.output, raw)["partial_fee"]) + tip

    async def dry_run(self, call: Call, signer: Signer) -> DryRun:
        """What the call would do on the best block's state. Nothing is submitted.

        The node sees a valid signature, so the trial is mortal for the next two blocks only."""
        head = await self.head()
        if head.number == 0:
            return DryRun(invalid="the genesis state cannot execute transactions: wait for block 1")
        nonce = await self.at(head).account_nonce(signer.public)
        parent = await self._rpc.header(head.parent)
        extrinsic = await self._submitter.sign(call, signer, nonce, period=4, anchor=parent)
        runtime = await self.at(head).code_runtime()
        function = runtime.api("BlockBuilder", "apply_extrinsic")
        raw = await self.at(head).call_api("BlockBuilder_apply_extrinsic", extrinsic.data)
        outer: Variant = runtime.codec.decode(function.output, raw)
        if outer.name != "Ok":
            reason = outer.value
            return DryRun(invalid=f"{reason.name}: {getattr(reason.value, 'name', reason.value)}")
        inner: Variant = outer.value
        return DryRun(error=None if inner.name == "Ok" else runtime.dispatch_error(inner.value))


class _Blank:
    """Signs with zeros, for estimates that need the form of a transaction and not its authority."""

    def __init__(self, public: bytes) -> None:
        self.public = public

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002 - the form of a Signer
        return bytes(64)
