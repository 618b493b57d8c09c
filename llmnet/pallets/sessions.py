"""Escrow, vouchers and earnings (`runtime_spec/pallets/sessions`)."""

from __future__ import annotations

from llmnet.chain import Call, View

from ._generated.sessions import calls, constants, errors, events, storage, views
from ._generated.sessions.calls import claim, close, close_with_voucher, rate, top_up
from ._generated.sessions.views import money, pot, seed, session, sessions_of
from ._generated.types import Money, Session, Status, StatusClosed, StatusClosing, StatusOpen
from .registry import GENERAL_DOMAIN


def open(  # noqa: A001 - the word of the protocol
    worker: bytes,
    spec_id: bytes,
    *,
    escrow: int,
    max_price_in: int,
    max_price_out: int,
    expires_in: int,
    domain: int = GENERAL_DOMAIN,
) -> Call:
    """Open a session with `escrow` plancks on hold for `expires_in` blocks; refused if the worker has become dearer than the maxima."""
    return calls.open(worker, spec_id, domain, escrow, max_price_in, max_price_out, expires_in)


def state(session: Session) -> str:
    """ "open", "closing" or "closed"."""
    return session.status.VARIANT.lower()


def left(session: Session) -> int:
    """Plancks still in escrow; nothing once the session is closed."""
    return 0 if isinstance(session.status, StatusClosed) else session.escrow - session.claimed


def status_block(session: Session) -> int | None:
    """The block at whose end a closing session is refunded, or in which it was closed; None while it is open."""
    match session.status:
        case StatusClosing(until):
            return until
        case StatusClosed(at):
            return at
        case StatusOpen():
            return None


async def uncleared(view: View, worker: bytes) -> dict[int, int]:
    """Earnings that wait for the audits of an epoch, in plancks by epoch."""
    return {pending.epoch: pending.amount for pending in await views.uncleared(view, worker)}


__all__ = [
    "Money",
    "Session",
    "Status",
    "StatusClosed",
    "StatusClosing",
    "StatusOpen",
    "claim",
    "close",
    "close_with_voucher",
    "constants",
    "errors",
    "events",
    "left",
    "money",
    "open",
    "pot",
    "rate",
    "seed",
    "session",
    "sessions_of",
    "state",
    "status_block",
    "storage",
    "top_up",
    "uncleared",
]
