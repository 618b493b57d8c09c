"""A worker without chain and model: a fake ledger, a scripted backend, everything between them real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from llmnet import proof
from llmnet.chain import Keypair
from llmnet.engine import GenerationRequest, ModelFiles
from llmnet.pallets.sessions import Session, StatusOpen
from llmnet.pallets.spot_checks import Audit, Member, Stage
from llmnet.proof import Candidate, FinishReason, Leaf, Message, Request, Role, ServiceSpec, Voucher
from llmnet.worker import Backend, Finished, Piece, Store, WorkerConfig
from llmnet.worker.admission import Admission
from llmnet.worker.answering import Answerer
from llmnet.worker.app import Face, make_app
from llmnet.worker.doors import Doors

GENESIS = bytes(range(32))
WORKER = Keypair.from_uri("//Worker1")
PAYER = Keypair.from_uri("//Requester1")
STRANGER = Keypair.from_uri("//Requester2")
VALIDATOR = Keypair.from_uri("//Validator1")
UNIT = 10**12


def leaves_of(tokens: list[int]) -> tuple[Leaf, ...]:
    return tuple(
        Leaf(i, token, (Candidate(token, -1),), (i,) * 8, (-i,) * 8) for i, token in enumerate(tokens)
    )


class FakeChain:
    """Sessions and audits as a test wants them."""

    def __init__(self, spec: ServiceSpec) -> None:
        self.genesis_hash = GENESIS
        self.sessions: dict[int, Session] = {}
        self.audits: dict[int, Audit] = {}
        self.proxies: dict[bytes, tuple[bytes, ...]] = {}
        self.down = False
        self.worker_stake = 200 * UNIT
        self._spec = spec

    def add(self, number: int, **changes: Any) -> Session:
        session = Session(
            requester=PAYER.public,
            worker=WORKER.public,
            spec_id=self._spec.id,
            domain=0,
            price_in=1000,
            price_out=2000,
            escrow=10**9,
            committed=0,
            claimed=0,
            answers=0,
            next_index=0,
            seed_round=7,
            seed=bytes([number]) * 32,
            status=StatusOpen(),
            opened_at=1,
            expires_at=1000,
            rated=False,
        )
        self.sessions[number] = replace(session, **changes)
        return self.sessions[number]

    def add_audit(self, number: int, session: int, index: int, **changes: Any) -> None:
        panel = (Member(VALIDATOR.public, None, False),)
        audit = Audit(
            worker=WORKER.public,
            epoch=0,
            ordinal=0,
            segment=0,
            session=session,
            index=index,
            mean_price=1,
            seed=bytes(32),
            stage=Stage.RECEIPT_OPENED,
            deadline=99,
            panel=panel,
            answer=None,
            outcome=None,
        )
        self.audits[number] = replace(audit, **changes)

    async def session(self, number: int) -> Session | None:
        self._reach()
        return self.sessions.get(number)

    async def stake(self, account: bytes) -> int:
        """What the worker has at risk."""
        self._reach()
        assert account == WORKER.public
        return self.worker_stake

    async def acts_for(self, account: bytes, owners: Collection[bytes]) -> bool:
        self._reach()
        return any(account in self.proxies.get(owner, ()) for owner in owners)

    async def audit(self, number: int) -> Audit | None:
        self._reach()
        return self.audits.get(number)

    def _reach(self) -> None:
        if self.down:
            raise ConnectionRefusedError("nobody there")


@dataclass
class ScriptedBackend:
    """Answers `words`, one token a word, chosen by the seed. `fault` is raised after the first word; `gate` holds there."""

    words: Callable[[GenerationRequest], list[str]] = lambda job: [
        f"{job.request_seed[0]} ",
        "is ",
        "the ",
        "answer",
    ]
    fault: Exception | None = None
    gate: asyncio.Event | None = None
    skip_leaf: bool = False
    jobs: list[GenerationRequest] = field(default_factory=list)
    left: int = 0
    closed: bool = False

    async def generate(self, job: GenerationRequest) -> AsyncGenerator[Piece | Finished, None]:
        self.jobs.append(job)
        try:
            tokens: list[int] = []
            for word in self.words(job)[: job.max_tokens]:
                tokens.append(10 + len(tokens) + job.request_seed[0])
                yield Piece((tokens[-1],), word)
                await asyncio.sleep(0)
                if self.gate is not None:
                    await self.gate.wait()
                if self.fault is not None:
                    raise self.fault
            leaves = leaves_of(tokens)
            reason = FinishReason.LENGTH if len(tokens) == job.max_tokens else FinishReason.STOP
            yield Finished(reason, leaves[1:] if self.skip_leaf else leaves)
        finally:
            self.left += 1

    def close(self) -> None:
        self.closed = True


def sign(keys: Keypair, name: str, payload: bytes, genesis: bytes = GENESIS) -> str:
    return keys.sign(proof.signing_bytes(name, genesis, payload)).hex()


def make_request(index: int = 0, text: str = "Hello", session: int = 1, **changes: Any) -> Request:
    request = Request(session, index, (Message.of(Role.USER, text),), 256, 8, ())
    return replace(request, **changes)


def body_of(
    request: Request, model: str, *, keys: Keypair = PAYER, genesis: bytes = GENESIS, **more: Any
) -> dict[str, Any]:
    """The body an honest client sends."""
    return {
        "model": model,
        "messages": [
            {"role": Role(message.role).name.lower(), "content": message.text} for message in request.messages
        ],
        "temperature": request.temperature / 256,
        "max_tokens": request.max_tokens,
        "stop": [item.decode() for item in request.stop],
        "llmnet": {
            "session": request.session,
            "index": request.index,
            "request": request.encode().hex(),
            "signature": sign(keys, "request", request.encode(), genesis),
        },
        **more,
    }


@dataclass
class Shop:
    """The worker under test and its client."""

    path: Path
    files: ModelFiles
    spec: ServiceSpec
    chain: FakeChain
    backend: Any = field(default_factory=ScriptedBackend)
    settings: dict[str, Any] = field(default_factory=dict)

    def open(self) -> Shop:
        self.config = WorkerConfig(self.path, "http://worker.test", **{"turn_seconds": 0.2, **self.settings})
        self.store = Store(self.path, genesis_hash=GENESIS, account=WORKER.public)
        backend: Backend = self.backend
        self.answerer = Answerer(backend, self.store, WORKER, GENESIS)
        self.admission = Admission(
            self.config, WORKER.public, self.spec, self.files, self.chain, self.store, self.answerer
        )
        doors = Doors(WORKER.public, self.chain, self.store, self.admission)
        self.app = make_app(Face(self.config, self.admission, doors, {"spec": self.spec.id.hex()}))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://worker.test")
        return self

    async def close(self) -> None:
        await self.http.aclose()
        await self.answerer.close()
        self.store.close()

    async def restart(self, backend: Any = None) -> None:
        """As after a crash, except that the file is let go."""
        await self.close()
        self.backend = backend or ScriptedBackend()
        self.open()

    @property
    def model(self) -> str:
        return self.spec.name.decode()

    async def send(self, body: Any) -> httpx.Response:
        return await self.http.post("/v1/chat/completions", json=body)

    async def ask(self, request: Request | None = None, **more: Any) -> httpx.Response:
        return await self.send(body_of(request or make_request(), self.model, **more))

    async def pay(self, amount: int, answers: int, session: int = 1, keys: Keypair = PAYER) -> httpx.Response:
        voucher = Voucher(session, amount, answers).encode()
        return await self.http.post(
            "/v1/vouchers", json={"payload": voucher.hex(), "signature": sign(keys, "voucher", voucher)}
        )

    async def fetch(self, path: str, payload: bytes, keys: Keypair, **headers: str) -> httpx.Response:
        credentials = {
            "x-llmnet-account": keys.public.hex(),
            "x-llmnet-signature": sign(keys, "fetch", payload),
        }
        return await self.http.get(path, headers={**credentials, **headers})


def refused(response: httpx.Response, status: int, code: str, *words: str) -> dict[str, Any]:
    """The error object of a refusal that has OpenAI's shape and says these words."""
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == code and error["type"] and error["message"]
    assert not [word for word in words if word not in error["message"]], error["message"]
    return error


def events_of(text: str) -> list[dict[str, Any]]:
    """The server-sent events of a whole stream, `[DONE]` checked and taken off."""
    *events, done, empty = text.split("\n\n")
    assert (done, empty) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]
