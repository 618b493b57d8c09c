"""A chain in this process with six validators, two of whom lie about one model, and the workers that tests bring."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from llmnet.chain import Call, Client, Event, Keypair, Variant
from llmnet.chain.hashing import twox_128
from llmnet.devnode import Node, Seal, serve
from llmnet.engine import AsyncEngine, Engine, LlamaModel, ModelFiles, skip_layer
from llmnet.gateway import AnswerRecord, Patience, Requester
from llmnet.pallets import registry, spot_checks, staking
from llmnet.pallets.spot_checks import Audit, Stage
from llmnet.proof import Leaf, ServiceSpec
from llmnet.verifier import Reference, floor_calibration, spec_of
from llmnet.verifier.config import ValidatorConfig
from llmnet.verifier.daemon import Validator
from llmnet.verifier.library import Library
from llmnet.worker import Backend, EngineBackend, Worker, WorkerConfig

from .endless import write_endless_model

T = TypeVar("T")
UNIT = 10**12
ARTIFACT = Path(__file__).parents[2] / "runtime_spec/artifacts/llmnet_runtime.compact.compressed.wasm"
ROOT = Keypair.from_uri("//Alice")
LIARS = [Keypair.from_uri(f"//Validator{number}") for number in (1, 2)]
HONEST = [Keypair.from_uri(f"//{name}") for name in ("Validator3", "Validator4", "Validator5", "Bob")]
QUIET = 0.03  # seconds without a request to the node after which the next block comes
LONGEST_PAUSE = 1.0
WAIT = 100.0


class LyingLibrary(Library):
    """References of one spec are shifted, all liars' by the same: they outvote whoever sits with them."""

    def __init__(self, models: Sequence[ModelFiles], about: bytes) -> None:
        super().__init__(models)
        self._about = about

    async def reference(self, spec_id: bytes, registered: Any) -> Reference:
        """See `Library`."""
        found = await super().reference(spec_id, registered)
        return _Lying(found) if spec_id == self._about else found


class _Lying(Reference):
    def __init__(self, honest: Reference) -> None:
        self.__dict__.update(honest.__dict__)

    def leaves(self, *args: Any) -> list[Leaf]:
        """What nobody computes."""
        found = super().leaves(*args)
        return [
            replace(leaf, hidden_sketch=tuple(lane + 700 for lane in leaf.hidden_sketch)) for leaf in found
        ]


@dataclass
class Court:
    """The chain, its events so far, and what was started on it."""

    folder: Path
    node: Node
    client: Client
    files: ModelFiles
    disputed: ModelFiles
    stack: AsyncExitStack
    events: list[Event] = field(default_factory=list)
    workers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _started: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    # Blocks

    async def tick(self) -> None:
        """Make blocks for ever, each when all that the last one set off was asked and answered."""
        loop, request = asyncio.get_running_loop(), self.client.transport.request
        under_way, last = 0, loop.time()

        async def counted(method: str, params: Sequence[Any] = ()) -> Any:
            nonlocal under_way, last
            under_way += 1
            try:
                return await request(method, params)
            finally:
                under_way, last = under_way - 1, loop.time()

        self.client.transport.request = counted  # type: ignore[method-assign]
        while True:
            await asyncio.to_thread(self.node.produce_block)
            end = loop.time() + LONGEST_PAUSE
            await asyncio.sleep(QUIET)
            while loop.time() < end and (under_way or loop.time() - last < QUIET):
                await asyncio.sleep(QUIET / 3)

    async def record(self) -> None:
        """Keep every event."""
        async for block in self.client.blocks(from_block=1):
            self.events += block.events

    def find(self, name: str, **fields: object) -> list[Event]:
        """Events of the pallet `SpotChecks` with these values."""
        return [
            event
            for event in self.events
            if (event.pallet, event.name) == ("SpotChecks", name)
            and all(_plain(event.fields[key]) == value for key, value in fields.items())
        ]

    async def seen(self, name: str, count: int = 1, **fields: object) -> list[Event]:
        """The events of this name, once there are so many."""

        async def probe() -> list[Event] | None:
            found = self.find(name, **fields)
            return found if len(found) >= count else None

        return await self.until(probe, f"{name} {fields}")

    async def until(self, probe: Callable[[], Awaitable[T | None]], what: str) -> T:
        """What the probe gives, as soon as it is something."""
        try:
            async with asyncio.timeout(WAIT):
                while not (found := await probe()):
                    for name, task in self.workers.items():
                        assert not task.done(), f"worker {name} ended: {task.exception()}"
                    await asyncio.sleep(0.1)
                return found
        except TimeoutError:
            last = [f"{event.block_number} {event} {event.fields}" for event in self.events[-30:]]
            raise AssertionError("\n".join([f"not seen: {what}", *last])) from None

    async def sudo(self, call: Call) -> None:
        """As root."""
        await self.client.submit(self.client.call("Sudo", "sudo", call=call), ROOT)

    async def forgive(self, worker: str) -> None:
        """As if nothing had ever been found of it."""
        runtime = await self.client.at().runtime()
        account = Keypair.from_uri(f"//{worker}").public
        key = runtime.storage_key(runtime.storage("SpotChecks", "Workers"), [account])
        await self.sudo(self.client.call("System", "kill_storage", keys=[key]))

    async def past_audits(self, count: int) -> None:
        """As if there had been so many: of fifty audits one may turn out to be planted."""
        key = b"".join(twox_128(name.encode()) for name in ("SpotChecks", "PlantTally"))
        value = count.to_bytes(4, "little") + bytes(4)
        await self.sudo(self.client.call("System", "set_storage", items=[(key, value)]))

    async def fund_pot(self, amount: int) -> None:
        """Pay into the pot that pays panels and jackpots."""
        pot = b"modl" + b"llm/apot" + bytes(20)
        await self.client.submit(
            self.client.call("Balances", "transfer_keep_alive", dest=pot, value=amount), ROOT
        )

    # Daemons

    async def validators(self) -> None:
        """All six, at work."""
        for keys in (*LIARS, *HONEST):
            await self.validate(keys)

    async def validate(self, keys: Keypair) -> None:
        """Start a validator on its store."""
        models, name = [self.files, self.disputed], f"validator {keys.public.hex()[:8]}"
        stake = (40_000 if keys in LIARS else 500) * UNIT  # liars sit on almost every first panel
        config = ValidatorConfig(self.folder / f"{name}.sqlite", bond=stake)
        validator = Validator(config, self.client, keys, models)
        if keys in LIARS:
            validator._library = LyingLibrary(models, spec_of(self.disputed).id)
        await self._serve(name, validator.serve)

    async def restart_validator(self, who: bytes) -> None:
        """End a validator at whatever it does, and start it again on its store."""
        await _end(self.workers.pop(f"validator {who.hex()[:8]}"))
        await self.validate(next(keys for keys in (*LIARS, *HONEST) if keys.public == who))

    async def _serve(self, name: str, work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        task = asyncio.create_task(_run(work), name=name)
        self.workers[name] = task
        self.stack.push_async_callback(_end, task)

    def backend(self, files: ModelFiles) -> EngineBackend:
        """An honest one."""
        return EngineBackend(AsyncEngine(Engine(files, spec_of(files))))

    def wrong_backend(self, files: ModelFiles) -> EngineBackend:
        """One that leaves a layer out."""
        spec = spec_of(files)
        model = skip_layer(LlamaModel.from_files(files, spec.numerics, "cpu"), 1)
        return EngineBackend(AsyncEngine(Engine(files, spec, model=model)))

    async def work(
        self,
        name: str,
        files: ModelFiles,
        backend: Callable[[], Backend],
        planted: Callable[[int, int], bool] = lambda *_: False,
        spoil: Callable[[Worker], None] = lambda _: None,
    ) -> None:
        """Start a worker with its own backend; `spoil` may change it before it serves."""
        self._started[name] = (files, backend, planted, spoil)
        keys, spec = Keypair.from_uri(f"//{name}"), spec_of(files)
        listener = socket.create_server(("127.0.0.1", 0))
        config = WorkerConfig(
            self.folder / name / "worker.sqlite",
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            bond=1000 * UNIT,
            register_spec=True,
        )
        worker = Worker(config, self.client, keys, files, spec, backend(), planted=planted)
        spoil(worker)

        async def serve(stop: asyncio.Event) -> None:
            with listener:
                await worker.serve(listener, stop)

        await self._serve(name, serve)

    async def offered(self, name: str, spec: ServiceSpec) -> None:
        """Wait until a worker's offer stands."""
        account = Keypair.from_uri(f"//{name}").public

        async def probe() -> bool:
            return account in await registry.offers(self.client.at(), spec.id)

        await self.until(probe, f"{name}'s offer")

    async def restart(self, name: str) -> None:
        """End a worker at whatever it does, and start it again on its store."""
        await _end(self.workers.pop(name))
        await self.work(name, *self._started[name])

    def requester(self, name: str) -> Requester:
        """Somebody who asks; to be closed by the caller."""
        patience = Patience(seconds=WAIT)
        return Requester(self.client, Keypair.from_uri(f"//{name}"), self.folder / "home", patience=patience)

    async def ask(
        self,
        payer: str,
        worker: str,
        spec: ServiceSpec,
        tokens: int,
        count: int = 1,
        before: Callable[[int], Awaitable[None]] | None = None,
    ) -> list[AnswerRecord]:
        """Answers of one session; `before` the first is asked for, its number is told."""
        await self.offered(worker, spec)
        async with self.requester(payer) as requester:
            account = Keypair.from_uri(f"//{worker}").public
            session = await requester.open_session(account, spec.id, escrow=UNIT, expires_in=2000)
            await requester.wait_for_seed(session, timeout=WAIT)
            if before is not None:
                await before(session)
            asked = [
                requester.ask(session, f"What is {number}?", max_tokens=tokens, temperature=1.0)
                for number in range(count)
            ]
            return list(await asyncio.gather(*asked))

    async def decided(self, answer: AnswerRecord) -> tuple[int, Audit]:
        """The first audit of an answer, once there is a verdict."""

        async def probe() -> tuple[int, Audit] | None:
            view = self.client.at()
            number = await view.get(spot_checks.storage.AuditOf, (answer.session, answer.index))
            found = None if number is None else await spot_checks.audit(view, number)
            return (
                None if number is None or found is None or found.stage != Stage.DECIDED else (number, found)
            )

        return await self.until(probe, f"a verdict on {answer.session}/{answer.index}")


def _plain(value: object) -> object:
    """A variant without values by its name."""
    return value.name if isinstance(value, Variant) else value


async def _run(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    await work(asyncio.Event())


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(BaseException):
        await task


@asynccontextmanager
async def court(folder: Path) -> AsyncIterator[Court]:
    """Begun, with the validators bonded, both models calibrated and every answer audited."""
    files = write_endless_model(folder / "tiny", seed=7)
    disputed = write_endless_model(folder / "disputed", seed=8)
    async with (
        AsyncExitStack() as stack,
        serve(Node.from_preset(ARTIFACT), seal=Seal("manual")) as server,
        Client.connect(server.url, poll=0.1) as client,
    ):
        found = Court(folder, server.service.node, client, files, disputed, stack)
        for work in (found.tick(), found.record()):
            stack.push_async_callback(_end, asyncio.create_task(work))
        for spec in (spec_of(files), spec_of(disputed)):
            await client.submit(registry.register_spec(spec), ROOT)
            await found.sudo(registry.set_calibration(spec.id, floor_calibration(spec.numerics)))
        await found.sudo(spot_checks.set_audit_floor(1_000_000))
        await found.validators()

        async def bonded() -> bool:
            return len(await staking.validators(client.at())) == len(LIARS) + len(HONEST)

        await found.until(bonded, "six validators")
        yield found
        await stack.aclose()
