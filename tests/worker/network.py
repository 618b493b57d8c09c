"""A development chain in this process whose blocks a test can hold back, and what it takes to use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmnet import proof
from llmnet.chain import Client, Keypair
from llmnet.devnode import Node, Seal, Server, serve
from llmnet.pallets import registry, sessions, spot_checks, staking
from llmnet.pallets.spot_checks import Stage
from llmnet.pallets.staking import StakeRole
from llmnet.proof import Calibration, Leaf, ServiceSpec
from llmnet.worker import WorkerConfig
from llmnet.worker.setup import prepare

from .shop import PAYER, UNIT, WORKER

RUNTIME = Path(__file__).parents[2] / "runtime_spec" / "artifacts" / "llmnet_runtime.compact.compressed.wasm"
ALICE = Keypair.from_uri("//Alice")
VALIDATORS = [Keypair.from_uri(f"//Validator{number}") for number in (1, 2, 3)]
SALT = bytes(range(32))


@dataclass
class Network:
    """The chain and a client of it. Blocks come while `ticking` is set, `pause` seconds apart."""

    node: Node
    server: Server
    client: Client
    ticking: asyncio.Event
    pause: float = 0.02

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    async def tick(self) -> None:
        while True:
            await self.ticking.wait()
            await asyncio.to_thread(self.node.produce_block)
            await asyncio.sleep(self.pause)

    async def sudo(self, call: Any) -> None:
        await self.client.submit(self.client.call("Sudo", "sudo", call=call), ALICE)

    async def open_session(self, spec: ServiceSpec, escrow: int = UNIT) -> int:
        """A session that has its seed: before that the chain takes no answers of it."""
        call = sessions.open(
            WORKER.public, spec.id, escrow=escrow, max_price_in=UNIT, max_price_out=UNIT, expires_in=1000
        )
        event = (await self.client.submit(call, PAYER)).find("Sessions", "SessionOpened")
        assert event is not None
        number: int = event.fields["session"]

        async def has_seed() -> bool:
            return (await self.session(number)).seed is not None

        await until(has_seed)
        return number

    async def session(self, number: int) -> sessions.Session:
        found = await sessions.session(self.client.at(), number)
        assert found is not None
        return found

    async def bond_panel(self, spec: ServiceSpec) -> None:
        """Validators, a calibration, and an audit of every answer."""
        await asyncio.gather(
            *(self.client.submit(staking.bond(StakeRole.VALIDATOR, 200 * UNIT), keys) for keys in VALIDATORS)
        )
        await self.sudo(
            registry.set_calibration(spec.id, Calibration(10, 20, 10, 20, 1 << 16, 1000, 1 << 30))
        )
        await self.sudo(spot_checks.set_audit_floor(1_000_000))

    async def validate(self, keys: Keypair, leaves_of: Callable[[int], Awaitable[list[Leaf]]]) -> None:
        """One round of a validator's duties; `leaves_of` gives the reference of an audit."""
        for duty in await spot_checks.assignments(self.client.at(), keys.public):
            if duty.acted:
                continue
            if duty.stage == Stage.RECEIPT_OPENED:
                leaves = await leaves_of(duty.audit)
                commitment = proof.reference_commitment(duty.audit, keys.public, leaves, SALT)
                await self.client.submit(spot_checks.commit_reference(duty.audit, commitment), keys)
            elif duty.stage == Stage.LEAVES_OPENED:
                leaves = await leaves_of(duty.audit)
                await self.client.submit(spot_checks.reveal_reference(duty.audit, leaves, SALT), keys)


@asynccontextmanager
async def network(node: Node | None = None, port: int = 0) -> AsyncIterator[Network]:
    async with (
        serve(node or Node.from_preset(RUNTIME), port=port, seal=Seal("manual")) as server,
        Client.connect(f"ws://127.0.0.1:{server.port}", poll=0.05, backoff=(0.02, 0.1)) as client,
    ):
        net = Network(server.service.node, server, client, asyncio.Event())
        net.ticking.set()
        ticker = asyncio.create_task(net.tick())
        try:
            yield net
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)


async def until(what: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> Any:
    """Wait for something to be true."""
    async with asyncio.timeout(seconds):
        while True:
            value = await what()
            if value:
                return value
            await asyncio.sleep(0.03)


async def employed(net: Network, config: WorkerConfig, spec: ServiceSpec) -> None:
    """Bond, spec and offer of the worker."""
    await prepare(config, net.client, WORKER, spec, bytes(32))
