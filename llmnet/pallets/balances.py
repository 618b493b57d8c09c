"""Money (the frame pallet `Balances`)."""

from ._generated.balances import constants, errors, events, storage
from ._generated.balances.calls import (
    burn,
    force_adjust_total_issuance,
    force_set_balance,
    force_transfer,
    force_unreserve,
    transfer_all,
    transfer_allow_death,
    transfer_keep_alive,
    upgrade_accounts,
)

__all__ = [
    "burn",
    "constants",
    "errors",
    "events",
    "force_adjust_total_issuance",
    "force_set_balance",
    "force_transfer",
    "force_unreserve",
    "storage",
    "transfer_all",
    "transfer_allow_death",
    "transfer_keep_alive",
    "upgrade_accounts",
]
