"""The client: one connection, one chain, any runtime version."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

from llmnet.chain.cursors import CursorFile
from llmnet.chain.curves import SR25519, Scheme
from llmnet.chain.entries import Occurrence, PalletEvent
from llmnet.chain.errors import (
    DispatchFailed,
    MetadataError,
    MethodNotFound,
    UnknownEntry,
    WrongChain,
)
from llmnet.chain.estimates import applied, partial_fee
from llmnet.chain.extrinsic import ERA_PERIOD, Signer, encode_with_length
from llmnet.chain.follow import HISTORY, QUIET, Follower
from llmnet.chain.nonces import NonceManager
from llmnet.chain.outcome import tx_result
from llmnet.chain.proxies import Delegate
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
from llmnet.chain.search import Place, locate
from llmnet.chain.ss58 import ss58_encode
from llmnet.chain.submit import OnStatus, Plan, Submitter, Wait
from llmnet.chain.transport import Transport
from llmnet.chain.values import Call
from llmnet.chain.view import View
from llmnet.chain.websocket import WebSocketTransport

E = TypeVar("E", bound=PalletEvent)
_BATCHES = {"all": "batch_all", "until_failure": "batch", "each": "force_batch"}
BatchMode = Literal["all", "until_failure", "each"]


class Client:
    """Made by `async with Client.connect("ws://…") as client`, or by `await Client.over(transport)`.

    The node is trusted for what it says about the chain: run your own, or several behind one address list."""

    def __init__(
        self,
        transport: Transport,
        genesis_hash: bytes,
        rpc: Rpc,
        runtimes: Runtimes,
        poll: float,
        quiet: float = QUIET,
    ) -> None:
        self.transport, self.genesis_hash = transport, genesis_hash
        self._rpc, self._runtimes, self._quiet = rpc, runtimes, quiet
        self._nonces = NonceManager(self.next_nonce)
        self._submitter = Submitter(rpc, runtimes, self._nonces, genesis_hash, poll, quiet)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        urls: str | Sequence[str],
        *,
        cache_dir: Path | None = None,
        poll: float = 0.5,
        quiet: float = QUIET,
        **options: Any,
    ) -> AsyncGenerator[Client, None]:
        """Connects over WebSocket; `options` are those of `WebSocketTransport`. Metadata is cached in
        `cache_dir` (default: the user's cache directory). quiet: seconds without a notification after which the node is
        asked. Raises RequestTimeout if no endpoint answers."""
        transport = WebSocketTransport([urls] if isinstance(urls, str) else urls, **options)
        try:
            client = await cls.over(
                transport, cache_dir=cache_dir or default_cache_dir(), poll=poll, quiet=quiet
            )
            transport.handshake = client._check_genesis
            yield client
        finally:
            await transport.close()

    @classmethod
    async def over(
        cls, transport: Transport, *, cache_dir: Path | None = None, poll: float = 0.5, quiet: float = QUIET
    ) -> Client:
        """A client over any transport; the caller closes the transport. Without `cache_dir` nothing is kept
        on disk."""
        rpc = Rpc(transport)
        genesis = await rpc.block_hash(0)
        best = await rpc.block_hash()
        if genesis is None or best is None:
            raise MetadataError("the node has no genesis block")
        runtimes = Runtimes(rpc, cache_dir)
        await runtimes.at(best)
        return cls(transport, genesis, rpc, runtimes, poll, quiet)

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
        self,
        from_block: int | None = None,
        *,
        after: Cursor | CursorFile | None = None,
        finalized: bool = True,
    ) -> AsyncGenerator[Block, None]:
        """Every block in order, without gap over reconnects, endless. Starts after a cursor, else at `from_block`, else
        with the next block. A `CursorFile` moves on by itself, otherwise persist `block.cursor` when a block was
        processed. See `follow.Follower` for errors."""
        file, cursor = (after, None) if isinstance(after, CursorFile) else (None, after)
        if file is not None:
            if not finalized:
                raise ValueError("a cursor file follows the finalised chain: other blocks may vanish")
            cursor = file.load(self.genesis_hash)
        follower = Follower(self._rpc, self._runtimes, finalized, self._quiet)
        async with aclosing(follower.blocks(from_block, cursor)) as blocks:
            async for block in blocks:
                yield block
                if file is not None:
                    file.save(self.genesis_hash, block.cursor)

    @overload
    def events(
        self,
        wanted: type[E],
        from_block: int | None = None,
        *,
        after: Cursor | CursorFile | None = None,
        finalized: bool = True,
    ) -> AsyncGenerator[Occurrence[E], None]: ...
    @overload
    def events(
        self,
        wanted: Collection[tuple[str, str]] | None = None,
        from_block: int | None = None,
        *,
        after: Cursor | CursorFile | None = None,
        finalized: bool = True,
    ) -> AsyncGenerator[Event, None]: ...
    async def events(
        self,
        wanted: type[PalletEvent] | Collection[tuple[str, str]] | None = None,
        from_block: int | None = None,
        *,
        after: Cursor | CursorFile | None = None,
        finalized: bool = True,
    ) -> AsyncGenerator[Any, None]:
        """The events of one generated class, those named ("Pallet", "Event"), or all. On the best chain
        (`finalized=False`) the events of blocks that a reorganisation removed come once more, newest first, with
        `retracted` set. Starts as `blocks` does.

        Raises UnknownEntry for a name the runtime does not have, IncompatibleRuntime for a class of another shape."""
        kind = wanted if isinstance(wanted, type) else None
        names = _names(wanted)
        for pallet, name in names or ():
            self._check_event(pallet, name)
        given: OrderedDict[bytes, list[Event]] = OrderedDict()  # by block, as far back as it may be retracted
        async with aclosing(self.blocks(from_block, after=after, finalized=finalized)) as blocks:
            async for block in blocks:
                for gone in block.retracts:
                    for event in reversed(given.pop(gone, [])):
                        yield _typed(kind, replace(event, retracted=True))
                chosen = [
                    event for event in block.events if names is None or (event.pallet, event.name) in names
                ]
                if not finalized:
                    given[block.hash] = chosen
                    while len(given) > HISTORY:
                        given.popitem(last=False)
                for event in chosen:
                    yield _typed(kind, event)

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

    def batch(self, calls: Sequence[Call], mode: BatchMode = "all") -> Call:
        """Several calls as one: `all` or nothing, in order `until_failure`, or `each` whatever becomes of the others.

        Raises UnknownEntry if the runtime has no pallet Utility."""
        return self.call("Utility", _BATCHES[mode], calls=list(calls))

    async def sign(
        self,
        call: Call,
        signer: Signer,
        *,
        nonce: int | None = None,
        tip: int = 0,
        period: int | None = ERA_PERIOD,
        proxy_for: bytes | None = None,
    ) -> SignedExtrinsic:
        """A signed extrinsic that is not sent (see `submit_signed`). The nonce is not reserved."""
        call, signer = acting(call, signer, proxy_for)
        number = await self.next_nonce(signer.account) if nonce is None else nonce
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
        proxy_for: bytes | None = None,
        on_status: OnStatus | None = None,
    ) -> TxResult:
        """Signs with the next nonce, sends, and waits until the transaction is in a block or finalised.

        period: blocks it is valid for; longer where finality lags behind. timeout: seconds to wait after it was sent.
        proxy_for: the account whose proxy the signer is. on_status: told of every step on the way.
        Raises DispatchFailed when the call failed (`check=False` returns the result instead),
        TransactionError otherwise.
        """
        call, signer = acting(call, signer, proxy_for)
        plan = Plan(wait, tip, period, timeout, on_status)
        extrinsic, place = await self._submitter.submit(call, signer, plan)
        return await self._result(extrinsic, place, wait, check)

    async def submit_signed(
        self,
        extrinsic: SignedExtrinsic,
        *,
        wait: Wait = "finalized",
        timeout: float | None = None,
        check: bool = True,
        on_status: OnStatus | None = None,
    ) -> TxResult:
        """Sends what `sign` made, here or elsewhere, and waits like `submit`. Sending it again is harmless."""
        plan = Plan(wait, timeout=timeout, on_status=on_status)
        place = await self._submitter.submit_signed(extrinsic, plan)
        return await self._result(extrinsic, place, wait, check)

    async def _result(self, extrinsic: SignedExtrinsic, place: Place, wait: Wait, check: bool) -> TxResult:
        result = await self.outcome(extrinsic, place, finalized=wait == "finalized")
        if check and result.error is not None:
            raise DispatchFailed(result, result.error)
        return result

    async def locate(self, extrinsic: SignedExtrinsic) -> Place | None:
        """Where an extrinsic is on the best chain, if it is."""
        return await locate(self._rpc, extrinsic)

    async def outcome(self, extrinsic: SignedExtrinsic, place: Place, *, finalized: bool = False) -> TxResult:
        view = self.at(place.block_hash)
        return tx_result(await view.runtime(), extrinsic, place, await view.events(), finalized)

    async def fee(
        self,
        call: Call,
        account: bytes | Signer,
        *,
        tip: int = 0,
        proxy_for: bytes | None = None,
    ) -> int:
        """The estimated fee in plancks, tip included. Nothing is signed: the estimate looks at the size only, and an
        account (of an sr25519 key) will do."""
        signer = _Blank(account, SR25519) if isinstance(account, bytes) else account
        call, signer = acting(call, signer, proxy_for)
        extrinsic = await self.sign(call, _Blank(signer.account, signer.scheme), tip=tip)
        view = self.at()
        raw = await view.call_api("TransactionPaymentApi_query_info", encode_with_length(extrinsic.data))
        return partial_fee(await view.code_runtime(), raw) + tip

    async def dry_run(self, call: Call, signer: Signer, *, proxy_for: bytes | None = None) -> DryRun:
        """What the call would do on the best block's state. Nothing is submitted.

        The node sees a valid signature, so the trial is mortal for the next two blocks only. What a proxy or a batch
        makes of the calls inside is not told by this."""
        head = await self.head()
        if head.number == 0:
            return DryRun(invalid="the genesis state cannot execute transactions: wait for block 1")
        call, signer = acting(call, signer, proxy_for)
        nonce = await self.at(head).account_nonce(signer.account)
        parent = await self._rpc.header(head.parent)
        extrinsic = await self._submitter.sign(call, signer, nonce, period=4, anchor=parent)
        raw = await self.at(head).call_api("BlockBuilder_apply_extrinsic", extrinsic.data)
        return applied(await self.at(head).code_runtime(), raw)


def _names(
    wanted: type[PalletEvent] | Collection[tuple[str, str]] | None,
) -> frozenset[tuple[str, str]] | None:
    if isinstance(wanted, type):
        return frozenset({(wanted.ENTRY.pallet, wanted.ENTRY.name)})
    return None if wanted is None else frozenset(wanted)


def _typed(kind: type[PalletEvent] | None, event: Event) -> Any:
    if kind is None:
        return event
    found = kind.read(event)
    assert found is not None  # it was chosen by its name
    return Occurrence(found, event.block_number, event.block_hash, event.extrinsic_index, event.retracted)


def acting(call: Call, signer: Signer, proxy_for: bytes | None = None) -> tuple[Call, Signer]:
    """What is sent, and whose key signs it: a delegate's call is wrapped for its owner."""
    if proxy_for is not None:
        signer = Delegate(signer, proxy_for)
    while isinstance(signer, Delegate):
        call, signer = signer.wrap(call), signer.hot
    return call, signer


class _Blank:
    """Signs with zeros, for estimates that need the form of a transaction and not its authority."""

    def __init__(self, account: bytes, scheme: Scheme) -> None:
        self.public = self.account = account
        self.scheme = scheme

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002 - the form of a Signer
        return bytes(self.scheme.signature_size)
