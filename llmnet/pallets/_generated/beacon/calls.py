# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Beacon`."""

from __future__ import annotations

from llmnet.chain import Call, Entry

from .. import types as t

_COMMIT = Entry("Beacon", "commit", "1d344c280a482d31", "round: u32, commitment: H256", t.TYPES)


def commit(round: int, commitment: t.H256) -> Call:
    """Commits the caller to a secret: `commitment = H("beacon-commit", round ++ account ++ secret)`."""
    return Call("Beacon", "commit", {"round": round, "commitment": commitment}, _COMMIT)


_REVEAL = Entry("Beacon", "reveal", "7f8ee903fdf4c7b4", "round: u32, secret: [u8; 32]", t.TYPES)


def reveal(round: int, secret: bytes) -> Call:
    """Reveals the caller's secret. Who has committed may and must do so even if no longer active."""
    return Call("Beacon", "reveal", {"round": round, "secret": secret}, _REVEAL)
