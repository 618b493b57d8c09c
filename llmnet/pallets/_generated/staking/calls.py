# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Staking`."""

from __future__ import annotations

from llmnet.chain import Call, Entry

from .. import types as t

_BOND = Entry("Staking", "bond", "00ba80ef82d65a5e", "role: Role, amount: Compact<u128>", t.TYPES)


def bond(role: t.Role, amount: int) -> Call:
    """Puts `amount` of the caller's balance on hold and takes up `role`."""
    return Call("Staking", "bond", {"role": role, "amount": amount}, _BOND)


_BOND_EXTRA = Entry("Staking", "bond_extra", "8102ed242d2ee5a9", "amount: Compact<u128>", t.TYPES)


def bond_extra(amount: int) -> Call:
    """Adds `amount` to the caller's stake."""
    return Call("Staking", "bond_extra", {"amount": amount}, _BOND_EXTRA)


_UNBOND = Entry("Staking", "unbond", "5be5b36920bfbcec", "", t.TYPES)


def unbond() -> Call:
    """Ends the caller's activity. Its stake can be withdrawn after `UnbondingPeriod` blocks."""
    return Call("Staking", "unbond", {}, _UNBOND)


_WITHDRAW = Entry("Staking", "withdraw", "7a680602cc024d77", "", t.TYPES)


def withdraw() -> Call:
    """Releases the caller's stake after the unbonding period."""
    return Call("Staking", "withdraw", {}, _WITHDRAW)


_PROPOSE_OWNER = Entry("Staking", "propose_owner", "fa4132a88affcc79", "owner: AccountId32", t.TYPES)


def propose_owner(owner: t.AccountId32) -> Call:
    """Names `owner` as the owner of the bonded caller. It replaces an earlier proposal."""
    return Call("Staking", "propose_owner", {"owner": owner}, _PROPOSE_OWNER)


_ACCEPT_OWNER = Entry("Staking", "accept_owner", "5b1bc4a251a1afc1", "hot: AccountId32", t.TYPES)


def accept_owner(hot: t.AccountId32) -> Call:
    """Agrees to be the owner of the bonded account `hot`."""
    return Call("Staking", "accept_owner", {"hot": hot}, _ACCEPT_OWNER)
