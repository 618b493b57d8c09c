"""The whole daemon on a real chain with the tiny model: an answer is sold, audited, cleared and paid; stops and restarts."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmnet import proof
from llmnet.chain import BegunAnew, Client, watch_life
from llmnet.devnode import Node, NodeConfig
from llmnet.engine import AsyncEngine, Engine, ModelFiles
from llmnet.pallets import sessions, spot_checks
from llmnet.pallets.spot_checks import Stage
from llmnet.proof import Leaf, ServiceSpec, Voucher
from llmnet.worker import Backend, EngineBackend, Store, Worker, WorkerConfig, WorkerError

from .network import RUNTIME, VALIDATORS, Network, network, until
from .shop import PAYER, UNIT, WORKER, ScriptedBackend, body_of, make_request, refused, sign


@pytest.fixture
async def net() -> AsyncIterator[Network]:
    async with network() as net:
        yield net


class Running:
    """A worker in this process behind a real socket."""

    def __init__(
        self, net: Network, path: Path, files: ModelFiles, spec: ServiceSpec, backend: Backend
    ) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.config = WorkerConfig(path, self.url, bond=200 * UNIT, register_spec=True)
        self.worker = Worker(self.config, net.client, WORKER, files, spec, backend)
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.worker.serve(self.listener, self.stop))

    async def end(self) -> None:
        self.stop.set()
        await self.task


@asynccontextmanager
async def running(
    net: Network, path: Path, files: ModelFiles, spec: ServiceSpec, backend: Backend | None = None
) -> AsyncIterator[Running]:
    chosen = backend or EngineBackend(AsyncEngine(Engine(files, spec, max_batch=4)))
    run = Running(net, path, files, spec, chosen)
    async with httpx.AsyncClient() as http:
        await until(lambda: healthy(http, run.url))
    try:
        yield run
    finally:
        await run.end()


async def healthy(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/healthz")).status_code == 200
    except httpx.TransportError:
        return False


async def ask(net: Network, url: str, session: int, index: int, **more: Any) -> httpx.Response:
    request = make_request(index, f"question {index}", session=session, max_tokens=12)
    body = body_of(request, "tiny", genesis=net.client.genesis_hash, **more)
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(f"{url}/v1/chat/completions", json=body)


async def pay(net: Network, url: str, session: int, amount: int, answers: int) -> None:
    payload = Voucher(session, amount, answers).encode()
    body = {"payload": payload.hex(), "signature": sign(PAYER, "voucher", payload, net.client.genesis_hash)}
    async with httpx.AsyncClient() as http:
        assert (await http.post(f"{url}/v1/vouchers", json=body)).status_code == 204


async def reference(net: Network, url: str, store: Store, keys: Any, audit: int) -> list[Leaf]:
    """What a validator commits to. Fetched through the door; the leaves of an honest worker are the honest reference."""
    payload = audit.to_bytes(4, "little")
    headers = {
        "x-llmnet-account": keys.public.hex(),
        "x-llmnet-signature": sign(keys, "fetch", payload, net.client.genesis_hash),
    }
    async with httpx.AsyncClient() as http:
        record = (await http.get(f"{url}/v1/audits/{audit}", headers=headers)).json()
    receipt = proof.Receipt.decode(bytes.fromhex(record["receipt"]))
    assert receipt.output_hash == proof.output_hash(record["tokens"])
    answer = store.answer(receipt.session, receipt.index)
    assert answer is not None and answer.leaves is not None
    positions = await spot_checks.positions(net.client.at(), audit)
    return [answer.leaves[position] for position in positions]


async def panel(net: Network, url: str, store: Store) -> None:
    """Three honest validators, until cancelled."""
    while True:
        await asyncio.gather(
            *(
                net.validate(keys, lambda audit, keys=keys: reference(net, url, store, keys, audit))  # type: ignore[misc]
                for keys in VALIDATORS
            )
        )
        await asyncio.sleep(0.02)


async def test_answers_are_sold_audited_cleared_and_paid(
    net: Network, tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec
) -> None:
    async with running(net, tmp_path / "w.sqlite", tiny, spec) as run:
        await net.bond_panel(spec)
        net.pause = 0.25  # stages last ten blocks
        validating = asyncio.create_task(panel(net, run.url, run.worker.store))
        session = await net.open_session(spec)
        answers = [await ask(net, run.url, session, index) for index in range(3)]
        total = sum(int(answer.json()["llmnet"]["price"]) for answer in answers)
        await pay(net, run.url, session, total, 3)

        async def paid() -> bool:
            assert not validating.done(), validating.result()
            verdicts = [await spot_checks.verdict_of(net.client.at(), session, index) for index in range(3)]
            return all(verdicts) and (await net.session(session)).claimed == total

        await until(paid, 60)
        state = await spot_checks.worker_state(net.client.at(), WORKER.public)
        assert (state.passed, state.failed, state.abstained) == (3, 0, 0)

        async def cleared() -> bool:
            money = await sessions.money(net.client.at(), WORKER.public)
            return money.uncleared == 0 and run.worker.store.unsettled() == []

        await until(cleared)
        validating.cancel()
        await asyncio.gather(validating, return_exceptions=True)


async def test_the_open_stream_of_a_stopped_worker_ends_with_a_reason(
    net: Network, tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec
) -> None:
    backend = ScriptedBackend(gate=asyncio.Event())
    async with running(net, tmp_path / "w.sqlite", tiny, spec, backend) as run:
        session = await net.open_session(spec)
        asking = asyncio.create_task(ask(net, run.url, session, 0, stream=True))
        await until(lambda: _answering(backend))
        started = time.monotonic()
        await run.end()
        assert time.monotonic() - started < 5
        answer = await asking
        assert '"code": "stopping"' in answer.text and answer.text.endswith("data: [DONE]\n\n")
        assert backend.closed
    async with running(net, tmp_path / "w.sqlite", tiny, spec, ScriptedBackend()) as run:
        assert (await ask(net, run.url, session, 0)).status_code == 200


async def _answering(backend: ScriptedBackend) -> bool:
    return bool(backend.jobs)


async def test_a_dead_engine_ends_the_daemon_with_a_reason(
    net: Network, tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec
) -> None:
    backend = EngineBackend(AsyncEngine(Engine(tiny, spec)))
    run = Running(net, tmp_path / "w.sqlite", tiny, spec, backend)
    async with httpx.AsyncClient() as http:
        await until(lambda: healthy(http, run.url))
    session = await net.open_session(spec)
    backend.close()
    refused(await ask(net, run.url, session, 0), 503, "generation_failed")
    with pytest.raises(WorkerError, match="start the worker again"):
        await run.task
    async with running(net, tmp_path / "w.sqlite", tiny, spec) as again:
        assert (await ask(net, again.url, session, 0)).status_code == 200


async def test_a_chain_that_begins_anew_is_not_mistaken_for_the_old_one(
    tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec
) -> None:
    """Same genesis, session numbers from zero again: what is kept about the first life must not be used."""
    async with network() as net:
        async with running(net, tmp_path / "w.sqlite", tiny, spec, ScriptedBackend()) as run:
            session = await net.open_session(spec)
            first = await ask(net, run.url, session, 0)
            assert first.status_code == 200
        first_block = await net.client.block_hash(1)
    assert first_block is not None
    async with network() as net:
        assert await net.client.block_hash(1) != first_block
        async with running(net, tmp_path / "w.sqlite", tiny, spec, ScriptedBackend()) as run:
            assert await net.open_session(spec) == session
            again = await ask(net, run.url, session, 0)
        assert (
            again.status_code == 200
            and again.json()["llmnet"]["receipt"] != first.json()["llmnet"]["receipt"]
        )
        assert len(list(tmp_path.glob("w.sqlite.????????????"))) == 1
        with pytest.raises(BegunAnew, match="start it again"):
            await watch_life(net.client, first_block, pause=0.01)
        present = await net.client.block_hash(1)
        assert present is not None
        quiet = asyncio.create_task(watch_life(net.client, present, pause=0.01))
        await asyncio.sleep(0.2)
        assert not quiet.done()
        quiet.cancel()


async def test_a_node_that_restarts_under_the_daemon_loses_nothing(
    tmp_path: Path, tiny: ModelFiles, spec: ServiceSpec
) -> None:
    def node() -> Node:
        return Node.from_preset(RUNTIME, config=NodeConfig(base_path=tmp_path / "chain"))

    async with AsyncExitStack() as stack:
        async with network(node()) as first:
            port = first.server.port
            connected = Client.connect(first.url, poll=0.05, backoff=(0.02, 0.1))
            own = replace(first, client=await stack.enter_async_context(connected))
            run = await stack.enter_async_context(
                running(own, tmp_path / "w.sqlite", tiny, spec, ScriptedBackend())
            )
            session = await first.open_session(spec)
            before = await ask(first, run.url, session, 0)
        async with network(node(), port) as second:
            assert (await ask(second, run.url, session, 0)).json()["llmnet"] == before.json()["llmnet"]
            assert (await ask(second, run.url, session, 1)).status_code == 200

            async def committed() -> bool:
                return (await second.session(session)).next_index == 2

            await until(committed)


def command(net: Network, store: Path, model: Path, port: int) -> list[str]:
    return [
        sys.executable, "-m", "llmnet.cli.worker", "--node", net.url, "--dev-key", "Worker1", "--bond", "200",
        "--register-spec", "--model", str(model), "--store", str(store), "--port", str(port), "--max-batch", "2",
    ]  # fmt: skip


@asynccontextmanager
async def process(arguments: list[str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("ab") as sink:
        child = await asyncio.create_subprocess_exec(
            *arguments, stdout=sink, stderr=sink, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


@pytest.mark.slow
@pytest.mark.e2e
async def test_kill_9_between_commitment_and_opening(net: Network, tmp_path: Path, tiny: ModelFiles) -> None:
    """The process that starts next opens what the killed one committed, and SIGTERM ends it in order."""
    from llmnet.verifier.reference import spec_of

    spec, log, store = spec_of(tiny), tmp_path / "log", tmp_path / "store"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    arguments = command(net, store, tiny.path, port)
    async with process(arguments, log) as child, httpx.AsyncClient() as http:
        await until(lambda: healthy(http, url), 60)
        await net.bond_panel(spec)
        session = await net.open_session(spec)
        request = make_request(0, session=session, max_tokens=12)
        body = body_of(request, spec.id.hex(), genesis=net.client.genesis_hash)
        answer = (await http.post(f"{url}/v1/chat/completions", json=body, timeout=60)).json()

        async def committed() -> bool:
            return (await net.session(session)).next_index == 1

        await until(committed)
        net.ticking.clear()
        child.kill()
        await child.wait()
    drawn: list[spot_checks.Audit] = []

    async def is_drawn() -> bool:
        await asyncio.to_thread(net.node.produce_block)
        drawn[:] = [a for a in [await spot_checks.audit(net.client.at(), 0)] if a is not None]
        return bool(drawn)

    await until(is_drawn)
    assert drawn[0].stage == Stage.DRAWN and drawn[0].worker == WORKER.public
    async with process(arguments, log) as child, httpx.AsyncClient() as http:
        await until(lambda: healthy(http, url), 60)
        again = (await http.post(f"{url}/v1/chat/completions", json=body, timeout=60)).json()
        assert again["llmnet"] == answer["llmnet"]
        net.pause = 0.4
        net.ticking.set()

        async def opened() -> bool:
            audit = await spot_checks.audit(net.client.at(), 0)
            return audit is not None and audit.stage != Stage.DRAWN

        await until(opened)
        audit = await spot_checks.audit(net.client.at(), 0)
        assert audit is not None and audit.answer is not None
        assert audit.answer.receipt.encode().hex() == answer["llmnet"]["receipt"]
        started = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0, log.read_text()
        assert time.monotonic() - started < 5
    text = log.read_text()
    assert "Traceback" not in text, text
    assert "serving" in text and spec.name.decode() in text
