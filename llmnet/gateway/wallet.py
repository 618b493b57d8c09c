"""The requester's sessions: choose a worker, open, reuse, top up, close, rate."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from llmnet import proof
from llmnet.chain import Signer, TxResult
from llmnet.pallets import sessions
from llmnet.pallets.sessions import Session, StatusClosed, StatusOpen
from llmnet.proof import Message, ProofError, Role

from .errors import RequestRefused, SeedTimeout, SessionOver, UnknownSession
from .ledger import Ledger, opened_session
from .offers import choose, matches
from .owners import Owner
from .store import Store, Usage

DEFAULT_ESCROW = 10**12
DEFAULT_BLOCKS = 3600
SPARE_BLOCKS = 30
POLL_SECONDS = 0.3
Messages = str | Sequence[Message | Mapping[str, str]]


def as_messages(messages: Messages) -> tuple[Message, ...]:
    """Messages from a question, or from OpenAI's dictionaries. Raises RequestRefused."""
    listed: Sequence[Message | Mapping[str, str]]
    listed = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    try:
        return tuple(
            item if isinstance(item, Message) else Message.of(Role[item["role"].upper()], item["content"])
            for item in listed
        )
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError, ProofError) as error:
        raise RequestRefused(
            f"a message needs a role (system, user or assistant) and a content in UTF-8: {error}",
            0,
            "bad_messages",
        ) from None


def most_prompt_tokens(messages: Sequence[Message]) -> int:
    """More tokens than a byte-level tokenizer and a usual template make of these messages."""
    return sum(len(message.content) + 64 for message in messages) + 64


def worst_price(messages: Sequence[Message], max_tokens: int, price_in: int, price_out: int) -> int:
    """No answer to these messages costs more, in plancks; prices are plancks per 1,000 tokens."""
    return proof.price(most_prompt_tokens(messages), max_tokens, price_in, price_out)


def account_folder(home: Path, genesis_hash: bytes, account: bytes) -> Path:
    """Where the state of one account on one chain is."""
    return home / "requester" / f"{genesis_hash.hex()[:12]}-{account.hex()[:12]}"


class Wallet:
    """One account's sessions on one chain, and the store of what it spent. Several processes may use one home at a time."""

    def __init__(self, ledger: Ledger, signer: Signer, home: Path) -> None:
        self.ledger = ledger
        self._signer = signer
        self.folder = account_folder(home, ledger.genesis_hash, signer.public)
        self._owner = Owner(self.folder / "owners")
        self.store = Store(self.folder / "requester.sqlite", self._owner.name)

    def release(self) -> None:
        """Close the store."""
        self.store.close()
        self._owner.close()

    @property
    def account(self) -> bytes:
        """Who pays."""
        return self._signer.public

    async def open_session(
        self,
        worker: bytes | None = None,
        spec_id: bytes | None = None,
        *,
        model: str | None = None,
        escrow: int = DEFAULT_ESCROW,
        expires_in: int = DEFAULT_BLOCKS,
        domain: int = 0,
    ) -> int:
        """Open a session with a worker (default: the cheapest that offers the model); escrow in plancks, expiry in blocks.

        Raises NoOffer, and DispatchFailed if the chain refuses.
        """
        wanted = spec_id.hex() if spec_id is not None else model
        choice = await choose(self.ledger, self.account, model=wanted, worker=worker)
        call = sessions.open(
            choice.worker,
            choice.spec_id,
            escrow=escrow,
            max_price_in=choice.offer.price_in,
            max_price_out=choice.offer.price_out,
            expires_in=expires_in,
            domain=domain,
        )
        return opened_session(await self.ledger.submit(call, self._signer))

    async def wait_for_seed(
        self,
        session: int,
        progress: Callable[[str], None] | None = None,
        *,
        timeout: float = 600.0,
    ) -> bytes:
        """The session's seed, once the beacon gave it; `progress` is told where the beacon stands. Raises SeedTimeout."""
        deadline = asyncio.get_running_loop().time() + timeout
        said = ""
        while True:
            found = await self._own_session(session)
            if found.seed is not None:
                return found.seed
            if isinstance(found.status, StatusClosed):
                raise SessionOver(f"session {session} is closed: open another one")
            place = await self.ledger.beacon()
            line = f"block {place.block}: beacon round {place.round}, the seed comes with the end of round {found.seed_round}"
            if progress is not None and line != said:
                progress(line)
                said = line
            if asyncio.get_running_loop().time() > deadline:
                raise SeedTimeout(
                    f"session {session} has no seed after {timeout:.0f} s: is the chain making blocks? ({line})"
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _own_session(self, number: int) -> Session:
        found = await self.ledger.session(number)
        if found is None:
            raise UnknownSession(f"session {number} does not exist on this chain, or is no longer kept")
        if found.requester != self.account:
            raise UnknownSession(f"session {number} belongs to another account: pass the key that opened it")
        return found

    async def find_session(
        self, messages: Messages, max_tokens: int, *, model: str | None = None, worker: bytes | None = None
    ) -> int | None:
        """An open session that can pay for this question, the newest first."""
        specs, block = await self.ledger.specs(), await self.ledger.block()
        for number in sorted(await self.ledger.sessions_of(self.account), reverse=True):
            found = await self.ledger.session(number)
            if found is None or found.expires_at < block + SPARE_BLOCKS:
                continue
            if not isinstance(found.status, StatusOpen):
                continue
            spec = specs.get(found.spec_id)
            fits = spec is not None and matches(found.spec_id, spec, model) and worker in (None, found.worker)
            if fits and self._can_pay(found, as_messages(messages), max_tokens):
                return number
        return None

    def _can_pay(self, session: Session, messages: tuple[Message, ...], max_tokens: int) -> bool:
        worst = worst_price(messages, max_tokens, session.price_in, session.price_out)
        return self.usage(session).broken is None and self.left(session) >= worst

    def usage(self, session: Session) -> Usage:
        """What this store knows of a session's money."""
        return Usage(0, 0, 0, 0, None) if session.seed is None else self.store.usage(session.seed)

    def left(self, session: Session) -> int:
        """Plancks of the escrow that no answer has used."""
        return session.escrow - max(session.claimed, session.committed, self.usage(session).spent)

    async def ensure_session(
        self,
        messages: Messages,
        max_tokens: int,
        *,
        model: str | None = None,
        worker: bytes | None = None,
        escrow: int = DEFAULT_ESCROW,
        expires_in: int = DEFAULT_BLOCKS,
    ) -> tuple[int, bool]:
        """A session that can pay for this question, and whether it was opened for it. Processes take turns, so that two
        questions at a time share one session."""
        async with self._turn("open"):
            found = await self.find_session(messages, max_tokens, model=model, worker=worker)
            if found is not None:
                return found, False
            choice = await choose(self.ledger, self.account, model=model, worker=worker)
            worst = worst_price(
                as_messages(messages), max_tokens, choice.offer.price_in, choice.offer.price_out
            )
            opened = await self.open_session(
                choice.worker, choice.spec_id, escrow=max(escrow, worst), expires_in=expires_in
            )
            return opened, True

    @asynccontextmanager
    async def _turn(self, name: str) -> AsyncIterator[None]:
        with (self.folder / f"{name}.lock").open("w") as handle:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.05)
            yield

    async def top_up(self, session: int, amount: int) -> TxResult:
        """Add plancks to a session's escrow."""
        await self._own_session(session)
        return await self.ledger.submit(sessions.top_up(session, amount), self._signer)

    async def close_session(self, session: int) -> TxResult:
        """End a session: the worker may claim what it is owed for a while, then the rest comes back."""
        await self._own_session(session)
        return await self.ledger.submit(sessions.close(session), self._signer)

    async def rate(self, session: int, stars: int) -> TxResult:
        """Rate a closed session, 0 to 5 stars."""
        await self._own_session(session)
        return await self.ledger.submit(sessions.rate(session, stars), self._signer)
