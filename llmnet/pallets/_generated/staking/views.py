# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""View functions of the pallet `Staking`."""

from __future__ import annotations

from llmnet.chain import Entry, View, ViewFunction

from .. import types as t

_BOND_OF: ViewFunction[t.Bond | None] = ViewFunction(
    Entry("Staking", "bond_of", "eb6c2a264ceb2929", "(who: AccountId32) -> Option<Bond>", t.TYPES)
)


async def bond_of(view: View, who: t.AccountId32) -> t.Bond | None:
    """The bond of an account, or the record of a removed one."""
    return await view.ask(_BOND_OF, {"who": who})


_STRIKES_OF: ViewFunction[t.Strike | None] = ViewFunction(
    Entry("Staking", "strikes_of", "04b60bfc5f4de616", "(who: AccountId32) -> Option<Strike>", t.TYPES)
)


async def strikes_of(view: View, who: t.AccountId32) -> t.Strike | None:
    """How often an account, or one that it owns, was slashed, and until when it is in quarantine."""
    return await view.ask(_STRIKES_OF, {"who": who})


_VALIDATORS: ViewFunction[tuple[tuple[t.AccountId32, int], ...]] = ViewFunction(
    Entry("Staking", "validators", "29b0780cb721767f", "() -> Vec<(AccountId32, u128)>", t.TYPES)
)


async def validators(view: View) -> tuple[tuple[t.AccountId32, int], ...]:
    """The active validators and their stakes, in account order."""
    return await view.ask(_VALIDATORS, {})
