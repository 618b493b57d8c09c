# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Balances`."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.chain import Call, Entry

from .. import types as t

_TRANSFER_ALLOW_DEATH = Entry(
    "Balances",
    "transfer_allow_death",
    "e97581722876d6fa",
    "dest: MultiAddress, value: Compact<u128>",
    t.TYPES,
)


def transfer_allow_death(dest: t.MultiAddress | bytes, value: int) -> Call:
    """Transfer some liquid free balance to another account.

    `transfer_allow_death` will set the `FreeBalance` of the sender and receiver. If the sender's
    account is below the existential deposit as a result of the transfer, the account will be reaped.

    The dispatch origin for this call must be `Signed` by the transactor.
    """
    return Call("Balances", "transfer_allow_death", {"dest": dest, "value": value}, _TRANSFER_ALLOW_DEATH)


_FORCE_TRANSFER = Entry(
    "Balances",
    "force_transfer",
    "7868c8fc0ea442a8",
    "source: MultiAddress, dest: MultiAddress, value: Compact<u128>",
    t.TYPES,
)


def force_transfer(source: t.MultiAddress | bytes, dest: t.MultiAddress | bytes, value: int) -> Call:
    """Exactly as `transfer_allow_death`, except the origin must be root and the source account may be
    specified.
    """
    return Call(
        "Balances", "force_transfer", {"source": source, "dest": dest, "value": value}, _FORCE_TRANSFER
    )


_TRANSFER_KEEP_ALIVE = Entry(
    "Balances", "transfer_keep_alive", "e3ad27198fe3bb7c", "dest: MultiAddress, value: Compact<u128>", t.TYPES
)


def transfer_keep_alive(dest: t.MultiAddress | bytes, value: int) -> Call:
    """Same as the `transfer_allow_death` call, but with a check that the transfer will not kill the origin
    account.

    99% of the time you want `transfer_allow_death` instead.

    `transfer_allow_death`: struct.Pallet.html#method.transfer
    """
    return Call("Balances", "transfer_keep_alive", {"dest": dest, "value": value}, _TRANSFER_KEEP_ALIVE)


_TRANSFER_ALL = Entry(
    "Balances", "transfer_all", "e2a2dea81cffdf51", "dest: MultiAddress, keep_alive: bool", t.TYPES
)


def transfer_all(dest: t.MultiAddress | bytes, keep_alive: bool) -> Call:
    """Transfer the entire transferable balance from the caller account.

    NOTE: This function only attempts to transfer _transferable_ balances. This means that any locked,
    reserved, or existential deposits (when `keep_alive` is `true`), will not be transferred by this
    function. To ensure that this function results in a killed account, you might need to prepare the
    account by removing any reference counters, storage deposits, etc...

    The dispatch origin of this call must be Signed.

    - `dest`: The recipient of the transfer.
    - `keep_alive`: A boolean to determine if the `transfer_all` operation should send all of the funds
      the account has, causing the sender account to be killed (false), or transfer everything except at
      least the existential deposit, which will guarantee to keep the sender account alive (true).
    """
    return Call("Balances", "transfer_all", {"dest": dest, "keep_alive": keep_alive}, _TRANSFER_ALL)


_FORCE_UNRESERVE = Entry(
    "Balances", "force_unreserve", "ac9b83cafa2a2036", "who: MultiAddress, amount: u128", t.TYPES
)


def force_unreserve(who: t.MultiAddress | bytes, amount: int) -> Call:
    """Unreserve some balance from a user by force.

    Can only be called by ROOT.
    """
    return Call("Balances", "force_unreserve", {"who": who, "amount": amount}, _FORCE_UNRESERVE)


_UPGRADE_ACCOUNTS = Entry(
    "Balances", "upgrade_accounts", "50386e6c6d34d4a0", "who: Vec<AccountId32>", t.TYPES
)


def upgrade_accounts(who: Sequence[t.AccountId32]) -> Call:
    """Upgrade a specified account.

    - `origin`: Must be `Signed`.
    - `who`: The account to be upgraded.

    This will waive the transaction fee if at least all but 10% of the accounts needed to be upgraded.
    (We let some not have to be upgraded just in order to allow for the possibility of churn).
    """
    return Call("Balances", "upgrade_accounts", {"who": who}, _UPGRADE_ACCOUNTS)


_FORCE_SET_BALANCE = Entry(
    "Balances", "force_set_balance", "21083f72306d7ef1", "who: MultiAddress, new_free: Compact<u128>", t.TYPES
)


def force_set_balance(who: t.MultiAddress | bytes, new_free: int) -> Call:
    """Set the regular balance of a given account.

    The dispatch origin for this call is `root`.
    """
    return Call("Balances", "force_set_balance", {"who": who, "new_free": new_free}, _FORCE_SET_BALANCE)


_FORCE_ADJUST_TOTAL_ISSUANCE = Entry(
    "Balances",
    "force_adjust_total_issuance",
    "feda7c8b2d678905",
    "direction: AdjustmentDirection, delta: Compact<u128>",
    t.TYPES,
)


def force_adjust_total_issuance(direction: t.AdjustmentDirection, delta: int) -> Call:
    """Adjust the total issuance in a saturating way.

    Can only be called by root and always needs a positive `delta`.

    Example:
    """
    return Call(
        "Balances",
        "force_adjust_total_issuance",
        {"direction": direction, "delta": delta},
        _FORCE_ADJUST_TOTAL_ISSUANCE,
    )


_BURN = Entry("Balances", "burn", "23047b4a694e7836", "value: Compact<u128>, keep_alive: bool", t.TYPES)


def burn(value: int, keep_alive: bool) -> Call:
    """Burn the specified liquid free balance from the origin account.

    If the origin's account ends up below the existential deposit as a result of the burn and
    `keep_alive` is false, the account will be reaped.

    Unlike sending funds to a _burn_ address, which merely makes the funds inaccessible, this `burn`
    operation will reduce total issuance by the amount _burned_.
    """
    return Call("Balances", "burn", {"value": value, "keep_alive": keep_alive}, _BURN)
