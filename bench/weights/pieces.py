"""All pieces of work, by pallet."""

from __future__ import annotations

from bench.weights import cases_audits, cases_market, cases_roles, cases_work
from bench.weights.lab import Piece

PIECES: tuple[Piece, ...] = (
    *cases_roles.PIECES,
    *cases_market.PIECES,
    *cases_audits.PIECES,
    *cases_work.PIECES,
)


def of_pallet(pallet: str) -> list[Piece]:
    """The pieces of one pallet, in the order of its weights."""
    return [piece for piece in PIECES if piece.pallet == pallet]
