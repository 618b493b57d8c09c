"""Escrow, vouchers and earnings (`runtime_spec/pallets/sessions`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from llmnet.chain import Call, View

from ._convert import named, record
from .registry import GENERAL_DOMAIN

PALLET = "Sessions"

Status = Literal["Open", "Closing", "Closed"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Session:
    """A session. Amounts in plancks; `escrow` is all that was ever put in, `claimed` all that was ever claimed, fees included.

    `status_block` is the block at whose end a closing one is refunded, or in which it was closed.
    """

    requester: bytes
    worker: bytes
    spec_id: bytes
    domain: int
    price_in: int
    price_out: int
    escrow: int
    committed: int
    claimed: int
    answers: int
    next_index: int
    seed_round: int
    seed: bytes | None
    status: Status
    status_block: int | None
    opened_at: int
    expires_at: int
    rated: bool

    @property
    def left(self) -> int:
        """Plancks still in escrow; nothing once the session is closed."""
        return 0 if self.status == "Closed" else self.escrow - self.claimed


@dataclass(frozen=True, slots=True)
class Money:
    """What the pallet holds of an account, in plancks."""

    escrow: int
    uncleared: int


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
    return Call(
        PALLET,
        "open",
        {
            "worker": worker,
            "spec_id": spec_id,
            "domain": domain,
            "escrow": escrow,
            "max_price_in": max_price_in,
            "max_price_out": max_price_out,
            "expires_in": expires_in,
        },
    )


def top_up(session: int, amount: int) -> Call:
    """Add `amount` plancks to the escrow."""
    return Call(PALLET, "top_up", {"session": session, "amount": amount})


def claim(session: int, amount: int, answers: int, signature: bytes) -> Call:
    """Claim what the requester's voucher promises, as far as it is committed."""
    return Call(
        PALLET, "claim", {"session": session, "amount": amount, "answers": answers, "signature": signature}
    )


def close(session: int) -> Call:
    """End a session: the worker at once; the requester after the claim window, at once if the worker was removed."""
    return Call(PALLET, "close", {"session": session})


def close_with_voucher(session: int, amount: int, answers: int, signature: bytes) -> Call:
    """The worker claims and closes in one step; the rest of the escrow is refunded."""
    args = {"session": session, "amount": amount, "answers": answers, "signature": signature}
    return Call(PALLET, "close_with_voucher", args)


def rate(session: int, stars: int) -> Call:
    """Rate a closed session in which something was paid, 0 to 5 stars; only its requester, once."""
    return Call(PALLET, "rate", {"session": session, "stars": stars})


async def session(view: View, number: int) -> Session | None:
    """A session, until it is forgotten some time after its end."""
    value = await view.view_function(PALLET, "session", id=number)
    if value is None:
        return None
    status = value["status"]
    block = None if status.value is None else next(iter(status.value.values()))
    return record(Session, value, status=named(STATUSES, status), status_block=block)


async def sessions_of(view: View, requester: bytes) -> list[int]:
    """The open and closing sessions of a requester."""
    return list(await view.view_function(PALLET, "sessions_of", requester=requester))


async def money(view: View, who: bytes) -> Money:
    """What the pallet holds of an account."""
    return record(Money, await view.view_function(PALLET, "money", who=who))


async def uncleared(view: View, worker: bytes) -> dict[int, int]:
    """Earnings that wait for the audits of an epoch, in plancks by epoch."""
    return {
        item["epoch"]: item["amount"] for item in await view.view_function(PALLET, "uncleared", worker=worker)
    }


async def pot(view: View) -> int:
    """Plancks in the audit pot."""
    amount: int = await view.view_function(PALLET, "pot")
    return amount


async def seed(view: View, number: int) -> bytes | None:
    """A session's seed, once the beacon gave it."""
    value: bytes | None = await view.view_function(PALLET, "seed", session=number)
    return value
