"""Twenty tasks of one account send transfers through a hostile line while a follower listens through another.

LLMNET_HOSTILE names the number of transfers (default 24), LLMNET_HOSTILE_SEED the seed, and LLMNET_HOSTILE_URL another node
than our own, such as polkadot-sdk's with our chain specification."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import pytest

from llmnet.chain import Client, Event, Keypair, TransactionExpired, decode_extrinsic
from llmnet.chain.search import Place, Search
from llmnet.devnode import Node, NodeConfig, Seal, serve

from .conftest import ARTIFACTS
from .hostile import HostileLine, Rates

RUNTIME = ARTIFACTS / "llmnet_runtime.compact.compressed.wasm"
TRANSFERS = int(os.environ.get("LLMNET_HOSTILE", "24"))
URL = os.environ.get("LLMNET_HOSTILE_URL")
SEED = int(os.environ.get("LLMNET_HOSTILE_SEED", "11"))
UNIT = 10**12
PATIENT: dict[str, Any] = {
    "request_timeout": 30.0,
    "patience": 0.7,
    "quiet": 1.5,
    "poll": 0.2,
    "backoff": (0.02, 0.2),
}


async def send_all(client: Client, signer: Keypair, dest: bytes, count: int, tasks: int = 20) -> int:
    """`count` transfers of distinct amounts, each until it is known to have landed. Returns how many had to be sent anew
    after their window had passed without them, which is the only case in which that is safe."""
    anew = 0

    async def work(number: int) -> None:
        nonlocal anew
        for amount in range(number, count, tasks):
            call = client.call("Balances", "transfer_keep_alive", dest=dest, value=UNIT + amount)
            while True:
                try:
                    result = await client.submit(call, signer)
                except TransactionExpired:
                    anew += 1
                    continue
                event = result.find("Balances", "Transfer")
                assert event is not None and event.fields["amount"] == UNIT + amount
                break

    await asyncio.gather(*(work(number) for number in range(tasks)))
    return anew


async def amounts_on_chain(client: Client, signer: bytes, last: int) -> Counter[int]:
    """How often each amount was sent by this account, read from the blocks' bodies."""
    found: Counter[int] = Counter()
    for number in range(1, last + 1):
        block_hash = await client.block_hash(number)
        assert block_hash is not None
        for data in await client.at(block_hash).extrinsics():
            decoded = decode_extrinsic(client.runtime, data)
            if decoded.signer == signer:
                found[decoded.call.args["value"]] += 1
    return found


async def events_of_chain(client: Client, last: int) -> list[Event]:
    events: list[Event] = []
    for number in range(1, last + 1):
        events += await client.at(await client.block_hash(number)).events()
    return events


async def prove(
    url: str, count: int, seed: int, rates: Rates | None = None, **options: float
) -> Counter[str]:
    """Sends and follows through hostile lines to the node at `url`, then compares with what the node says directly."""
    alice, dest = Keypair.from_uri("//Alice"), Keypair.from_uri(f"//hostile//{seed}").public
    async with (
        HostileLine(url, seed, rates) as line,
        HostileLine(url, seed + 1, rates) as other,
        Client.connect(url) as direct,
        Client.connect(line.url, **{**PATIENT, **options}) as sender,
        Client.connect(other.url, **PATIENT) as listener,
    ):
        first = await direct.next_nonce(alice.public)
        seen: list[Event] = []

        async def follow() -> None:
            async for event in listener.events(from_block=1):
                seen.append(event)  # noqa: PERF401 - it grows while it is looked at

        following = asyncio.create_task(follow())
        await send_all(sender, alice, dest, count)
        last = (await direct.finalized_head()).number
        async with asyncio.timeout(60):
            while (not seen or seen[-1].block_number < last) and not following.done():
                await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        sent = await amounts_on_chain(direct, alice.public, last)
        mine = {amount: times for amount, times in sent.items() if amount >= UNIT}
        assert mine == {UNIT + amount: 1 for amount in range(count)}
        assert await direct.next_nonce(alice.public) == first + count
        account = await direct.query("System", "Account", dest)
        assert account["data"]["free"] == count * UNIT + sum(range(count))
        assert [event for event in seen if event.block_number <= last] == await events_of_chain(direct, last)
        return line.done + other.done


@asynccontextmanager
async def own_node() -> AsyncIterator[str]:
    node = Node.from_preset(RUNTIME, config=NodeConfig(finality_lag=1, keep_states=None))
    async with serve(node, seal=Seal("interval", 0.25)) as server:
        yield f"ws://127.0.0.1:{server.port}"


@pytest.mark.timeout(0 if TRANSFERS > 24 else 120)
async def test_a_hostile_line_loses_and_doubles_nothing() -> None:
    async with own_node() if URL is None else nullcontext(URL) as url:
        done = await prove(url, TRANSFERS, SEED)
    print(dict(done))  # noqa: T201 - shown with -s
    assert min(done[fault] for fault in ("drop", "double", "late")) > 0


async def test_a_client_that_sends_anew_what_it_lost_sight_of_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The inverse: after a moment of silence three transactions are called lost without a look at the chain."""
    look, lost = Search.look, 0

    async def blind(self: Search, *, finalized: bool) -> Place | None:
        nonlocal lost
        lost += 1
        if lost <= 3:
            raise TransactionExpired("not looked for")
        return await look(self, finalized=finalized)

    monkeypatch.setattr(Search, "look", blind)
    async with own_node() as url:
        with pytest.raises(AssertionError):
            await prove(url, 4, seed=5, rates=Rates(0, 0, 0, 0, 0), quiet=0.01)


@pytest.mark.parametrize("text", ["abc", '{"a": 1}'])
async def test_the_line_itself_does_what_it_says(text: str) -> None:
    """Its inverse: without faults every frame passes once; with certain loss none does."""
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import ServerConnection
    from websockets.asyncio.server import serve as listen

    heard: list[str | bytes] = []

    async def hear(connection: ServerConnection) -> None:
        async for frame in connection:
            heard.append(frame)  # noqa: PERF401 - as above

    none = Rates(0, 0, 0, 0, 0)
    async with listen(hear, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        for rates, copies in ((none, 1), (Rates(drop=1), 0), (Rates(0, 1), 2)):
            heard.clear()
            async with (
                HostileLine(f"ws://127.0.0.1:{port}", 1, rates) as line,
                connect(line.url, proxy=None) as client,
            ):
                await client.send(text)
                await asyncio.sleep(0.1)
            assert heard == [text] * copies
