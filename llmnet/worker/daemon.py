"""The worker as a whole: store, backend, HTTP face and duties, started and stopped together."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from llmnet import proof
from llmnet.chain import Client, Signer, enter_life, watch_life
from llmnet.engine import ModelFiles
from llmnet.pallets import staking
from llmnet.proof import ServiceSpec

from .admission import Admission
from .answering import Answerer
from .app import Face, make_app
from .appeals import Appeals
from .backend import Backend
from .config import WorkerConfig
from .doors import Doors
from .errors import WorkerError
from .keeper import Keeper
from .ledger import ClientView
from .setup import prepare
from .store import Store

log = logging.getLogger(__name__)
ANSWER_SECONDS = 2.0  # what running answers get when the worker is stopped
DOOR_SECONDS = 3  # and what open connections get, these seconds included


def policy_of(spec: ServiceSpec, backend: str) -> dict[str, Any]:
    """What the worker says about its arithmetic; its hash stands in the offer."""
    return {
        "spec": spec.id.hex(),
        "numerics": spec.numerics.name,
        "sampler_version": spec.sampler_version,
        "backend": backend,
    }


def policy_digest(policy: dict[str, Any]) -> bytes:
    """Hash of the policy's canonical JSON."""
    return proof.blake2b_256(json.dumps(policy, sort_keys=True, separators=(",", ":")).encode())


class Server(uvicorn.Server):
    """Leaves signals to the daemon, whose handlers end everything in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


class Worker:
    """Sells answers of one spec. `backend` is what computes them: the engine, or whatever a test or demo puts there."""

    def __init__(
        self,
        config: WorkerConfig,
        client: Client,
        signer: Signer,
        files: ModelFiles,
        spec: ServiceSpec,
        backend: Backend,
        *,
        backend_name: str = "engine",
        planted: Callable[[int, int], bool] = lambda *_: False,
    ) -> None:
        """`planted` tells the answers, by session and index, that are wrong on purpose: they are not appealed."""
        self.config, self._client, self._signer, self._spec = config, client, signer, spec
        self.store = Store(config.store, genesis_hash=client.genesis_hash, account=signer.public)
        self._policy = policy_of(spec, backend_name)
        chain = ClientView(client)
        self._answerer = Answerer(backend, self.store, signer, client.genesis_hash)
        self._admission = Admission(config, signer.public, spec, files, chain, self.store, self._answerer)
        doors = Doors(signer.public, chain, self.store, self._admission)
        self.app = make_app(Face(config, self._admission, doors, self._policy))
        appeals = Appeals(config, client, signer, self.store, backend, self._admission.prompt, planted)
        self._keeper = Keeper(config, client, signer, self.store, appeals, self._prepare)

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises SetupError before the door opens if something is missing on chain."""
        try:
            if await self._is_appealing():
                log.warning(
                    "this account is slashed, and audits of it are not over: only they are looked after"
                )
            else:
                await self._prepare()
            first_block = await enter_life(self._client, self.store)
            await self._admission.resume()
            await self._work(listener, stop, first_block)
        finally:
            await self.close()

    async def _prepare(self) -> None:
        await prepare(self.config, self._client, self._signer, self._spec, policy_digest(self._policy))

    async def _is_appealing(self) -> bool:
        """Whether the account may not work now, but may again when what its store follows is over."""
        bond = await staking.bond_of(self._client.at(), self._signer.public)
        return bond is not None and bond.removed and bool(self.store.followed())

    async def _work(self, listener: socket.socket, stop: asyncio.Event, first_block: bytes) -> None:
        server = Server(
            uvicorn.Config(
                self.app,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=DOOR_SECONDS,
            )
        )
        door = asyncio.create_task(server.serve([listener]), name="door")
        parts = [
            asyncio.create_task(self._keeper.run(), name="duties"),
            asyncio.create_task(watch_life(self._client, first_block), name="life"),
            asyncio.create_task(self._watch_backend(), name="backend"),
        ]
        waiting = asyncio.create_task(stop.wait())
        log.info("serving %s at %s", self._spec.name.decode(errors="replace"), self.config.endpoint)
        try:
            done, _ = await asyncio.wait({door, *parts, waiting}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {waiting}:
                task.result()  # a daemon's parts end only by a fault: show it
        finally:
            server.should_exit = True
            for task in (*parts, waiting):
                task.cancel()
            await self._answerer.close(ANSWER_SECONDS)
            await asyncio.gather(door, *parts, waiting, return_exceptions=True)

    async def _watch_backend(self) -> None:
        await self._answerer.dead.wait()
        raise WorkerError("the engine has stopped: start the worker again, it answers then what it accepted")

    async def close(self) -> None:
        """Stop computing and close the store."""
        await self._keeper.close()
        await self._answerer.close()
        self.store.close()
