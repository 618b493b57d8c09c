"""One request from the store to the worker and back, until there is a checked answer or a clear reason why not.

Until the worker has taken a request its index can be given to another one; from then on the same bytes are sent again, as often
as it takes, and the worker answers the replay with what it has.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from llmnet import proof
from llmnet.chain import Signer
from llmnet.proof import Request, Voucher

from .amounts import tokens
from .checks import Claimed, Terms, check_answer, read_claim
from .door import Door, Interrupted, OnText, Refusal, Reply, request_body, signed_fetch
from .errors import (
    EscrowLow,
    ReceiptRefused,
    RequestRefused,
    SessionOver,
    WorkerBroken,
    WorkerUnreachable,
)
from .store import KeptSession, State, Store, StoredRequest

log = logging.getLogger(__name__)
MAX_RESYNC = 4096


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try: `seconds` altogether, pauses doubling from `first` to `most`.

    `read` is the silence that counts as a lost connection.
    """

    seconds: float = 180.0
    first: float = 0.25
    most: float = 5.0
    read: float = 120.0


class Printer:
    """Passes text on once, however often the answer is streamed from its beginning."""

    def __init__(self, on_text: OnText | None) -> None:
        self._on_text = on_text
        self._shown = ""

    def attempt(self) -> OnText:
        """The receiver of one more stream of the same answer. It raises WorkerBroken if the text is another one now."""
        came = ""

        def take(text: str) -> None:
            nonlocal came
            came += text
            if not (came.startswith(self._shown) or self._shown.startswith(came)):
                raise WorkerBroken("the worker streamed another text than before the connection was lost")
            new, self._shown = came[len(self._shown) :], max(came, self._shown, key=len)
            if new and self._on_text is not None:
                self._on_text(new)

        return take


class Exchange:
    """Drives one request. `recover` takes up what earlier processes left unanswered in this session."""

    def __init__(
        self,
        store: Store,
        door: Door,
        signer: Signer,
        genesis_hash: bytes,
        kept: KeptSession,
        patience: Patience,
        recover: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._store, self._door, self._signer, self._kept = store, door, signer, kept
        self._genesis, self._patience, self._recover = genesis_hash, patience, recover
        self._terms = Terms(genesis_hash, kept.worker, kept.spec, kept.price_in, kept.price_out)
        self._pause = patience.first
        self._unknown = self._due = 0

    def begin(self, draft: Request) -> StoredRequest:
        """Give a request the next free index, sign it and keep it."""

        def sign(index: int) -> tuple[Request, bytes]:
            request = replace(draft, index=index)
            return request, self._sign("request", request.encode())

        return self._store.begin(self._kept.seed, sign)

    def _sign(self, name: str, payload: bytes) -> bytes:
        return self._signer.sign(proof.signing_bytes(name, self._genesis, payload))

    async def run(self, stored: StoredRequest, on_text: OnText | None = None) -> StoredRequest:
        """The request, accepted. Raises the errors of this package; a request that may be with the worker stays pending."""
        printer, said = Printer(on_text), ""
        deadline = time.monotonic() + self._patience.seconds
        try:
            while True:
                before = stored
                body = request_body(self._kept.spec.id.hex(), stored.request, stored.signature)
                try:
                    reply = await self._door.ask(body, printer.attempt())
                except Interrupted as error:
                    pause, reason = self._longer(), str(error)
                except Refusal as refusal:
                    reason = refusal.message
                    stored, pause = await self._mend(stored, refusal)
                else:
                    return await self._conclude(stored, reply)
                if stored is not before:
                    printer = Printer(on_text)
                if reason != said:
                    log.warning("no answer from %s yet (%s), trying again", self._door.endpoint, reason)
                    said = reason
                if time.monotonic() + pause > deadline:
                    raise WorkerUnreachable(
                        f"the worker at {self._door.endpoint} gave no answer within {self._patience.seconds:.0f} s ({reason}); "
                        "the request is kept and sent again next time, or ask in another session"
                    )
                await asyncio.sleep(pause)
        except WorkerBroken as error:
            self._store.abandon(stored)
            raise WorkerBroken(
                f"{error}; the request is kept and sent again next time, or ask in a session with another worker"
            ) from None
        except BaseException:
            self._store.abandon(stored)
            raise

    def _longer(self) -> float:
        pause, self._pause = self._pause, min(self._pause * 2, self._patience.most)
        return pause

    # What the worker may answer instead of an answer

    async def _mend(self, stored: StoredRequest, refusal: Refusal) -> tuple[StoredRequest, float]:
        """The request to send next and the pause before it; raises if there is none."""
        if refusal.status == 409:
            return await self._conflict(stored, refusal)
        if refusal.status == 402:
            return await self._payment(stored, refusal)
        if refusal.code == "generation_failed":
            self._break(f"the worker could not compute answer {stored.request.index}")
            raise SessionOver(f"{refusal.message}: ask again in another session")
        if refusal.status == 429 or refusal.status >= 500:
            return stored, min(refusal.retry_after or self._longer(), self._patience.most)
        if refusal.code == "unknown_session" and self._unknown < 3:
            self._unknown += 1  # its node may be a block behind ours
            return stored, self._patience.first * 4
        raise self._refused(stored, refusal)

    def _refused(self, stored: StoredRequest, refusal: Refusal) -> RequestRefused:
        self._store.withdraw(stored)
        return RequestRefused(
            f"the worker refuses the request ({refusal.status} {refusal.code}): {refusal.message}",
            refusal.status,
            refusal.code,
        )

    def _break(self, reason: str) -> None:
        self._store.mark_broken(self._kept.seed, self._kept.number, reason)

    async def _conflict(self, stored: StoredRequest, refusal: Refusal) -> tuple[StoredRequest, float]:
        expected, index = refusal.number("expected"), stored.request.index
        if refusal.code in ("session_over", "session_stuck"):
            self._store.withdraw(stored)
            self._break(refusal.message)
            raise SessionOver(refusal.message)
        if expected is None:
            raise self._refused(stored, refusal)
        if expected > index:
            return await self._resync(stored, expected, refusal)
        below = self._store.request(self._kept.seed, expected) if expected < index else stored
        if below is None:
            return self._renumbered(stored, refusal), 0.0
        if below.state is not State.PENDING:
            self._store.withdraw(stored)
            self._break(f"the worker has forgotten answer {expected}")
            raise SessionOver(
                f"the worker has forgotten answer {expected} of session {self._kept.number}: open another session"
            )
        if self._recover is not None:
            await self._recover()
        return stored, self._longer()

    def _renumbered(self, stored: StoredRequest, refusal: Refusal) -> StoredRequest:
        """The same question at an index that was given back. One that nobody waits for any more is dropped."""
        if self._recover is None:
            raise self._refused(stored, refusal)
        self._store.withdraw(stored)
        return self.begin(stored.request)

    async def _resync(
        self, stored: StoredRequest, expected: int, refusal: Refusal
    ) -> tuple[StoredRequest, float]:
        """Learn the answers that the worker gave us and this store does not know, then take the next index."""
        first = stored.request.index
        if expected - first > MAX_RESYNC:
            raise self._refused(stored, refusal)
        for index in range(first, expected):
            known = self._store.request(self._kept.seed, index)
            if known is not None and index != first:
                continue  # answered, or another task's, which meets its own conflict
            try:
                await self._learn(index)
            except (Refusal, Interrupted) as error:
                log.info("answer %s/%s cannot be had yet: %s", self._kept.number, index, error)
                return stored, self._longer()
        return self._renumbered(stored, refusal), 0.0

    async def _learn(self, index: int) -> None:
        number = self._kept.number
        signature = self._sign("fetch", signed_fetch(number, index))
        record = await self._door.record(number, index, self._signer.public, signature)
        adopted = self._store.adopt(self._kept.seed, *self._own_request(record, index))
        log.info("learnt answer %s/%s from the worker", number, index)
        text = record.get("text")
        claim = {**record, "signature": record.get("receipt_signature")}
        await self._conclude(adopted, Reply(text if isinstance(text, str) else "", claim))

    def _own_request(self, record: dict[str, Any], index: int) -> tuple[Request, bytes]:
        """A request and our signature over it, or SessionOver: the worker names one that we never made."""
        try:
            request = Request.decode(bytes.fromhex(record["request"]))
            signature = bytes.fromhex(record["request_signature"])
        except (KeyError, TypeError, ValueError):
            raise WorkerBroken(f"the worker's record of answer {index} cannot be read") from None
        ours = proof.verify_signature(
            self._signer.public, signature, "request", self._genesis, request.encode()
        )
        if not ours or (request.session, request.index) != (self._kept.number, index):
            self._break(f"the worker claims a request {index} that was never made")
            raise SessionOver(
                f"the worker claims a request {index} of session {self._kept.number} that this account did not sign: "
                "open a session with another worker"
            )
        return request, signature

    async def _payment(self, stored: StoredRequest, refusal: Refusal) -> tuple[StoredRequest, float]:
        others = self._store.usage(self._kept.seed).pending > 1
        if refusal.code == "voucher_due":
            self._due += 0 if others else 1
            if self._due > 3:
                raise self._refused(stored, refusal)
            await self.pay(again=True)
            return stored, self._patience.first
        if others:  # what running answers do not use up is free again when they end
            return stored, self._longer()
        self._store.withdraw(stored)
        missing = refusal.number("missing")
        amount = "" if missing is None else f" by {tokens(missing)} tokens"
        raise EscrowLow(
            f"the escrow of session {self._kept.number} is too low{amount}: run `llmnet sessions top-up {self._kept.number} "
            "AMOUNT`, ask for fewer tokens, or open another session",
            missing,
        )

    # The answer

    async def _conclude(self, stored: StoredRequest, reply: Reply) -> StoredRequest:
        claimed: Claimed | None = None
        try:
            claimed = read_claim(reply.extension)
            check_answer(self._terms, stored.request, reply.text, claimed)
        except ReceiptRefused as error:
            self._store.refuse(stored, str(error), claimed, reply.text)
            raise ReceiptRefused(
                error.field,
                f"{str(error).removeprefix(error.field + ': ')}. No voucher was signed; the evidence is kept, and the session "
                f"takes no more requests: `llmnet sessions close {self._kept.number}` gets the rest of the escrow back",
            ) from None
        self._store.accept(stored, claimed, reply.text)
        await self.pay()
        accepted = self._store.request(self._kept.seed, stored.request.index)
        assert accepted is not None
        return accepted

    async def pay(self, *, again: bool = False) -> None:
        """Sign the voucher for all answers so far and hand it over. One that does not arrive is sent with the next answer."""

        def sign(voucher: Voucher) -> bytes:
            return self._sign("voucher", voucher.encode())

        signed = self._store.next_voucher(self._kept.seed, self._kept.number, sign)
        kept = self._store.voucher(self._kept.seed)
        if signed is None or (kept is not None and kept[2] and not again):
            return
        try:
            await self._door.voucher(*signed)
        except (Refusal, Interrupted) as error:
            log.warning(
                "the voucher for %s answers of session %s did not arrive: %s",
                signed[0].answers,
                self._kept.number,
                error,
            )
        else:
            self._store.delivered(self._kept.seed, signed[0].answers)
