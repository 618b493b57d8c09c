"""Escrow, vouchers and earnings (`runtime_spec/pallets/sessions`)."""

from __future__ import annotations

from llmnet.chain import Call

from .registry import GENERAL_DOMAIN

PALLET = "Sessions"


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
    return Call(PALLET, "claim", {"session": session, "amount": amount, "answers": answers, "signature": signature})


def close(session: int) -> Call:
    """End a session: the worker at once, the requester after the claim window."""
    return Call(PALLET, "close", {"session": session})


def close_with_voucher(session: int, amount: int, answers: int, signature: bytes) -> Call:
    """The worker claims and closes in one step; the rest of the escrow is refunded."""
    args = {"session": session, "amount": amount, "answers": answers, "signature": signature}
    return Call(PALLET, "close_with_voucher", args)


def rate(session: int, stars: int) -> Call:
    """Rate a settled session, 0 to 5 stars; only its payer, once."""
    return Call(PALLET, "rate", {"session": session, "stars": stars})
