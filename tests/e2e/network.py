"""A whole network of real processes with the tiny model: node, three validators, workers. The test owns the clock."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import httpx

from llmnet.chain import Client, Event, Keypair, variant_name
from llmnet.demo.cast import VALIDATORS
from llmnet.demo.ledger import discrepancies, issuance
from llmnet.demo.processes import Daemon, Troupe, free_port
from llmnet.demo.stage import key, set_stage
from llmnet.engine import write_tiny_model
from llmnet.gateway import AnswerRecord, Patience, Requester
from llmnet.pallets import registry, sessions, spot_checks, staking
from llmnet.pallets.spot_checks import Audit, Outcome, Stage
from llmnet.verifier import spec_of

from .clock import Clock, PeerClock

T = TypeVar("T")
WORKER = "Worker1"
ESCROW = 10**12
MAX_TOKENS = 10
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
LOG_LINES = 25
# Everything on polkadot-sdk's own node (LLMNET_POLKADOT_NODE) instead of ours.
ON_PEER = os.environ.get("LLMNET_E2E_NODE") == "polkadot"
PATIENCE = 5 if ON_PEER else 1  # its blocks are as much slower, so that daemons can restart within a deadline


@dataclass(frozen=True, slots=True)
class Part:
    """How a daemon is started, so that it can be started again."""

    name: str
    module: str
    args: tuple[str, ...]


class Network:
    """Started by `async with`. Every finalised block of the chain is in `blocks`, every event in `events`, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = folder / "tiny"
        self.files = write_tiny_model(self.model, seed=7)
        self.spec = spec_of(self.files)
        self.url = f"ws://127.0.0.1:{free_port()}"
        self.events: list[Event] = []
        self.blocks: list[tuple[int, bytes]] = []
        self.issuance = 0
        self.closing: list[int] = []  # sessions that a test closed, for the test that sees them closed
        self._news = asyncio.Condition()
        self._parts: dict[str, Part] = {}
        self._running: dict[str, Daemon] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        self.troupe = await self._stack.enter_async_context(Troupe(self.folder))
        place = ("--port", self.url.rsplit(":", 1)[1], "--base-path", self.folder / "chain")
        if ON_PEER:
            await self.start("node", "tests.e2e.peer_node", *place)
        else:
            await self.start("node", "llmnet.cli.node", "--dev", "--seal", "manual", *place)
        self.client = await self._stack.enter_async_context(Client.connect(self.url))
        hand = await self._stack.enter_async_context(Client.connect(self.url))
        self.clock = PeerClock(hand) if ON_PEER else Clock(hand)
        await self.clock.tick()
        self.issuance = await issuance(self.client.at())
        for work in (self.clock.run(), self._record()):
            self._stack.push_async_callback(_end, asyncio.create_task(work))
        await asyncio.gather(set_stage(self.client, self.spec), *map(self._start_validator, VALIDATORS))
        await self.start_worker(WORKER)
        await self.until(self._bonded)

    async def _bonded(self) -> bool:
        return len(await staking.validators(self.client.at())) == len(VALIDATORS)

    # Processes

    async def start(self, name: str, module: str, *args: object) -> Daemon:
        """Start a daemon."""
        self._parts[name] = Part(name, module, tuple(map(str, args)))
        return await self.again(name)

    async def _start_validator(self, name: str) -> None:
        common = ("--node", self.url, "--dev-key", name, "--store", self.folder / name)
        await self.start(name, "llmnet.cli.validator", *common, "--model", self.model, "--bond", 1000)

    async def start_worker(self, name: str, behaviour: str = "honest") -> None:
        """Start a worker, and wait until it serves and its offer stands."""
        port = free_port()
        common = ("--node", self.url, "--dev-key", name, "--store", self.folder / name)
        rest = ("--model", self.model, "--bond", 1000, "--port", port, "--behaviour", behaviour)
        await self.start(name, "llmnet.demo.worker", *common, *rest)
        await self.until(lambda: self.offered(name), 60)

    async def offered(self, name: str) -> bool:
        """Whether a worker's offer stands."""
        return key(name).public in await registry.offers(self.client.at(), self.spec.id)

    async def again(self, name: str) -> Daemon:
        """Start a daemon with what it was started with before."""
        part = self._parts[name]
        self._running[name] = await self.troupe.start(part.name, part.module, *part.args, env=ONE_THREAD)
        return self._running[name]

    def send_signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a daemon."""
        os.kill(self._running[name].process.pid, number)

    async def stop(self, name: str, number: signal.Signals, seconds: float = 15) -> int:
        """End a daemon by a signal; its exit status."""
        daemon = self._running.pop(name)
        self.troupe.daemons.remove(daemon)
        os.killpg(daemon.process.pid, number)
        return await asyncio.wait_for(daemon.process.wait(), seconds)

    async def kill(self, name: str) -> None:
        """kill -9."""
        await self.stop(name, signal.SIGKILL)

    def log(self, name: str) -> str:
        """What a daemon wrote since it was first started."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    async def told(self, name: str, words: str, times: int, seconds: float = 60) -> None:
        """Wait until a daemon's log has these words so many times."""
        end = time.monotonic() + seconds
        while self.log(name).count(words) < times:
            self.troupe.check()
            assert time.monotonic() < end, f"{name} did not say {words!r} {times} times:\n{self.log(name)}"
            await asyncio.sleep(0.1)

    async def endpoint(self, name: str = WORKER) -> str:
        """A worker's address, from its offer."""
        offer = await registry.offer(self.client.at(), self.spec.id, key(name).public)
        assert offer is not None
        return offer.endpoint

    async def serving(self, name: str = WORKER, seconds: float = 60) -> None:
        """Wait until a worker answers. Does not need the chain to make blocks."""
        url = f"{await self.endpoint(name)}/healthz"
        end = time.monotonic() + seconds
        async with httpx.AsyncClient(trust_env=False) as http:
            while time.monotonic() < end:
                self.troupe.check()
                with suppress(httpx.HTTPError):
                    if (await http.get(url)).status_code == 200:
                        return
                await asyncio.sleep(0.1)
        raise AssertionError(f"{name} does not serve:\n{self.log(name)}")

    def connections(self) -> int:
        """How many established connections the node's port has."""
        port = f":{int(self.url.rsplit(':', 1)[1]):04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(port) and row[3] == "01" for row in rows)

    # The chain

    async def _record(self) -> None:
        async for block in self.client.blocks(from_block=1):
            async with self._news:
                self.blocks.append((block.number, block.hash))
                self.events += block.events
                self._news.notify_all()

    async def until(self, probe: Callable[[], Awaitable[T | None]], seconds: float = 45) -> T:
        """What the probe gives, as soon as it is true; it is asked after every block."""
        try:
            async with asyncio.timeout(PATIENCE * seconds):
                while True:
                    self.troupe.check()
                    found = await probe()
                    if found:
                        return found
                    async with self._news:
                        with suppress(TimeoutError):
                            await asyncio.wait_for(self._news.wait(), 1.0)
        except TimeoutError:
            raise AssertionError(f"not within {seconds:.0f} s; {self.story()}") from None

    def story(self) -> str:
        """The last events and the ends of all logs, for a failure's message."""
        events = [f"{event.block_number} {event} {event.fields}" for event in self.events[-LOG_LINES:]]
        logs = [f"--- {name}\n" + "\n".join(self.log(name).splitlines()[-LOG_LINES:]) for name in self._parts]
        return "\n".join(["the last events:", *events, *logs])

    def find(self, pallet: str, name: str, **fields: object) -> list[Event]:
        """All events of this name with these values."""
        return [
            event
            for event in self.events
            if (event.pallet, event.name) == (pallet, name)
            and all(event.fields[field] == value for field, value in fields.items())
        ]

    async def seen(self, pallet: str, name: str, **fields: object) -> Event:
        """The last such event, once there is one."""

        async def probe() -> Event | None:
            found = self.find(pallet, name, **fields)
            return found[-1] if found else None

        return await self.until(probe)

    def faults(self) -> list[str]:
        """Everybody who was fined or slashed so far, and by how much."""
        names = {key(name).public: name for name in (*VALIDATORS, WORKER, "Worker2")}
        return [
            f"{event.name} {names.get(event.fields['who'], '?')} in block {event.block_number}"
            for event in self.events
            if event.pallet == "Staking" and event.name in ("Fined", "Slashed")
        ]

    async def problems(self) -> list[str]:
        """What does not add up, seen from outside, and faults in the daemons' logs."""
        view = self.client.at()
        found = await discrepancies(view)
        if await issuance(view) != self.issuance:
            found.append(f"total issuance was {self.issuance}, is {await issuance(view)}")
        return found + [f"{name} logged a traceback" for name in self._parts if "Traceback" in self.log(name)]

    # Asking

    def requester(self, name: str) -> Requester:
        """Somebody who asks; to be closed by the caller."""
        return Requester(
            self.client, key(name), self.folder / "home", patience=Patience(seconds=40.0 * PATIENCE)
        )

    async def session(self, requester: Requester, worker: str = WORKER, expires_in: int = 600) -> int:
        """A new session that has its seed."""
        number = await requester.open_session(
            key(worker).public, self.spec.id, escrow=ESCROW, expires_in=expires_in
        )
        await requester.wait_for_seed(number, timeout=40 * PATIENCE)
        return number

    async def answers(self, requester: Requester, session: int, count: int = 2) -> list[AnswerRecord]:
        """Ask so many questions at once."""
        texts = [f"What is {number}?" for number in range(count)]
        asked = [requester.ask(session, text, max_tokens=MAX_TOKENS, temperature=1.0) for text in texts]
        return sorted(await asyncio.gather(*asked), key=lambda answer: answer.index)

    async def committed(self, answer: AnswerRecord) -> None:
        """Wait until a batch with the answer is on chain."""

        async def probe() -> bool:
            found = await sessions.session(self.client.at(), answer.session)
            return found is not None and found.next_index > answer.index

        await self.until(probe)

    async def verdict(self, answer: AnswerRecord) -> Outcome:
        """How the audit of an answer ended, once it did."""
        return await self.until(
            lambda: spot_checks.verdict_of(self.client.at(), answer.session, answer.index)
        )

    async def verdicts(self, answers: Sequence[AnswerRecord]) -> list[str]:
        """The verdicts on answers."""
        return [variant_name((await self.verdict(answer)).verdict) for answer in answers]

    async def audit_of(self, answer: AnswerRecord, *stages: Stage) -> tuple[int, Audit]:
        """The audit of an answer, once it is at one of the stages."""

        async def probe() -> tuple[int, Audit] | None:
            view = self.client.at()
            number = await view.query("SpotChecks", "AuditOf", (answer.session, answer.index))
            found = None if number is None else await spot_checks.audit(view, number)
            return None if found is None or found.stage not in stages else (number, found)

        return await self.until(probe)


def account(name: str) -> Keypair:
    """A development account."""
    return key(name)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
