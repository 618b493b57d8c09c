"""A whole network in one background thread: node, worker with the tiny model, validators played by hand."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from llmnet.chain import Call, Client, Keypair
from llmnet.devnode import Node, Seal, serve
from llmnet.engine import AsyncEngine, Engine, ModelFiles, write_tiny_model
from llmnet.pallets import registry, spot_checks, staking
from llmnet.pallets.spot_checks import Stage
from llmnet.pallets.staking import StakeRole
from llmnet.proof import Calibration, ServiceSpec, reference_commitment
from llmnet.verifier import Reference, spec_of
from llmnet.worker import EngineBackend, Worker, WorkerConfig

T = TypeVar("T")
UNIT = 10**12
WASM = Path(__file__).parents[2] / "runtime_spec" / "artifacts" / "llmnet_runtime.compact.compressed.wasm"
BLOCK_SECONDS = 0.25


class Network:
    """Started by `running`; `do` runs a coroutine in its loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: ModelFiles = write_tiny_model(folder / "tiny")
        self.spec: ServiceSpec = spec_of(self.files)
        self.url = ""
        self.worker = Keypair.from_uri("//Worker1")
        self.validators = [Keypair.from_uri(f"//Validator{number}") for number in (1, 2, 3)]
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._stop = asyncio.Event()

    def do(self, work: Coroutine[Any, Any, T], timeout: float = 120) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._main())
        except BaseException as error:  # noqa: BLE001 - told to the test that waits
            self.failure = error
        finally:
            self.ready.set()
            self.loop.close()

    def stop(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._stop.set)

    async def _main(self) -> None:
        node = Node.from_preset(WASM)
        async with serve(node, port=0, seal=Seal("interval", BLOCK_SECONDS)) as server:
            self.url = server.url
            async with Client.connect(server.url, cache_dir=self.folder / "metadata") as client:
                self.client = client
                await self._set_up(client)
                await self._work(client)

    async def _set_up(self, client: Client) -> None:
        row = Calibration(64, 128, 64, 128, 1 << 16, 1000, 1_000_000)
        sudo = Keypair.from_uri("//Alice")
        await asyncio.gather(
            *(client.submit(staking.bond(StakeRole.VALIDATOR, 200 * UNIT), keys) for keys in self.validators),
            client.submit(registry.register_spec(self.spec), self.worker),
        )
        for call in (registry.set_calibration(self.spec.id, row), spot_checks.set_audit_floor(1_000_000)):
            await client.submit(Call("Sudo", "sudo", {"call": call}), sudo)

    async def _work(self, client: Client) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        config = WorkerConfig(
            store=self.folder / "worker.sqlite",
            endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}",
            bond=1000 * UNIT,
        )
        backend = EngineBackend(AsyncEngine(Engine(self.files, self.spec, max_batch=4)))
        worker = Worker(config, client, self.worker, self.files, self.spec, backend)
        serving = asyncio.create_task(worker.serve(listener, self._stop))
        watching = asyncio.create_task(self._when_offered(client))
        try:
            await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
            await serving
        finally:
            watching.cancel()

    async def _when_offered(self, client: Client) -> None:
        while await registry.offer(client.at(), self.spec.id, self.worker.public) is None:
            await asyncio.sleep(0.05)
        self.ready.set()

    async def audit(self, session: int, index: int) -> int:
        """Play the validators until the answer's audit is decided; returns its number."""
        number = None
        while number is None:
            number = await self.client.query("SpotChecks", "AuditOf", (session, index))
            await asyncio.sleep(0.05)
        salt = secrets.token_bytes(32)
        while True:
            audit = await spot_checks.audit(self.client.at(), number)
            assert audit is not None
            if audit.stage is Stage.DECIDED:
                return int(number)
            if audit.stage in (Stage.RECEIPT_OPENED, Stage.LEAVES_OPENED):
                leaves = await self._reference(number, audit)
                await asyncio.gather(
                    *(self._act(number, audit.stage, keys, leaves, salt) for keys in self.validators)
                )
            await asyncio.sleep(0.05)

    async def _act(self, number: int, stage: Stage, keys: Keypair, leaves: Any, salt: bytes) -> None:
        if stage is Stage.RECEIPT_OPENED:
            commitment = reference_commitment(number, keys.public, leaves, salt)
            call = spot_checks.commit_reference(number, commitment)
        else:
            call = spot_checks.reveal_reference(number, leaves, salt)
        await self.client.submit(call, keys, check=False)

    async def _reference(self, number: int, audit: Any) -> Any:
        import sqlite3

        with sqlite3.connect(self.folder / "worker.sqlite") as db:
            body, tokens = db.execute(
                "SELECT r.body, a.tokens FROM requests r JOIN answers a USING (session, idx) WHERE session = ? AND idx = ?",
                (audit.session, audit.index),
            ).fetchone()
        db.close()
        import json

        from llmnet.engine import Tokenizer
        from llmnet.proof import Request

        positions = await spot_checks.positions(self.client.at(), number)
        prompt = Tokenizer(self.files).encode_chat(Request.decode(body).messages)
        reference = Reference(self.files, self.spec)
        return reference.leaves(prompt, json.loads(tokens), positions, audit.answer.request_seed)


@contextmanager
def running(folder: Path) -> Iterator[Network]:
    network = Network(folder)
    thread = threading.Thread(target=network.run, name="network")
    thread.start()
    try:
        assert network.ready.wait(90), "the network did not start"
        if network.failure is not None:
            raise network.failure
        yield network
    finally:
        network.stop()
        thread.join(30)
    assert network.failure is None, network.failure
