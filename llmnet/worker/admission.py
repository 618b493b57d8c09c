"""Which requests and vouchers are taken. Nothing is computed for a request that fails here."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from functools import partial

from llmnet import proof
from llmnet.chain import ChainError
from llmnet.engine import ModelFiles, PromptError
from llmnet.pallets import spot_checks
from llmnet.pallets.sessions import Session, StatusOpen, state
from llmnet.proof import DecodeError, Request, ServiceSpec, Voucher

from .answering import Answerer, Running, Terms
from .body import ChatBody, signed_request, unhex
from .config import WorkerConfig
from .errors import (
    ApiError,
    BadRequest,
    Busy,
    Conflict,
    NotFound,
    PaymentRequired,
    Unauthorised,
    Unavailable,
    Unprocessable,
)
from .ledger import ChainView
from .logprobs import logprob_writer
from .store import Answer, Store

log = logging.getLogger(__name__)

ADMITTED = Running | Answer


class Admission:
    """Checks requests against the chain and the store, in the order in which an honest client can mend them."""

    def __init__(
        self,
        config: WorkerConfig,
        account: bytes,
        spec: ServiceSpec,
        files: ModelFiles,
        chain: ChainView,
        store: Store,
        answerer: Answerer,
    ) -> None:
        self._config, self._account, self._spec, self._chain = config, account, spec, chain
        self._store, self._answerer, self._tokenizer = store, answerer, files.tokenizer
        self.logprobs = partial(logprob_writer, tokenizer=self._tokenizer, spec=spec)
        self._turns: dict[int, asyncio.Condition] = defaultdict(asyncio.Condition)

    @property
    def model(self) -> str:
        """The name under which the spec is offered."""
        return self._spec.name.decode(errors="replace")

    async def admit(self, body: ChatBody) -> ADMITTED:
        """The answer in the making, or the stored one if this very request was answered before. Raises ApiError."""
        request, signature = signed_request(body)
        if body.model not in (self.model, self._spec.id.hex()):
            raise NotFound(
                "model_not_found",
                f"this worker serves {self.model!r} ({self._spec.id.hex()}), not {body.model!r}",
            )
        session = await self.session(request.session)
        if not proof.verify_signature(
            session.requester, signature, "request", self._chain.genesis_hash, request.encode()
        ):
            raise Unauthorised(
                "bad_signature",
                f"the signature is not that of session {request.session}'s requester over this request",
            )
        if body.llmnet.voucher is not None:
            await self.take_voucher(body.llmnet.voucher.payload, body.llmnet.voucher.signature)
        prompt_ids = await asyncio.to_thread(self.prompt, request)
        dearest = await self._dearest()
        known = await self._known(request, prompt_ids, session)
        if known is not None:
            return known
        return await self._accept(request, signature, session, prompt_ids, dearest)

    async def session(self, number: int) -> Session:
        """A session of ours that can be used. Raises NotFound, Conflict or Unavailable."""
        try:
            session = await self._chain.session(number)
        except (ChainError, OSError) as error:
            raise Unavailable(
                "chain_unreachable", f"the chain cannot be reached: {error}", retry_after=5
            ) from None
        if session is None or session.worker != self._account:
            raise NotFound(
                "unknown_session",
                f"session {number} does not exist on the chain, or is not with this worker: open one with it",
            )
        if session.spec_id != self._spec.id:
            raise NotFound(
                "other_spec",
                f"session {number} is for spec {session.spec_id.hex()}, this worker serves {self._spec.id.hex()}",
            )
        return session

    async def take_voucher(self, payload: str, signature: str) -> None:
        """Check and keep a voucher; one that is not better than the kept one changes nothing. Raises ApiError."""
        try:
            voucher = Voucher.decode(unhex(payload))
        except DecodeError as error:
            raise BadRequest("invalid_voucher", f"the voucher cannot be decoded: {error}") from None
        session = await self.session(voucher.session)
        if not proof.verify_signature(
            session.requester, unhex(signature), "voucher", self._chain.genesis_hash, voucher.encode()
        ):
            raise Unauthorised(
                "bad_voucher_signature",
                f"the voucher is not signed by the requester of session {voucher.session}",
            )
        self._check_amount(voucher)
        kept = self._store.voucher(voucher.session)
        if kept is None or voucher.answers > kept[0].answers:
            self._store.put_voucher(voucher, unhex(signature))

    def _check_amount(self, voucher: Voucher) -> None:
        prices = self._store.prices(voucher.session)
        if voucher.answers > len(prices):
            raise Unprocessable(
                "voucher_ahead",
                f"the voucher names {voucher.answers} answers, session {voucher.session} has {len(prices)}",
                answers=len(prices),
            )
        owed = sum(prices[: voucher.answers])
        if voucher.amount != owed:
            word = "more" if voucher.amount > owed else "less"
            raise Unprocessable(
                "voucher_amount",
                f"the voucher promises {word} than the {voucher.answers} answers cost: {voucher.amount} instead of {owed} plancks",
                expected=str(owed),
            )

    async def _known(
        self, request: Request, prompt_ids: tuple[int, ...], session: Session
    ) -> ADMITTED | None:
        """What there is for a replayed request; None if its index is the next one, waiting for its predecessors if need be."""
        turn = self._turns[request.session]
        async with turn:
            try:
                await asyncio.wait_for(
                    turn.wait_for(lambda: self._next(request.session) >= request.index),
                    self._config.turn_seconds,
                )
            except TimeoutError:
                expected = self._next(request.session)
                raise Conflict(
                    "index_ahead",
                    f"index {request.index} is not the next one: send {expected}",
                    expected=expected,
                ) from None
        if self._next(request.session) == request.index:
            return None
        return self._replayed(request, prompt_ids, session)

    def _next(self, session: int) -> int:
        return self._store.next_index(session)

    def _replayed(self, request: Request, prompt_ids: tuple[int, ...], session: Session) -> ADMITTED:
        kept = self._store.request(request.session, request.index)
        expected = self._next(request.session)
        if kept is None or kept[0] != request:
            raise Conflict(
                "index_used",
                f"index {request.index} was used for another request: the next one is {expected}",
                expected=expected,
            )
        running = self._answerer.running(request.session, request.index)
        if running is not None:
            return running
        answer = self._store.answer(request.session, request.index)
        if answer is not None:
            return answer
        # Accepted, and its computation broke or was cut off: the answer is still owed.
        return self._answerer.start(request, prompt_ids, self._terms(session, request.session, owed=True))

    async def _accept(
        self,
        request: Request,
        signature: bytes,
        session: Session,
        prompt_ids: tuple[int, ...],
        dearest: int,
    ) -> Running:
        # From here to the store nothing awaits: two requests cannot pass the same check.
        terms = self._terms(session, request.session)
        self._check_limits(request, len(prompt_ids))
        self._check_money(request, session, len(prompt_ids), dearest)
        if len(self._answerer) >= self._config.max_queue:
            raise Busy(
                "queue_full",
                f"{len(self._answerer)} answers are in the making, no more are taken",
                retry_after=2,
            )
        self._store.accept(request, signature)
        running = self._answerer.start(request, prompt_ids, terms)
        turn = self._turns[request.session]
        async with turn:
            turn.notify_all()
        return running

    def _terms(self, session: Session, number: int, *, owed: bool = False) -> Terms:
        if not isinstance(session.status, StatusOpen) and not owed:
            raise Conflict("session_over", f"session {number} is {state(session)}: open another one")
        failure = self._store.failure(number)
        if failure is not None:
            raise Conflict(
                "session_stuck",
                f"an earlier request of session {number} failed ({failure}): open another session",
            )
        if session.seed is None:
            raise Unavailable(
                "seed_pending",
                f"session {number} waits for beacon round {session.seed_round}: ask again",
                retry_after=3,
            )
        return Terms(session.seed, session.price_in, session.price_out)

    def prompt(self, request: Request) -> tuple[int, ...]:
        """The tokens of a request's messages. Raises Unprocessable."""
        try:
            return tuple(self._tokenizer.encode_chat(request.messages))
        except PromptError as error:
            raise Unprocessable("bad_prompt", str(error)) from None

    def _check_limits(self, request: Request, n_prompt: int) -> None:
        if request.max_tokens < 1:
            raise Unprocessable("max_tokens", "max_tokens must be at least 1")
        if len(request.stop) > self._config.max_stops or not all(request.stop):
            raise Unprocessable(
                "stop", f"stop takes up to {self._config.max_stops} strings, none of them empty"
            )
        if n_prompt + request.max_tokens > self._spec.context_length:
            raise Unprocessable(
                "context_length",
                f"{n_prompt} tokens of prompt and {request.max_tokens} of answer exceed the context of {self._spec.context_length}",
            )

    async def _dearest(self) -> int:
        """What an answer may cost in plancks. One that no batch of ours may hold could never be paid."""
        try:
            return await self._chain.stake(self._account) // spot_checks.FINE_REWARDS
        except (ChainError, OSError) as error:
            raise Unavailable(
                "chain_unreachable", f"the chain cannot be reached: {error}", retry_after=5
            ) from None

    def _check_money(self, request: Request, session: Session, n_prompt: int, dearest: int) -> None:
        kept = self._store.voucher(request.session)
        answers = kept[0].answers if kept else 0
        prices = self._store.prices(request.session)
        unpaid = len(prices) - answers  # what is running is not due yet: the escrow covers it
        if unpaid >= self._config.max_unpaid:
            raise PaymentRequired(
                "voucher_due",
                f"{unpaid} answers are unpaid: send a voucher for {len(prices)} answers",
                answers=len(prices),
                expected=str(sum(prices)),
            )
        worst = proof.price(n_prompt, request.max_tokens, session.price_in, session.price_out)
        if worst > dearest:
            raise Unprocessable(
                "answer_too_dear",
                f"this answer may cost {worst} plancks, and this worker's stake covers answers of up to {dearest}: "
                "ask for fewer tokens",
                dearest=str(dearest),
            )
        needed = self._store.spent(request.session) + self._answerer.reserved(request.session) + worst
        if needed > session.escrow:
            raise PaymentRequired(
                "escrow_low",
                f"the escrow of session {request.session} covers {session.escrow} plancks, this answer may bring it to {needed}: "
                "top up the session or ask for fewer tokens",
                missing=str(needed - session.escrow),
            )

    async def resume(self) -> None:
        """Take up again what was accepted and not answered when the last process ended.

        What cannot be had now is taken up when its requester asks again.
        """
        for request, _ in self._store.unanswered():
            try:
                session = await self.session(request.session)
                terms = self._terms(session, request.session, owed=True)
                log.info("taking up request %s/%s again", request.session, request.index)
                self._answerer.start(request, self.prompt(request), terms)
            except ApiError as error:
                log.warning("request %s/%s is not taken up again: %s", request.session, request.index, error)
