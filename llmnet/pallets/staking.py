"""Stakes of workers and validators (`runtime_spec/pallets/staking`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from llmnet.chain import Call, Variant, View

from ._convert import enum_from_chain, record, variant_name

PALLET = "Staking"


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
