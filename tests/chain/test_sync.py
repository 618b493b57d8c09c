"""The synchronous face: the same names, in scripts and inside a running loop; and what it refuses."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmnet.chain import Client, CursorFile, Keypair, RequestTimeout, SyncClient, TxStatus, View
from llmnet.chain.sync import SyncView

from .server import NodeServer

MADE_BY = {"connect", "over", "transport"}  # of the asynchronous client only
TYPED = {
    "get",
    "read",
    "read_all",
    "items",
    "typed_events",
    "ask",
    "runtime",
    "code_runtime",
}  # client.run(…)


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(("aio", "sync"), [(Client, SyncClient), (View, SyncView)])
def test_every_name_is_there_with_the_same_leading_parameters(aio: type, sync: type) -> None:
    names = public(aio) - MADE_BY - (TYPED if aio is View else set())
    assert names - public(sync) == set()
    for name in sorted(names):
        theirs = getattr(aio, name)
        if callable(theirs):
            wanted = [
                p.name for p in inspect.signature(theirs).parameters.values() if p.kind != p.KEYWORD_ONLY
            ]
            got = [p.name for p in inspect.signature(getattr(sync, name)).parameters.values()]
            if "options" not in got:
                assert got[: len(wanted)] == wanted, name


async def in_a_thread(script: Callable[[], Any]) -> Any:
    before = {thread.name for thread in threading.enumerate()}
    try:
        return await asyncio.to_thread(script)
    finally:
        assert "llmnet-chain" in before or "llmnet-chain" not in {t.name for t in threading.enumerate()}


async def test_a_script_reads_writes_and_listens(server: NodeServer, alice: Keypair, tmp_path: Path) -> None:
    steps: list[TxStatus] = []

    def script() -> list[Any]:
        with SyncClient.connect(server.url, cache_dir=tmp_path) as client:
            call = client.call("System", "remark_with_event", remark=b"sync")
            result = client.submit(call, alice, on_status=steps.append)
            events = client.events([("System", "Remarked")], from_block=1)
            first = next(events)
            events.close()
            cursor = CursorFile(tmp_path / "cursor")
            blocks = client.blocks(0, after=cursor)
            numbers = [next(blocks).number for _ in range(2)]
            blocks.close()
            signed = client.sign(call, alice)
            sent = client.submit_signed(signed)
            view = client.at(sent.block_hash)
            place = client.locate(signed)
            assert place is not None
            assert client.outcome(signed, place).extrinsic_hash == signed.hash
            assert [str(event) for event in view.events() if event.extrinsic_index == 1] == [
                str(event) for event in sent.events
            ]
            assert client.block_hash(place.number) == sent.block_hash == view.header().hash
            assert len(view.extrinsics()) == 2
            assert client.run(client.aio.head()) == client.head() == client.finalized_head()
            assert client.request("chain_getBlockHash", 0) == "0x" + client.genesis_hash.hex()
            return [
                result.block_number,
                first.block_number,
                numbers,
                cursor.load(client.genesis_hash).number,  # type: ignore[union-attr]
                client.next_nonce(alice.account),
                client.query("Sudo", "Key"),
                client.query_map("System", "Account"),
                view.constant("System", "SS58Prefix"),
                client.constant("System", "SS58Prefix"),
                client.runtime_version == client.runtime.version,
            ]

    assert await in_a_thread(script) == [1, 1, [0, 1], 0, 2, None, [], 42, 42, True]
    assert [step.kind for step in steps] == ["ready", "in_block", "finalized"]


async def test_a_notebook_opens_and_closes_without_a_block(server: NodeServer, tmp_path: Path) -> None:
    def script() -> None:
        async def inside() -> int:  # a notebook's cell runs in a loop
            client = SyncClient.open(server.url, cache_dir=tmp_path)
            number = client.head().number
            client.close()
            client.close()
            with pytest.raises(RuntimeError, match="closed"):
                client.head()
            return number

        assert asyncio.run(inside()) == 0

    await in_a_thread(script)


async def test_a_callback_cannot_wait_for_the_client(
    server: NodeServer, alice: Keypair, tmp_path: Path
) -> None:
    def script() -> None:
        with SyncClient.connect(server.url, cache_dir=tmp_path) as client:
            call = client.call("System", "remark", remark=b"x")
            with pytest.raises(RuntimeError, match="callback"):
                client.submit(call, alice, on_status=lambda _: client.head())

    await in_a_thread(script)


async def test_nothing_stays_behind_when_nobody_answers() -> None:
    def script() -> None:
        with pytest.raises(RequestTimeout):
            SyncClient.open("ws://127.0.0.1:1", request_timeout=0.2)

    await in_a_thread(script)
