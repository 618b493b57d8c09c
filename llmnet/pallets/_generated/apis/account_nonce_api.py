# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The API to query account nonce."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, View

from .. import types as t

_ACCOUNT_NONCE: ApiMethod[int] = ApiMethod(
    Entry("AccountNonceApi", "account_nonce", "f5d2e72cda0a871e", "(account: AccountId32) -> u32", t.TYPES)
)


async def account_nonce(view: View, account: t.AccountId32) -> int:
    """Get current account nonce of given `AccountId`."""
    return await view.ask(_ACCOUNT_NONCE, {"account": account})
