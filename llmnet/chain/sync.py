"""A synchronous face of the client for scripts and notebooks: the same names, run on one background loop. It works inside
a running loop too, as notebooks have one; the loop stands still meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Collection, Coroutine, Generator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from types import TracebackType
from typing import Any, TypeVar, overload

from llmnet.chain.client import BatchMode, Client
from llmnet.chain.cursors import CursorFile
from llmnet.chain.entries import Occurrence, PalletEvent
from llmnet.chain.extrinsic import Signer
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
from llmnet.chain.runtime import Runtime
from llmnet.chain.search import Place
from llmnet.chain.values import Call
from llmnet.chain.view import View

T = TypeVar("T")
E = TypeVar("E", bound=PalletEvent)
At = bytes | Header | Block | Cursor | None


class SyncClient:
    """`with SyncClient.connect("ws://…") as client`, or in a notebook `client = SyncClient.open("ws://…")` and at the end
    `client.close()`.

    Anything asynchronous of this package or of the pallets runs by `client.run(…)`, with the asynchronous client as
    `client.aio`: `client.run(staking.bond_of(client.aio.at(), who))`."""

    def __init__(self, runner: _Runner, aio: Client, connection: AbstractAsyncContextManager[Client]) -> None:
        self._runner, self.aio, self._connection = runner, aio, connection

    @classmethod
    @contextmanager
    def connect(cls, urls: str | Sequence[str], **options: Any) -> Iterator[SyncClient]:
        """Options are those of `Client.connect`."""
        with cls.open(urls, **options) as client:
            yield client

    @classmethod
    def open(cls, urls: str | Sequence[str], **options: Any) -> SyncClient:
        """The same without `with`: call `close` at the end."""
        runner = _Runner()
        try:
            connection: AbstractAsyncContextManager[Client] = Client.connect(urls, **options)
            return cls(runner, runner.run(connection.__aenter__()), connection)
        except BaseException:
            runner.close()
            raise

    def close(self) -> None:
        """Idempotent."""
        if not self._runner.closed:
            try:
                self.run(self._connection.__aexit__(None, None, None))
            finally:
                self._runner.close()

    def __enter__(self) -> SyncClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Whatever is asynchronous, to its end. Raises RuntimeError after `close`, and when called from a callback."""
        return self._runner.run(work)

    # Reading

    @property
    def genesis_hash(self) -> bytes:
        return self.aio.genesis_hash

    @property
    def runtime(self) -> Runtime:
        return self.aio.runtime

    @property
    def runtime_version(self) -> RuntimeVersion:
        return self.aio.runtime_version

    def request(self, method: str, *params: Any) -> Any:
        return self.run(self.aio.request(method, *params))

    def head(self) -> Header:
        return self.run(self.aio.head())

    def finalized_head(self) -> Header:
        return self.run(self.aio.finalized_head())

    def block_hash(self, number: int) -> bytes | None:
        return self.run(self.aio.block_hash(number))

    def at(self, block: At = None) -> SyncView:
        return SyncView(self._runner, self.aio.at(block))

    def constant(self, pallet: str, name: str) -> Any:
        return self.aio.constant(pallet, name)

    def query(self, pallet: str, item: str, *keys: Any) -> Any:
        return self.at().query(pallet, item, *keys)

    def query_map(self, pallet: str, item: str, *keys: Any) -> list[tuple[Any, Any]]:
        return list(self.at().query_map(pallet, item, *keys))

    def view_function(self, pallet: str, name: str, **args: Any) -> Any:
        return self.run(self.aio.view_function(pallet, name, **args))

    def blocks(
        self,
        from_block: int | None = None,
        *,
        after: Cursor | CursorFile | None = None,
        finalized: bool = True,
    ) -> Generator[Block, None, None]:
        """Waits for the next block; endless."""
        return self._runner.iterate(self.aio.blocks(from_block, after=after, finalized=finalized))

    @overload
    def events(self, wanted: type[E], **options: Any) -> Generator[Occurrence[E], None, None]: ...
    @overload
    def events(
        self, wanted: Collection[tuple[str, str]] | None = None, **options: Any
    ) -> Generator[Event, None, None]: ...
    def events(self, wanted: Any = None, **options: Any) -> Generator[Any, None, None]:
        """Waits for the next event; endless. Options are those of `Client.events`."""
        return self._runner.iterate(self.aio.events(wanted, **options))

    # Writing

    def call(self, pallet: str, function: str, **args: Any) -> Call:
        return self.aio.call(pallet, function, **args)

    def batch(self, calls: Sequence[Call], mode: BatchMode = "all") -> Call:
        return self.aio.batch(calls, mode)

    def next_nonce(self, account: bytes) -> int:
        return self.run(self.aio.next_nonce(account))

    def sign(self, call: Call, signer: Signer, **options: Any) -> SignedExtrinsic:
        return self.run(self.aio.sign(call, signer, **options))

    def submit(self, call: Call, signer: Signer, **options: Any) -> TxResult:
        return self.run(self.aio.submit(call, signer, **options))

    def submit_signed(self, extrinsic: SignedExtrinsic, **options: Any) -> TxResult:
        return self.run(self.aio.submit_signed(extrinsic, **options))

    def locate(self, extrinsic: SignedExtrinsic) -> Place | None:
        return self.run(self.aio.locate(extrinsic))

    def outcome(self, extrinsic: SignedExtrinsic, place: Place, *, finalized: bool = False) -> TxResult:
        return self.run(self.aio.outcome(extrinsic, place, finalized=finalized))

    def fee(self, call: Call, account: bytes | Signer, **options: Any) -> int:
        return self.run(self.aio.fee(call, account, **options))

    def dry_run(self, call: Call, signer: Signer, **options: Any) -> DryRun:
        return self.run(self.aio.dry_run(call, signer, **options))


class SyncView:
    """A view of one block (see `View`, which is its `aio`): what reads one value here returns it, what iterates there
    iterates here."""

    def __init__(self, runner: _Runner, aio: View) -> None:
        self._runner, self.aio = runner, aio

    def header(self) -> Header:
        return self._runner.run(self.aio.header())

    def query(self, pallet: str, item: str, *keys: Any) -> Any:
        return self._runner.run(self.aio.query(pallet, item, *keys))

    def query_map(self, pallet: str, item: str, *keys: Any) -> Generator[tuple[Any, Any], None, None]:
        return self._runner.iterate(self.aio.query_map(pallet, item, *keys))

    def constant(self, pallet: str, name: str) -> Any:
        return self._runner.run(self.aio.constant(pallet, name))

    def events(self) -> tuple[Event, ...]:
        return self._runner.run(self.aio.events())

    def extrinsics(self) -> list[bytes]:
        return self._runner.run(self.aio.extrinsics())

    def runtime_api(self, api: str, method: str, **args: Any) -> Any:
        return self._runner.run(self.aio.runtime_api(api, method, **args))

    def call_api(self, method: str, data: bytes = b"") -> bytes:
        return self._runner.run(self.aio.call_api(method, data))

    def view_function(self, pallet: str, name: str, **args: Any) -> Any:
        return self._runner.run(self.aio.view_function(pallet, name, **args))

    def account_nonce(self, account: bytes) -> int:
        return self._runner.run(self.aio.account_nonce(account))


class _Runner:
    """One event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llmnet-chain", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        return self._loop.is_closed()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        if self.closed or threading.current_thread() is self._thread:
            work.close()
            why = (
                "the client is closed"
                if self.closed
                else "a callback of the client cannot wait for the client"
            )
            raise RuntimeError(why)
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, source: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        try:
            while True:
                try:
                    item = self.run(_next(source))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            if not self.closed:
                self.run(source.aclose())


async def _next(source: AsyncGenerator[T, None]) -> T:
    return await anext(source)
