"""Validators on this project's own node and runtime: from bond to verdict, with a worker of this test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from unittest.mock import AsyncMock

import httpx
import pytest

from llmnet import proof
from llmnet.chain import BegunAnew, Client, Delegate, Keypair, Signer, add_proxy, own_key, watch_life
from llmnet.devnode import Node, Seal, Server, serve
from llmnet.engine.weights import ModelFiles
from llmnet.pallets import registry, sessions, spot_checks, staking
from llmnet.pallets.spot_checks import Audit, Reason, ReferenceCommitmentWithheld, Stage, Verdict
from llmnet.pallets.staking import BondError, StakeRole, ensure_bond
from llmnet.proof import Segment, ServiceSpec
from llmnet.verifier import Validator, ValidatorConfig, floor_calibration
from llmnet.verifier.auditor import Auditor
from llmnet.verifier.clock import Clock
from llmnet.verifier.duties import Duties
from llmnet.verifier.fetch import Fetcher
from llmnet.verifier.ledger import ClientLedger
from llmnet.verifier.library import Library
from llmnet.verifier.store import Store
from llmnet.worker.ledger import ClientView

from .answers import REQUESTER, WORKER, Answered, Asker

UNIT = 10**12
ARTIFACT = Path(__file__).parents[2] / "runtime_spec/artifacts/llmnet_runtime.compact.compressed.wasm"
ALICE = Keypair.from_uri("//Alice")
VALIDATORS = [Keypair.from_uri(f"//Validator{number}") for number in (1, 2, 3)]
HOT = Keypair.from_uri("//Bob")  # acts for the last of them, whose own key stays in the drawer
BLOCK_SECONDS = 0.25


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(Node.from_preset(ARTIFACT), seal=Seal("interval", BLOCK_SECONDS)) as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client.connect(f"ws://127.0.0.1:{server.port}") as client:
        yield client


class Running:
    """One validator in this process; it can be killed and started again on the same store."""

    def __init__(
        self, client: Client, keys: Signer, files: ModelFiles, store: Path, http: httpx.AsyncClient
    ) -> None:
        self.client, self.keys, self.files, self.path, self.http = client, keys, files, store, http
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        ledger = ClientLedger(self.client, self.keys)
        self.store = Store(self.path, genesis_hash=self.client.genesis_hash, account=self.keys.account)
        fetcher = Fetcher(self.http, own_key(self.keys), self.client.genesis_hash)
        clock, library = Clock(), Library([self.files])
        auditor = Auditor(ledger, self.store, fetcher, library, clock, max_fetches=4, report_before=4)
        self.duties = Duties(ledger, self.store, auditor, clock)
        self.task = asyncio.create_task(self.duties.run())

    async def kill(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            await self.duties.close()
            self.store.close()
            self.task = None


class HandWorker:
    """Does on chain what a worker does, one answer at a time, and serves the panel's door."""

    def __init__(self, client: Client, asker: Asker) -> None:
        self.client, self.asker = client, asker
        self.answered: Answered | None = None
        self.served = True

    async def prepare(self, spec: ServiceSpec) -> None:
        await ensure_bond(self.client, WORKER, StakeRole.WORKER, 1000 * UNIT)
        await self.client.submit(registry.register_spec(spec), WORKER)
        offer = registry.put_offer(
            spec.id, endpoint="http://worker.example", price_in=UNIT // 100, price_out=UNIT // 50
        )
        await self.client.submit(offer, WORKER)
        root = [
            registry.set_calibration(spec.id, floor_calibration(spec.numerics)),
            spot_checks.set_audit_floor(1_000_000),
        ]
        for call in root:
            await self.client.submit(self.client.call("Sudo", "sudo", call=call), ALICE)

    async def answer(self, spec: ServiceSpec) -> None:
        """Open a session, wait for its seed, answer one request, commit it."""
        call = sessions.open(
            WORKER.public, spec.id, escrow=UNIT, max_price_in=UNIT, max_price_out=UNIT, expires_in=500
        )
        opened = await self.client.submit(call, REQUESTER)
        event = opened.find("Sessions", "SessionOpened")
        assert event is not None, [str(item) for item in opened.events]
        number = event.fields["session"]
        while (seed := await sessions.seed(self.client.at(), number)) is None:
            await asyncio.sleep(BLOCK_SECONDS)
        answered = self.asker.ask(
            "what is the sea", session=number, session_seed=seed, genesis=self.client.genesis_hash
        )
        self.answered, receipt = answered, answered.receipt
        price = proof.price(receipt.n_prompt, receipt.n_out, UNIT // 100, UNIT // 50)
        self.segment = Segment(number, 0, 0, proof.receipts_root([receipt]), price)
        await self.client.submit(spot_checks.commit_batch([self.segment]), WORKER)

    async def step(self) -> None:
        """Open what is due."""
        assert self.answered is not None
        for duty in await spot_checks.due_of_worker(self.client.at(), WORKER.public):
            if duty.stage == Stage.DRAWN:
                placed = proof.place_segments([self.segment])[0]
                call = spot_checks.open_receipt(duty.audit, placed, [], self.answered.receipt, [])
            else:
                positions = await spot_checks.positions(self.client.at(), duty.audit)
                nodes = proof.multiproof([leaf.encode() for leaf in self.answered.leaves], positions)
                leaves = [self.answered.leaves[position] for position in positions]
                call = spot_checks.open_leaves(duty.audit, leaves, nodes)
            await self.client.submit(call, WORKER)

    def door(self, request: httpx.Request) -> httpx.Response:
        """GET /v1/audits/{id}"""
        assert self.answered is not None
        if not self.served:
            return httpx.Response(503, json={"error": {"message": "closed for today"}})
        number = int(request.url.path.rsplit("/", 1)[1])
        account = bytes.fromhex(request.headers["x-llmnet-account"])
        signature = bytes.fromhex(request.headers["x-llmnet-signature"])
        genesis, payload = self.client.genesis_hash, number.to_bytes(4, "little")
        assert proof.verify_signature(account, signature, "fetch", genesis, payload)
        return httpx.Response(200, json=self.answered.door())


async def wait_for_audit(client: Client, worker: HandWorker, *, stage: Stage, act: bool = True) -> Audit:
    """Let the worker act until audit 0 stands at `stage`."""
    async with asyncio.timeout(60):
        while True:
            audit = await spot_checks.audit(client.at(), 0)
            if audit is not None and audit.stage >= stage:
                return audit
            if act:
                await worker.step()
            await asyncio.sleep(BLOCK_SECONDS)


@pytest.fixture
async def scene(
    client: Client, asker: Asker, tiny: ModelFiles, spec: ServiceSpec, tmp_path: Path
) -> AsyncIterator[tuple[HandWorker, list[Running]]]:
    """A bonded worker with a committed answer, three bonded validators at work."""
    worker = HandWorker(client, asker)
    async with AsyncExitStack() as stack:
        transport = httpx.MockTransport(worker.door)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport))
        running = []
        for number, keys in enumerate(VALIDATORS):
            await ensure_bond(client, keys, StakeRole.VALIDATOR, 1000 * UNIT)
            signer: Signer = keys
            if keys is VALIDATORS[-1]:
                await client.submit(add_proxy(HOT.account, "Work"), keys)
                signer = Delegate(HOT, keys.account)
            validator = Running(client, signer, tiny, tmp_path / f"{number}.sqlite", http)
            stack.push_async_callback(validator.kill)
            validator.start()
            running.append(validator)
        await worker.prepare(spec)
        await worker.answer(spec)
        yield worker, running


async def test_an_honest_answer_passes_although_a_validator_is_killed_between_commit_and_reveal(
    client: Client, scene: tuple[HandWorker, list[Running]]
) -> None:
    worker, running = scene
    await wait_for_audit(client, worker, stage=Stage.RECEIPT_OPENED)
    await wait_for_audit(client, worker, stage=Stage.REFERENCED, act=False)
    await running[0].kill()
    opened = await wait_for_audit(client, worker, stage=Stage.LEAVES_OPENED)
    assert all(member.commitment.VARIANT == "Reference" for member in opened.panel if member.commitment)
    running[0].start()
    decided = await wait_for_audit(client, worker, stage=Stage.DECIDED)
    assert decided.outcome is not None
    assert (decided.outcome.verdict, decided.outcome.total.margin) == (Verdict.PASSED, 0)
    assert decided.outcome.evidence.position < 0
    assert all(member.revealed for member in decided.panel)
    view = ClientView(client)  # what a worker asks the chain before it serves a hot key
    assert await view.acts_for(HOT.account, {VALIDATORS[-1].account})
    assert not await view.acts_for(HOT.account, {keys.account for keys in VALIDATORS[:-1]})
    # All three took part in the beacon, and nobody was fined for silence.
    events = [event async for event in _events(client)]
    names = {(event.pallet, event.name) for event in events}
    assert ("Beacon", "Revealed") in names
    assert ("SpotChecks", "MissedDuty") not in names
    assert ("SpotChecks", "ReferenceRejected") not in names


async def test_a_worker_that_hands_out_nothing_is_reported_by_the_panel(
    client: Client, scene: tuple[HandWorker, list[Running]]
) -> None:
    worker, _ = scene
    worker.served = False
    decided = await wait_for_audit(client, worker, stage=Stage.DECIDED)
    assert decided.outcome is not None
    assert (decided.outcome.verdict, decided.outcome.reason) == (Verdict.FAILED, Reason.WITHHELD)
    assert all(member.commitment == ReferenceCommitmentWithheld() for member in decided.panel)


async def test_who_cannot_be_a_validator_is_told_so(client: Client) -> None:
    with pytest.raises(BondError, match="pass --bond"):
        await ensure_bond(client, VALIDATORS[0], StakeRole.VALIDATOR, None)
    await ensure_bond(client, VALIDATORS[0], StakeRole.VALIDATOR, 1000 * UNIT)
    await ensure_bond(client, VALIDATORS[0], StakeRole.VALIDATOR, None)
    with pytest.raises(BondError, match="bonded as validator, not as worker"):
        await ensure_bond(client, VALIDATORS[0], StakeRole.WORKER, 1000 * UNIT)
    await client.submit(staking.unbond(), VALIDATORS[0])
    with pytest.raises(BondError, match="is unbonding until block"):
        await ensure_bond(client, VALIDATORS[0], StakeRole.VALIDATOR, 1000 * UNIT)


async def test_a_chain_that_begins_anew_is_not_mistaken_for_the_old_one(
    tiny: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same genesis, audits from zero again: what is kept about the first life is set aside, under a running daemon it ends it."""
    monkeypatch.setattr("llmnet.verifier.daemon.watch_life", partial(watch_life, pause=0.05))
    config = ValidatorConfig(store=tmp_path / "v.sqlite", bond=1000 * UNIT, beacon=False)

    def kept() -> Store:
        return Store(config.store, genesis_hash=genesis, account=VALIDATORS[0].public)

    async with _life(config, tiny) as (client, task):
        genesis, first_block = client.genesis_hash, await client.block_hash(1)
    assert task.exception() is None
    store = kept()
    store.keep_withheld(0, "a finding of the first life", 10**9)
    store.close()
    async with _life(config, tiny) as (client, task):
        assert client.genesis_hash == genesis
        assert await client.block_hash(1) != first_block
        assert len(list(tmp_path.glob("v.sqlite.????????????"))) == 1
        real, client.block_hash = client.block_hash, AsyncMock(return_value=bytes(32))  # type: ignore[method-assign]
        with pytest.raises(BegunAnew, match="start it again"):
            await task
        client.block_hash = real  # type: ignore[method-assign]
    store = kept()
    assert store.finding(0) is None
    store.close()


@asynccontextmanager
async def _life(
    config: ValidatorConfig, files: ModelFiles
) -> AsyncIterator[tuple[Client, asyncio.Task[None]]]:
    """A chain from its first block on, and a validator at work on it."""
    async with (
        serve(Node.from_preset(ARTIFACT), seal=Seal("interval", 0.05)) as server,
        Client.connect(server.url) as client,
        asyncio.timeout(60),
    ):
        stop = asyncio.Event()
        task = asyncio.create_task(Validator(config, client, VALIDATORS[0], [files]).serve(stop))
        try:
            while not task.done() and not await _lives(client):
                await asyncio.sleep(0.05)
            yield client, task
        finally:
            stop.set()
            await asyncio.gather(task, return_exceptions=True)


async def _lives(client: Client) -> bool:
    """Whether the validator is bonded, and some blocks have passed since."""
    bonded = await staking.bond_of(client.at(), VALIDATORS[0].public)
    return bonded is not None and (await client.head()).number > bonded.since + 20


async def _events(client: Client):  # type: ignore[no-untyped-def]
    head = await client.finalized_head()
    async for block in client.blocks(from_block=1):
        for event in block.events:
            yield event
        if block.number >= head.number:
            return
