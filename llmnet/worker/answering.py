"""From an accepted request to a stored, signed answer, whoever is or is not listening."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from llmnet import proof
from llmnet.chain import Signer
from llmnet.engine import EngineClosedError, EngineError, GenerationRequest
from llmnet.proof import Receipt, Request

from .backend import Backend, Finished, Piece
from .errors import Unavailable
from .store import Answer, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an accepted request is computed and charged by. `seed` is the session's."""

    seed: bytes
    price_in: int
    price_out: int


@dataclass(eq=False)
class Running:
    """One answer in the making. Readers may come late: they get all pieces from the first one on."""

    prompt_ids: tuple[int, ...]
    reserved: int
    pieces: list[Piece] = field(default_factory=list)
    answer: Answer | None = None
    error: Exception | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self) -> AsyncGenerator[Piece | Answer, None]:
        """Pieces, then the answer. Raises Unavailable if it could not be computed."""
        seen = 0
        while True:
            await self._news(seen)
            while seen < len(self.pieces):
                yield self.pieces[seen]
                seen += 1
            if self.answer is not None:
                yield self.answer
                return
            if isinstance(self.error, Unavailable):
                raise self.error
            if isinstance(self.error, EngineError):
                raise Unavailable("generation_failed", f"the answer could not be computed: {self.error}")
            if self.error is not None:
                raise Unavailable(
                    "generation_failed", "the answer could not be computed: ask again", retry_after=5
                )

    async def _news(self, seen: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.pieces) > seen or self.done)

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.answer is not None or self.error is not None


class Answerer:
    """Runs accepted requests on the backend, each as a task of its own that no client can cancel."""

    def __init__(self, backend: Backend, store: Store, signer: Signer, genesis_hash: bytes) -> None:
        self._backend, self._store, self._signer, self._genesis = backend, store, signer, genesis_hash
        self._running: dict[tuple[int, int], Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self.dead = asyncio.Event()
        """Set when the backend is gone for good: only another process can answer anything."""

    def __len__(self) -> int:
        return len(self._running)

    def running(self, session: int, index: int) -> Running | None:
        """The answer in the making, if it is."""
        return self._running.get((session, index))

    def reserved(self, session: int) -> int:
        """The most that the running answers of a session may cost, in plancks."""
        return sum(item.reserved for (number, _), item in self._running.items() if number == session)

    def start(self, request: Request, prompt_ids: tuple[int, ...], terms: Terms) -> Running:
        """Begin an accepted request. Raises Unavailable while the worker is being stopped."""
        if self._closing:
            raise Unavailable("stopping", "the worker is being stopped: ask again", retry_after=5)
        worst = proof.price(len(prompt_ids), request.max_tokens, terms.price_in, terms.price_out)
        running = Running(prompt_ids, worst)
        self._running[request.session, request.index] = running
        task = asyncio.create_task(
            self._run(request, running, terms), name=f"answer {request.session}/{request.index}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return running

    async def close(self, grace: float = 0.0) -> None:
        """Take no more, give running answers `grace` seconds, stop the rest: the next process starts them again."""
        self._closing = True
        if self._tasks and grace:
            await asyncio.wait(list(self._tasks), timeout=grace)
        # A task that is cancelled before its first step ends without telling its readers.
        await asyncio.sleep(0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._backend.close()

    async def _run(self, request: Request, running: Running, terms: Terms) -> None:
        try:
            await self._answer(request, running, terms)
        except asyncio.CancelledError:
            running.error = Unavailable("stopping", "the worker is being stopped: ask again", retry_after=5)
            raise
        except Exception as error:
            # A fault of ours: the reader is told, the request stays accepted and is tried again when it is asked
            # again, or by the next process.
            log.exception("answer %s/%s broke", request.session, request.index)
            running.error = error
        finally:
            self._running.pop((request.session, request.index), None)
            async with running.changed:
                running.changed.notify_all()

    async def _answer(self, request: Request, running: Running, terms: Terms) -> None:
        try:
            answer = await self._compute(request, running, terms)
        except EngineClosedError as error:
            log.error(
                "answer %s/%s cannot be computed by this process: %s", request.session, request.index, error
            )
            running.error = error
            self.dead.set()
        except EngineError as error:
            # The seed is fixed, so it would fail again.
            log.error("answer %s/%s failed: %s", request.session, request.index, error)
            self._store.fail(request.session, request.index, str(error))
            running.error = error
        else:
            self._store.put_answer(answer)
            running.answer = answer

    async def _compute(self, request: Request, running: Running, terms: Terms) -> Answer:
        seed = proof.request_seed(terms.seed, request.index, request.hash)
        job = GenerationRequest(
            request_id=f"{request.session}/{request.index}",
            prompt_ids=running.prompt_ids,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            request_seed=seed,
            stop=tuple(item.decode() for item in request.stop),
            # Nobody finds out from the time an answer takes what other sessions have asked.
            cache_salt=str(request.session).encode(),
        )
        finished: Finished | None = None
        async with aclosing(self._backend.generate(job)) as items:
            async for item in items:
                if isinstance(item, Finished):
                    finished = item
                    continue
                running.pieces.append(item)
                async with running.changed:
                    running.changed.notify_all()
        tokens = tuple(token for piece in running.pieces for token in piece.tokens)
        if finished is None or len(finished.leaves) != len(tokens):
            raise RuntimeError("the backend ended without a leaf for every token")
        return self._sign(request, running, tokens, finished, terms)

    def _sign(
        self, request: Request, running: Running, tokens: tuple[int, ...], finished: Finished, terms: Terms
    ) -> Answer:
        text = "".join(piece.text for piece in running.pieces)
        receipt = Receipt(
            session=request.session,
            index=request.index,
            request_hash=request.hash,
            temperature=request.temperature,
            output_hash=proof.output_hash(tokens),
            text_hash=proof.text_hash(text),
            n_prompt=len(running.prompt_ids),
            n_out=len(tokens),
            finish=finished.reason,
            transcript_root=proof.transcript_root(finished.leaves),
        )
        signature = self._signer.sign(proof.signing_bytes("receipt", self._genesis, receipt.encode()))
        price = proof.price(receipt.n_prompt, receipt.n_out, terms.price_in, terms.price_out)
        return Answer(receipt, signature, tokens, text, price, finished.leaves)
