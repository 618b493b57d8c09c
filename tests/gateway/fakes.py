"""A chain and a worker in memory, strict where the real ones are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from llmnet import proof
from llmnet.chain import Call, Event, Keypair, Signer, TxResult
from llmnet.gateway.equivocation import CommittedSegment
from llmnet.gateway.ledger import BeaconPlace
from llmnet.pallets.registry import Offer
from llmnet.pallets.sessions import Session, StatusClosed, StatusClosing, StatusOpen
from llmnet.proof import (
    Calibration,
    Candidate,
    FinishReason,
    Leaf,
    NumericsClass,
    Receipt,
    Request,
    ServiceSpec,
    Voucher,
)

GENESIS = bytes(range(32))
UNIT = 10**12
ENDPOINT = "http://worker.test"
SPEC = ServiceSpec(
    b"tiny", *(bytes([number]) * 32 for number in range(1, 5)), 1, 1, NumericsClass.FP32, 1000, 512, 9, 9
)
CALIBRATION = Calibration(1, 2, 3, 4, 5, 6, 7)
PRICE_IN, PRICE_OUT = UNIT // 100, UNIT // 50


class FakeLedger:
    """The chain, as far as a requester sees it. Sessions get their seed when `seeded` says so."""

    def __init__(self, worker: bytes, genesis_hash: bytes = GENESIS) -> None:
        self.genesis_hash = genesis_hash
        self.height = 10
        self.sessions: dict[int, Session] = {}
        self.submitted: list[Call] = []
        self.registered = {SPEC.id: SPEC}
        self.offered = {(SPEC.id, worker): Offer(ENDPOINT, PRICE_IN, PRICE_OUT, (0,), bytes(32), 8, 1, 1)}
        self.seeded = True
        self.life = b"first life"
        self.batches: list[CommittedSegment] = []
        self.opened_in: dict[tuple[int, int], tuple[int, Receipt]] = {}

    async def specs(self) -> dict[bytes, ServiceSpec]:
        return dict(self.registered)

    async def calibration(self, spec_id: bytes) -> Calibration | None:
        return CALIBRATION

    async def offers(self, spec_id: bytes) -> dict[bytes, Offer]:
        return {worker: offer for (spec, worker), offer in self.offered.items() if spec == spec_id}

    async def offer(self, spec_id: bytes, worker: bytes) -> Offer | None:
        return self.offered.get((spec_id, worker))

    async def session(self, number: int) -> Session | None:
        found = self.sessions.get(number)
        return found if found is None or self.seeded else replace(found, seed=None)

    async def sessions_of(self, requester: bytes) -> list[int]:
        return [
            number
            for number, session in self.sessions.items()
            if session.requester == requester and not isinstance(session.status, StatusClosed)
        ]

    async def block(self) -> int:
        return self.height

    async def beacon(self) -> BeaconPlace:
        self.height += 1
        return BeaconPlace(self.height // 6, self.height, True, self.height + 1)

    async def committed(self, worker: bytes, session: int, first: int, last: int) -> list[CommittedSegment]:
        """By block, which here is the epoch."""
        return [item for item in self.batches if first <= item.epoch <= last]

    async def opened(self, session: int, index: int) -> tuple[int, Receipt] | None:
        return self.opened_in.get((session, index))

    async def submit(self, call: Call, signer: Signer) -> TxResult:
        self.submitted.append(call)
        self.height += 1
        fields = getattr(self, f"_{call.function}")(dict(call.args), signer.public)
        event = Event(self.height, bytes(32), 1, "Sessions", fields.pop("event"), fields)
        return TxResult(bytes(32), self.height, bytes(32), 1, 10**9, (event,))

    def _open(self, args: dict[str, Any], who: bytes) -> dict[str, Any]:
        offer = self.offered[args["spec_id"], args["worker"]]
        number = len(self.sessions)
        self.sessions[number] = Session(
            requester=who,
            worker=args["worker"],
            spec_id=args["spec_id"],
            domain=args["domain"],
            price_in=offer.price_in,
            price_out=offer.price_out,
            escrow=args["escrow"],
            committed=0,
            claimed=0,
            answers=0,
            next_index=0,
            seed_round=3,
            seed=proof.domain_hash("session-seed", self.life + bytes([number])),
            status=StatusOpen(),
            opened_at=self.height,
            expires_at=self.height + args["expires_in"],
            rated=False,
        )
        return {"event": "SessionOpened", "session": number}

    def _top_up(self, args: dict[str, Any], who: bytes) -> dict[str, Any]:
        found = self.sessions[args["session"]]
        self.sessions[args["session"]] = replace(found, escrow=found.escrow + args["amount"])
        return {"event": "ToppedUp", **args}

    def _close(self, args: dict[str, Any], who: bytes) -> dict[str, Any]:
        found = self.sessions[args["session"]]
        self.sessions[args["session"]] = replace(found, status=StatusClosing(self.height + 60))
        return {"event": "Closing", "until": self.height + 60, **args}

    def _report_segment(self, args: dict[str, Any], who: bytes) -> dict[str, Any]:
        return {"event": "Reported"}

    _report_opened = _report_segment

    def _rate(self, args: dict[str, Any], who: bytes) -> dict[str, Any]:
        return {"event": "Rated", **args}


@dataclass
class Kept:
    """An answer of the fake worker."""

    request: Request
    request_signature: bytes
    receipt: Receipt
    signature: bytes
    tokens: list[int]
    text: str
    price: int
    leaves: list[Leaf]

    def extension(self) -> dict[str, Any]:
        return {
            "receipt": self.receipt.encode().hex(),
            "signature": self.signature.hex(),
            "tokens": self.tokens,
            "price": str(self.price),
        }


def refusal(status: int, code: str, message: str = "no", **details: object) -> httpx.Response:
    headers = {"retry-after": str(details.pop("retry_after"))} if "retry_after" in details else {}
    body = {"error": {"message": message, "type": "t", "code": code, **details}}
    return httpx.Response(status, json=body, headers=headers)


Fault = Callable[[Request], httpx.Response | str | None]


@dataclass
class FakeWorker:
    """Answers as the protocol says, unless told otherwise.

    `faults` are asked in turn, once each: a response is sent instead of working; "drop" loses the connection before the request
    is taken, "cut" in the middle of the answer, "mute" before the receipt.
    `tamper` may change what is sent.
    """

    keys: Keypair
    ledger: FakeLedger
    max_unpaid: int = 8
    faults: list[Fault] = field(default_factory=list)
    tamper: Callable[[Kept], Kept] = lambda kept: kept
    words: Callable[[Request], list[str]] = lambda request: [
        f"answer {request.index} ",
        "to ",
        request.messages[-1].text,
    ]
    answers: dict[tuple[int, int], Kept] = field(default_factory=dict)
    vouchers: dict[int, Voucher] = field(default_factory=dict)
    taken: list[bytes] = field(default_factory=list)
    voucher_fault: httpx.Response | None = None
    delay: float = 0.0

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self.transport)

    async def handle(self, http: httpx.Request) -> httpx.Response:
        path = http.url.path
        if path == "/v1/chat/completions":
            return await self._chat(json.loads(http.content))
        if path == "/v1/vouchers":
            return self._voucher(json.loads(http.content))
        if path.startswith("/v1/receipts/"):
            return self._record(http)
        return refusal(404, "http_404")

    async def _chat(self, body: dict[str, Any]) -> httpx.Response:
        extension = body["llmnet"]
        raw, signature = bytes.fromhex(extension["request"]), bytes.fromhex(extension["signature"])
        request = Request.decode(raw)
        self._check_body(body, request)
        fault = self.faults.pop(0)(request) if self.faults else None
        if isinstance(fault, httpx.Response):
            return fault
        if fault == "drop":
            raise httpx.ConnectError("dropped")
        refused = await self._admit(request, raw, signature)
        if refused is not None:
            return refused
        kept = self.tamper(self.answers[request.session, request.index])
        return httpx.Response(200, content=self._stream(kept, fault))

    def _check_body(self, body: dict[str, Any], request: Request) -> None:
        assert body["model"] == SPEC.id.hex()
        assert [message["content"] for message in body["messages"]] == [m.text for m in request.messages]
        assert round(body["temperature"] * 256) == request.temperature
        assert body["max_tokens"] == request.max_tokens
        assert body["stop"] == [item.decode() for item in request.stop]

    async def _admit(self, request: Request, raw: bytes, signature: bytes) -> httpx.Response | None:
        session = self.ledger.sessions[request.session]
        if not proof.verify_signature(session.requester, signature, "request", self.ledger.genesis_hash, raw):
            return refusal(401, "bad_signature")
        for _ in range(20):
            if self._next(request.session) >= request.index:
                break
            await asyncio.sleep(0.01)
        expected = self._next(request.session)
        if expected < request.index:
            return refusal(409, "index_ahead", expected=expected)
        if expected > request.index:
            same = self.answers[request.session, request.index].request == request
            return None if same else refusal(409, "index_used", expected=expected)
        prices = self._prices(request.session)
        paid = self.vouchers.get(request.session)
        if len(prices) - (paid.answers if paid else 0) >= self.max_unpaid:
            return refusal(402, "voucher_due", answers=len(prices), expected=str(sum(prices)))
        worst = proof.price(5, request.max_tokens, session.price_in, session.price_out)
        if sum(prices) + worst > session.escrow:
            return refusal(402, "escrow_low", missing=str(sum(prices) + worst - session.escrow))
        self.taken.append(raw)
        self._answer(request, signature, session)
        await asyncio.sleep(self.delay)
        return None

    def _answer(self, request: Request, signature: bytes, session: Session) -> None:
        words = self.words(request)[: request.max_tokens]
        tokens = [100 + number for number in range(len(words))]
        leaves = [
            Leaf(i, token, (Candidate(token, 0),), (0,) * 8, (i,) * 8) for i, token in enumerate(tokens)
        ]
        text = "".join(words)
        receipt = Receipt(
            session=request.session,
            index=request.index,
            request_hash=request.hash,
            temperature=request.temperature,
            output_hash=proof.output_hash(tokens),
            text_hash=proof.text_hash(text),
            n_prompt=5,
            n_out=len(tokens),
            finish=FinishReason.LENGTH if len(tokens) == request.max_tokens else FinishReason.STOP,
            transcript_root=proof.transcript_root(leaves),
        )
        price = proof.price(5, len(tokens), session.price_in, session.price_out)
        kept = Kept(request, signature, receipt, self.sign(receipt), tokens, text, price, leaves)
        self.answers[request.session, request.index] = kept

    def sign(self, receipt: Receipt) -> bytes:
        return self.keys.sign(proof.signing_bytes("receipt", self.ledger.genesis_hash, receipt.encode()))

    def resigned(self, kept: Kept, **changes: Any) -> Kept:
        """The answer with another receipt, properly signed."""
        receipt = replace(kept.receipt, **changes)
        return replace(kept, receipt=receipt, signature=self.sign(receipt))

    async def _stream(self, kept: Kept, fault: str | None) -> AsyncIterator[bytes]:
        def event(delta: dict[str, str], **more: Any) -> bytes:
            return (
                b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}], **more}).encode() + b"\n\n"
            )

        yield event({"role": "assistant", "content": ""})
        half = len(kept.text) // 2
        yield event({"content": kept.text[:half]})
        if fault == "cut":
            raise httpx.ReadError("cut")
        yield event({"content": kept.text[half:]})
        if fault == "mute":
            return
        yield event({}, llmnet=kept.extension())
        yield b"data: [DONE]\n\n"

    def _next(self, session: int) -> int:
        return sum(number == session for number, _ in self.answers)

    def _prices(self, session: int) -> list[int]:
        return [self.answers[session, index].price for index in range(self._next(session))]

    def _voucher(self, body: dict[str, str]) -> httpx.Response:
        if self.voucher_fault is not None:
            return self.voucher_fault
        raw, signature = bytes.fromhex(body["payload"]), bytes.fromhex(body["signature"])
        voucher = Voucher.decode(raw)
        requester = self.ledger.sessions[voucher.session].requester
        if not proof.verify_signature(requester, signature, "voucher", self.ledger.genesis_hash, raw):
            return refusal(401, "bad_voucher_signature")
        prices = self._prices(voucher.session)
        if voucher.answers > len(prices) or voucher.amount != sum(prices[: voucher.answers]):
            return refusal(422, "voucher_amount", expected=str(sum(prices[: voucher.answers])))
        kept = self.vouchers.get(voucher.session)
        if kept is None or voucher.answers > kept.answers:
            self.vouchers[voucher.session] = voucher
        return httpx.Response(204)

    def _record(self, http: httpx.Request) -> httpx.Response:
        session, index = (int(part) for part in http.url.path.split("/")[-2:])
        payload = session.to_bytes(8, "little") + index.to_bytes(4, "little")
        account = bytes.fromhex(http.headers["x-llmnet-account"])
        signature = bytes.fromhex(http.headers["x-llmnet-signature"])
        assert account == self.ledger.sessions[session].requester
        assert proof.verify_signature(account, signature, "fetch", self.ledger.genesis_hash, payload)
        if (session, index) not in self.answers:
            return refusal(404, "unknown_answer")
        kept = self.tamper(self.answers[session, index])
        body = {
            "request": kept.request.encode().hex(),
            "request_signature": kept.request_signature.hex(),
            "receipt": kept.receipt.encode().hex(),
            "receipt_signature": kept.signature.hex(),
            "tokens": kept.tokens,
            "text": kept.text,
            "price": str(kept.price),
            "leaves": proof.encode_leaves(kept.leaves).hex(),
        }
        return httpx.Response(200, json=body)
