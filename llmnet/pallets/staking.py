"""Stakes of workers and validators (`runtime_spec/pallets/staking`)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import IntEnum

from llmnet.chain import Call, Client, Signer, Variant, View

from ._convert import enum_from_chain, record, variant_name

PALLET = "Staking"
UNIT = 10**12

log = logging.getLogger(__name__)


class BondError(Exception):
    """An account cannot take up its role; the message says what to do."""


class StakeRole(IntEnum):
    """What a bonded account does."""

    WORKER = 0
    VALIDATOR = 1


@dataclass(frozen=True, slots=True)
class Bond:
    """A stake in plancks. `unbonding_at` is the block from which it may be withdrawn; a removed account was slashed and stays out."""

    role: StakeRole
    stake: int
    owner: bytes
    since: int
    unbonding_at: int | None
    removed: bool

    @property
    def active(self) -> bool:
        """Whether the account may work or validate, apart from the minimum stake."""
        return self.unbonding_at is None and not self.removed


def bond(role: StakeRole, amount: int) -> Call:
    """Put `amount` plancks at stake and take up `role`."""
    return Call(PALLET, "bond", {"role": Variant(variant_name(role)), "amount": amount})


def bond_extra(amount: int) -> Call:
    """Add `amount` plancks to the stake."""
    return Call(PALLET, "bond_extra", {"amount": amount})


def unbond() -> Call:
    """Leave the role at once; the stake stays at risk until it may be withdrawn."""
    return Call(PALLET, "unbond", {})


def withdraw() -> Call:
    """Take the stake back after the unbonding period."""
    return Call(PALLET, "withdraw", {})


def propose_owner(owner: bytes) -> Call:
    """Name the cold account that owns this hot one; it takes effect when the owner accepts."""
    return Call(PALLET, "propose_owner", {"owner": owner})


def accept_owner(hot: bytes) -> Call:
    """Accept the ownership that `hot` proposed."""
    return Call(PALLET, "accept_owner", {"hot": hot})


async def bond_of(view: View, who: bytes) -> Bond | None:
    """The bond of an account."""
    value = await view.view_function(PALLET, "bond_of", who=who)
    return None if value is None else record(Bond, value, role=enum_from_chain(StakeRole, value["role"]))


async def validators(view: View) -> list[tuple[bytes, int]]:
    """Active validators with their stakes in plancks, in account order."""
    return [(who, stake) for who, stake in await view.view_function(PALLET, "validators")]


async def ensure_bond(client: Client, signer: Signer, role: StakeRole, amount: int | None) -> None:
    """Make sure that the account is bonded in `role`; bond `amount` plancks if it is not bonded at all.

    What is bonded already stays as it is. Raises BondError that says what to do, and what submitting raises.
    """
    found = await bond_of(client.at(), signer.public)
    if found is None:
        if amount is None:
            raise BondError(
                f"this account is not bonded as {role.name.lower()}: pass --bond AMOUNT, or run `llmnet bond`"
            )
        await client.submit(bond(role, amount), signer)
        log.info("bonded %s tokens as %s", amount / UNIT, role.name.lower())
    elif found.removed:
        raise BondError("this account was slashed and removed, it cannot work again: use another account")
    elif found.role != role:
        raise BondError(
            f"this account is bonded as {found.role.name.lower()}, not as {role.name.lower()}: use another account"
        )
    elif found.unbonding_at is not None:
        raise BondError(
            f"this account is unbonding until block {found.unbonding_at}: withdraw then and bond again"
        )
