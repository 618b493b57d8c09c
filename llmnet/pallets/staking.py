"""Stakes of workers and validators (`runtime_spec/pallets/staking`)."""

from __future__ import annotations

import logging

from llmnet.chain import Client, Signer

from ._generated.staking import constants, errors, events, storage
from ._generated.staking.calls import accept_owner, bond, bond_extra, propose_owner, unbond, withdraw
from ._generated.staking.views import bond_of, strikes_of, validators
from ._generated.types import Bond, Strike
from ._generated.types import Role as StakeRole

UNIT = 10**12

log = logging.getLogger(__name__)


class BondError(Exception):
    """An account cannot take up its role; the message says what to do."""


def is_active(bond: Bond) -> bool:
    """Whether the account may work or validate, apart from the minimum stake."""
    return bond.unbonding_at is None and not bond.removed


async def ensure_bond(client: Client, signer: Signer, role: StakeRole, amount: int | None) -> None:
    """Make sure that the account is bonded in `role`; bond `amount` plancks if it is not bonded at all.

    What is bonded already stays as it is. Raises BondError that says what to do, and what submitting raises.
    """
    found = await bond_of(client.at(), signer.account)
    if found is None:
        if amount is None:
            raise BondError(
                f"this account is not bonded as {role.name.lower()}: pass --bond AMOUNT, or run `llmnet bond`"
            )
        await client.submit(bond(role, amount), signer)
        log.info("bonded %s tokens as %s", amount / UNIT, role.name.lower())
    elif found.removed:
        strike = await strikes_of(client.at(), signer.account)
        until = (
            ""
            if strike is None
            else f"; it may withdraw what is left and bond again from block {strike.until} on"
        )
        raise BondError(f"this account was slashed and removed: use another account{until}")
    elif found.role != role:
        raise BondError(
            f"this account is bonded as {found.role.name.lower()}, not as {role.name.lower()}: use another account"
        )
    elif found.unbonding_at is not None:
        raise BondError(
            f"this account is unbonding until block {found.unbonding_at}: withdraw then and bond again"
        )


__all__ = [
    "UNIT",
    "Bond",
    "BondError",
    "StakeRole",
    "Strike",
    "accept_owner",
    "bond",
    "bond_extra",
    "bond_of",
    "constants",
    "ensure_bond",
    "errors",
    "events",
    "is_active",
    "propose_owner",
    "storage",
    "strikes_of",
    "unbond",
    "validators",
    "withdraw",
]
