# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Sessions`."""

from __future__ import annotations

from llmnet.chain import Call, Entry

from .. import types as t

_OPEN = Entry(
    "Sessions",
    "open",
    "12f62ab796481d88",
    "worker: AccountId32, spec_id: H256, domain: u32, escrow: Compact<u128>, max_price_in: u128, max_price_out: u128, expires_in: u32",
    t.TYPES,
)


def open(
    worker: t.AccountId32,
    spec_id: t.H256,
    domain: int,
    escrow: int,
    max_price_in: int,
    max_price_out: int,
    expires_in: int,
) -> Call:
    """Opens a session with `worker` and puts `escrow` on hold.

    The prices of the worker's offer are fixed; above `max_price_in` or `max_price_out` (plancks per
    1,000 tokens) the call fails. After `expires_in` blocks the session ends by itself.
    """
    return Call(
        "Sessions",
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
        _OPEN,
    )


_TOP_UP = Entry("Sessions", "top_up", "00fa4cbec9dc008a", "session: u64, amount: u128", t.TYPES)


def top_up(session: int, amount: int) -> Call:
    """Puts more escrow into an open session. Its requester only."""
    return Call("Sessions", "top_up", {"session": session, "amount": amount}, _TOP_UP)


_CLAIM = Entry(
    "Sessions",
    "claim",
    "fb721b385fdc4be9",
    "session: u64, amount: u128, answers: u32, signature: [u8; 64]",
    t.TYPES,
)


def claim(session: int, amount: int, answers: int, signature: bytes) -> Call:
    """Pays the session's worker what the requester's voucher promises, as far as it is committed and
    escrowed. Anyone may submit it.
    """
    return Call(
        "Sessions",
        "claim",
        {"session": session, "amount": amount, "answers": answers, "signature": signature},
        _CLAIM,
    )


_CLOSE = Entry("Sessions", "close", "dfb39692287ea682", "session: u64", t.TYPES)


def close(session: int) -> Call:
    """Closes a session. Its worker: at once. Its requester: after `ClaimWindow` blocks, in which the
    worker can claim; at once if the worker is barred.
    """
    return Call("Sessions", "close", {"session": session}, _CLOSE)


_CLOSE_WITH_VOUCHER = Entry(
    "Sessions",
    "close_with_voucher",
    "c005c991fcdecdbd",
    "session: u64, amount: u128, answers: u32, signature: [u8; 64]",
    t.TYPES,
)


def close_with_voucher(session: int, amount: int, answers: int, signature: bytes) -> Call:
    """Claims as `claim` does and closes the session at once. Its worker only."""
    return Call(
        "Sessions",
        "close_with_voucher",
        {"session": session, "amount": amount, "answers": answers, "signature": signature},
        _CLOSE_WITH_VOUCHER,
    )


_RATE = Entry("Sessions", "rate", "98e41569555ddaf1", "session: u64, stars: u8", t.TYPES)


def rate(session: int, stars: int) -> Call:
    """Rates a closed session in which something was paid, once, with `0..=5` stars. Its requester only."""
    return Call("Sessions", "rate", {"session": session, "stars": stars}, _RATE)
