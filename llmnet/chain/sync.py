"""A thin synchronous face of the client for scripts and notebooks: the same calls, run on one background
loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

from llmnet.chain.client import Client
from llmnet.chain.extrinsic import Signer
from llmnet.chain.results import Event, Header, TxResult
from llmnet.chain.values import Call

T = TypeVar("T")


class SyncClient:
    """`with SyncClient.connect("ws://…") as client`. Anything without its own method here:
    `client.run(coroutine)`, with the asynchronous client as `client.aio`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, aio: Client) -> None:
        self._loop, self.aio = loop, aio

    @classmethod
    @contextmanager
    def connect(cls, urls: str | Sequence[str], **options: Any) -> Iterator[SyncClient]:
        """Options are those of `Client.connect`."""
        with _background_loop() as loop:
            context: AbstractAsyncContextManager[Client] = Client.connect(urls, **options)
            aio = _run(loop, context.__aenter__())
            try:
                yield cls(loop, aio)
            finally:
                _run(loop, context.__aexit__(None, None, None))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return _run(self._loop, work)

    def head(self) -> Header:
        return self.run(self.aio.head())

    def query(self, pallet: str, item: str, *keys: Any) -> Any:
        return self.run(self.aio.query(pallet, item, *keys))

    def query_map(self, pallet: str, item: str, *keys: Any) -> list[tuple[Any, Any]]:
        async def collect() -> list[tuple[Any, Any]]:
            return [entry async for entry in self.aio.at().query_map(pallet, item, *keys)]

        return self.run(collect())

    def constant(self, pallet: str, name: str) -> Any:
        return self.aio.constant(pallet, name)

    def view_function(self, pallet: str, name: str, **args: Any) -> Any:
        return self.run(self.aio.view_function(pallet, name, **args))

    def call(self, pallet: str, function: str, **args: Any) -> Call:
        return self.aio.call(pallet, function, **args)

    def submit(self, call: Call, signer: Signer, **options: Any) -> TxResult:
        return self.run(self.aio.submit(call, signer, **options))

    def events(self, wanted: Collection[tuple[str, str]] | None = None, **options: Any) -> Iterator[Event]:
        """Blocks between events; see `Client.events`."""
        source = self.aio.events(wanted, **options)
        try:
            while True:
                yield self.run(_next(source))
        finally:
            self.run(_close(source))


@contextmanager
def _background_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="llmnet-chain", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def _next(source: Any) -> Any:
    return await anext(source)


async def _close(source: Any) -> None:
    await source.aclose()
