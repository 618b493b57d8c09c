"""The demo from its first process to its last line."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from llmnet.chain import Client
from llmnet.engine import ModelFiles, load_model_dir
from llmnet.pallets import reputation
from llmnet.proof import ServiceSpec
from llmnet.verifier.reference import spec_of

from .cast import BEHAVIOURS, REQUESTER, VALIDATORS, Player, players
from .ledger import discrepancies, issuance
from .processes import Daemon, Troupe, free_port
from .report import Outcome, WorkerResult
from .stage import connect, key, set_stage, wait_for_cast
from .watch import Watcher

BOND = "1000"
QUIET_BLOCKS = 4  # after the last verdict, so that what it moved is counted


class CurtainError(RuntimeError):
    """The play did not end in time; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Script:
    """What to play: `rounds` questions to each worker, all drawn by `seed`; `folder` takes logs and stores."""

    folder: Path
    model: Path
    rounds: int = 6
    seed: int = 1
    max_tokens: int = 24
    block_time: float = 1.0
    limit_seconds: float = 270.0
    behaviours: tuple[str, ...] = BEHAVIOURS
    node: str | None = None

    @property
    def cast(self) -> list[Player]:
        """The workers."""
        return players(self.behaviours)


Tell = Callable[[str], None]


class Director:
    """Starts everybody, watches the chain, counts."""

    def __init__(self, script: Script, tell: Tell) -> None:
        self.script, self._tell = script, tell
        self._files: ModelFiles = load_model_dir(script.model)
        self._spec: ServiceSpec = spec_of(self._files)
        self._url = script.node or f"ws://127.0.0.1:{free_port()}"
        self._results = {
            key(player.name).public: WorkerResult(player.name, player.behaviour, answers=script.rounds)
            for player in script.cast
        }
        self._watcher = Watcher(self._results)

    async def play(self) -> Outcome:
        """Run the whole play. Raises StageError, DaemonDied or CurtainError; all processes are ended in any case."""
        started = time.monotonic()
        async with Troupe(self.script.folder) as troupe:
            await self._start_node(troupe)
            async with Client.connect(self._url) as client:
                before = await issuance(client.at())
                await self._start_cast(client, troupe)
                requester = await self._start_requester(troupe)
                await self._watch(client, troupe, requester, started)
                return await self._count(client, before, started)

    async def _start_node(self, troupe: Troupe) -> None:
        if self.script.node is None:
            port = self._url.rsplit(":", 1)[1]
            args = ["--dev", "--port", port, "--block-time", str(self.script.block_time)]
            await troupe.start("node", "llmnet.cli.node", *args)
        await connect(self._url, troupe)
        self._tell(f"the chain runs at {self._url}")

    async def _start_cast(self, client: Client, troupe: Troupe) -> None:
        await set_stage(client, self._spec)
        self._tell(f"spec {self._spec.id.hex()[:16]}… registered, every answer is audited")
        common = ["--node", self._url, "--model", str(self.script.model), "--bond", BOND]
        for name in VALIDATORS:
            store = str(self.script.folder / name)
            await troupe.start(
                name, "llmnet.cli.validator", *common, "--dev-key", name, "--store", store, env=_ONE_THREAD
            )
        for player in self.script.cast:
            store = str(self.script.folder / player.name)
            args = [
                *common,
                "--dev-key",
                player.name,
                "--store",
                store,
                "--port",
                "0",
                "--behaviour",
                player.behaviour,
            ]
            await troupe.start(player.name, "llmnet.demo.worker", *args, env=_ONE_THREAD)
        await wait_for_cast(client, self._spec, self.script.cast, troupe)
        self._tell(f"{len(VALIDATORS)} validators and {len(self.script.cast)} workers are bonded and serving")

    async def _start_requester(self, troupe: Troupe) -> Daemon:
        names = [player.name for player in self.script.cast]
        args = ["--node", self._url, "--dev-key", REQUESTER, "--home", str(self.script.folder / "requester")]
        args += ["--seed", str(self.script.seed), "--rounds", str(self.script.rounds)]
        args += ["--max-tokens", str(self.script.max_tokens), "--spec", self._spec.id.hex()]
        requester = await Daemon.start(
            REQUESTER, "llmnet.demo.requester", [*args, *names], self.script.folder / "requester.log", {}
        )
        # It ends when it has its answers; the troupe only makes sure that it does not stay.
        troupe.guests.append(requester)
        return requester

    async def _watch(self, client: Client, troupe: Troupe, requester: Daemon, started: float) -> None:
        """Follow finalised blocks until every worker has had its due."""
        quiet = 0
        async with aclosing(client.blocks(from_block=1)) as blocks:
            async for block in blocks:
                for line in filter(None, map(self._watcher.take, block.events)):
                    self._tell(f"block {block.number}: {line}")
                troupe.check()
                if requester.process.returncode:
                    requester.check()
                quiet = quiet + 1 if self._watcher.finished(self.script.rounds) else 0
                if quiet >= QUIET_BLOCKS:
                    return
                if time.monotonic() - started > self.script.limit_seconds:
                    raise CurtainError(self._missing())

    def _missing(self) -> str:
        due = [
            f"{worker.name} ({worker.behaviour}): {len(worker.points)} of {self.script.rounds} audits decided"
            for worker in self._results.values()
            if not worker.right
        ]
        return f"not over after {self.script.limit_seconds:.0f} s: {'; '.join(due)}; logs are in {self.script.folder}"

    async def _count(self, client: Client, before: int, started: float) -> Outcome:
        view = client.at()
        for who, worker in self._results.items():
            worker.integrity = await reputation.score(view, who, 0, reputation.Axis.INTEGRITY)
        wrong = await discrepancies(view)
        for line in wrong:
            self._tell(f"the money does not add up: {line}")
        return Outcome(
            workers=list(self._results.values()),
            issuance_before=before,
            issuance_after=await issuance(view),
            held_ok=not wrong,
            seed=self.script.seed,
            seconds=time.monotonic() - started,
        )


_ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # nine processes share the machine
