"""The requester: opens sessions, asks, checks, pays.

async with Requester(client, keypair, home) as requester:
    session = await requester.open_session(escrow=10**12)
    await requester.wait_for_seed(session)
    answer = await requester.ask(session, "Why is the sky blue?", max_tokens=64)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from llmnet import proof
from llmnet.chain import ChainError, Client, Signer, TxResult
from llmnet.pallets.sessions import StatusOpen, state
from llmnet.proof import Message, ProofError, Receipt, Request

from .bundle import Bundle
from .door import Door, Interrupted, OnText, Refusal, signed_fetch
from .errors import BundleError, EscrowLow, NoOffer, RequestRefused, SessionOver, WorkerUnreachable
from .exchange import Exchange, Patience
from .ledger import ClientLedger, Ledger
from .store import KeptSession, State, StoredRequest
from .wallet import Messages, Wallet, as_messages
from .watch import Watch

log = logging.getLogger(__name__)
DEFAULT_TEMPERATURE = 0.2
DEFAULT_MAX_TOKENS = 256
WATCH_SECONDS = 5.0  # that a comparison with the chain may still take when everything else is done
FOLLOW_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """A checked and paid answer. `price` in plancks; `path` is its receipt file."""

    session: int
    index: int
    text: str
    receipt: Receipt
    price: int
    tokens: tuple[int, ...]
    worker: bytes
    path: Path


class Requester(Wallet):
    """A wallet that asks. Several asks may run at a time, of one session or of several."""

    def __init__(
        self,
        chain: Client | Ledger,
        signer: Signer,
        home: Path,
        *,
        http: httpx.AsyncClient | None = None,
        patience: Patience | None = None,
        report: bool = True,
    ) -> None:
        """`report`: whether workers that equivocate in a session of this account are reported."""
        super().__init__(ClientLedger(chain) if isinstance(chain, Client) else chain, signer, home)
        self._patience = patience or Patience()
        self._http = http or _http_client(self._patience)
        self._owns_http = http is None
        self._known: dict[int, KeptSession] = {}
        self.reports = report
        self._watch = Watch(self.ledger, self.store, signer)
        self._watching: dict[int, asyncio.Task[bool]] = {}

    async def __aenter__(self) -> Requester:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Release files and connections. Unanswered requests stay in the store."""
        await self._end_watches()
        if self._owns_http:
            await self._http.aclose()
        self.release()

    # Asking

    async def ask(
        self,
        session: int,
        messages: Messages,
        *,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        temperature: float = DEFAULT_TEMPERATURE,
        stop: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> AnswerRecord:
        """A checked answer, paid with a voucher. `on_text` gets the text as it comes.

        Raises the errors of `llmnet.gateway.errors`. Several asks of a session may run at a time.
        """
        draft = make_request(session, as_messages(messages), max_tokens, temperature, stop)
        kept = await self._kept(session)
        exchange = self._exchange(kept, recover=True)
        await self._recover(kept)
        self._begin_watch(session)
        await exchange.pay()
        stored = await exchange.run(exchange.begin(draft), on_text)
        return self._answered(kept, stored)

    async def _kept(self, number: int) -> KeptSession:
        if number not in self._known:
            self._known[number] = await self._terms(number)
        kept = self._known[number]
        broken = self.store.broken(kept.seed)
        if broken is not None:
            raise SessionOver(f"session {number} takes no more requests: {broken}. Open another one")
        return kept

    async def _terms(self, number: int) -> KeptSession:
        found = await self._own_session(number)
        if not isinstance(found.status, StatusOpen):
            raise SessionOver(f"session {number} is {state(found)}: open another one")
        seed = found.seed or await self.wait_for_seed(number)
        spec = (await self.ledger.specs()).get(found.spec_id)
        if spec is None:
            raise NoOffer(f"the spec of session {number} is not registered any more")
        offer = await self.ledger.offer(found.spec_id, found.worker)
        before = self.store.session(seed)
        if offer is None and before is None:
            raise NoOffer(
                f"the worker of session {number} withdrew its offer, so its address is unknown: close the session"
            )
        kept = KeptSession(
            seed=seed,
            number=number,
            worker=found.worker,
            endpoint=offer.endpoint if offer is not None else before.endpoint if before is not None else "",
            spec=spec,
            calibration=await self.ledger.calibration(found.spec_id),
            price_in=found.price_in,
            price_out=found.price_out,
        )
        self.store.put_session(kept)
        return kept

    def _exchange(self, kept: KeptSession, *, recover: bool) -> Exchange:
        async def again() -> None:
            await self._recover(kept)

        return Exchange(
            self.store,
            Door(self._http, kept.endpoint),
            self._signer,
            self.ledger.genesis_hash,
            kept,
            self._patience,
            again if recover else None,
        )

    async def _recover(self, kept: KeptSession) -> None:
        """Finish what processes that are gone have begun: the worker may have taken it."""
        for stored in self.store.take_over(kept.seed, self._owner.dead):
            log.info("taking up request %s/%s again", kept.number, stored.request.index)
            try:
                self._answered(kept, await self._exchange(kept, recover=False).run(stored))
            except (RequestRefused, EscrowLow) as error:
                log.warning("request %s/%s was dropped: %s", kept.number, stored.request.index, error)

    def _answered(self, kept: KeptSession, stored: StoredRequest) -> AnswerRecord:
        bundle = self._bundle(kept, stored)
        path = self.receipt_path(kept.number, stored.request.index)
        bundle.save(path)
        return AnswerRecord(
            kept.number,
            stored.request.index,
            bundle.text,
            bundle.receipt,
            bundle.price,
            bundle.tokens,
            kept.worker,
            path,
        )

    async def close_session(self, session: int) -> TxResult:
        """End a session, after handing over the last voucher. See `Wallet`."""
        await self.settle(session)
        return await super().close_session(session)

    async def settle(self, session: int) -> None:
        """Hand over the latest voucher of a session, if there is one that the worker does not have."""
        found = await self._own_session(session)
        kept = None if found.seed is None else self.store.session(found.seed)
        if kept is not None:
            await self._exchange(kept, recover=False).pay()

    # Watching

    async def watch(self, session: int) -> bool:
        """Compare what the chain has of a session with the receipts that were given; whether its worker was reported.

        Raises UnknownSession and ChainError.
        """
        return await self._watch.look(session, await self._own_session(session))

    async def follow(self, pause: float = FOLLOW_SECONDS) -> None:
        """Watch all open sessions until cancelled, every `pause` seconds."""
        while True:
            try:
                for number in await self.ledger.sessions_of(self.account):
                    await self.watch(number)
            except (ChainError, OSError) as error:
                log.warning("the chain cannot be compared with the receipts: %s; trying again", error)
            await asyncio.sleep(pause)

    def _begin_watch(self, session: int) -> None:
        """Beside a question: what came of earlier answers of its session."""
        if self.reports and session not in self._watching:
            self._watching[session] = asyncio.create_task(self.watch(session), name=f"watch {session}")
            self._watching[session].add_done_callback(lambda task: self._watched(session, task))

    def _watched(self, session: int, task: asyncio.Task[bool]) -> None:
        self._watching.pop(session, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.warning("session %s could not be compared with the chain: %s", session, error)

    async def _end_watches(self) -> None:
        tasks = list(self._watching.values())
        if tasks:
            await asyncio.wait(tasks, timeout=WATCH_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Receipts

    def receipt_path(self, session: int, index: int) -> Path:
        """Where the receipt file of an answer is."""
        return self.folder / "receipts" / f"{session}-{index}.json"

    def bundle(self, session: int, index: int) -> Bundle:
        """The receipt of an answer, from its file or from the store. Raises BundleError."""
        path = self.receipt_path(session, index)
        if path.exists():
            return Bundle.load(path)
        for seed in reversed(self.store.seeds(session)):
            kept, stored = self.store.session(seed), self.store.request(seed, index)
            if kept is not None and stored is not None and stored.state is State.ACCEPTED:
                return self._bundle(kept, stored)
        raise BundleError(
            f"there is no receipt {session}/{index} in {self.folder}: `llmnet receipts` lists them"
        )

    def _bundle(self, kept: KeptSession, stored: StoredRequest) -> Bundle:
        receipt, signature = stored.receipt, stored.receipt_signature
        if (
            receipt is None
            or signature is None
            or stored.tokens is None
            or stored.text is None
            or stored.price is None
        ):
            raise BundleError(f"request {kept.number}/{stored.request.index} has no answer")
        return Bundle(
            genesis_hash=self.ledger.genesis_hash,
            session=kept.number,
            index=stored.request.index,
            session_seed=kept.seed,
            requester=self.account,
            worker=kept.worker,
            spec=kept.spec,
            calibration=kept.calibration,
            request=stored.request,
            request_signature=stored.signature,
            receipt=receipt,
            receipt_signature=signature,
            tokens=stored.tokens,
            text=stored.text,
            leaves=None,
            price=stored.price,
        )

    async def fetch_leaves(self, session: int, index: int) -> Bundle:
        """The receipt with the leaves of all tokens, fetched from the worker, checked and added to its file.

        Raises BundleError if the worker does not have them any more or they are not the receipt's.
        """
        bundle = self.bundle(session, index)
        if bundle.leaves is not None:
            return bundle
        kept = self.store.session(bundle.session_seed)
        if kept is None:
            raise BundleError(f"the store does not know session {session}")
        signature = self._signer.sign(
            proof.signing_bytes("fetch", self.ledger.genesis_hash, signed_fetch(session, index))
        )
        try:
            record = await Door(self._http, kept.endpoint).record(session, index, self.account, signature)
        except Refusal as refusal:
            raise BundleError(f"the worker does not hand out the leaves: {refusal.message}") from None
        except Interrupted as error:
            raise WorkerUnreachable(f"the worker at {kept.endpoint} cannot be reached: {error}") from None
        complete = bundle.with_leaves(_leaves(record))
        try:
            calibration = complete.calibration or await self.ledger.calibration(complete.spec.id)
        except ChainError:
            calibration = None
        complete = replace(complete, calibration=calibration)
        complete.save(self.receipt_path(session, index))
        return complete


def _leaves(record: dict[str, Any]) -> tuple[proof.Leaf, ...]:
    value = record.get("leaves")
    if value is None:
        raise BundleError("the worker no longer has the leaves: they are dropped some time after settlement")
    try:
        return proof.decode_leaves(bytes.fromhex(value))
    except (TypeError, ValueError) as error:
        raise BundleError(f"the worker's leaves cannot be read: {error}") from None


def make_request(
    session: int, messages: tuple[Message, ...], max_tokens: int, temperature: float, stop: Sequence[str]
) -> Request:
    """A request without its index. Raises RequestRefused for values that no worker takes."""
    if not messages:
        raise RequestRefused("a request needs at least one message", 0, "bad_messages")
    if not 0 <= temperature <= 255:
        raise RequestRefused(f"temperature must be from 0 to 255, not {temperature}", 0, "bad_temperature")
    if max_tokens < 1:
        raise RequestRefused(f"max_tokens must be at least 1, not {max_tokens}", 0, "bad_max_tokens")
    try:
        return Request(
            session, 0, messages, round(temperature * 256), max_tokens, tuple(item.encode() for item in stop)
        )
    except (ProofError, UnicodeEncodeError) as error:
        raise RequestRefused(str(error), 0, "bad_request") from None


def _http_client(patience: Patience) -> httpx.AsyncClient:
    timeout = httpx.Timeout(connect=10.0, read=patience.read, write=60.0, pool=None)
    # A proxy is for the world outside; a worker on this machine is not behind it.
    local: dict[str, httpx.AsyncHTTPTransport | None] = {
        f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")
    }
    return httpx.AsyncClient(timeout=timeout, mounts=local, follow_redirects=False)
