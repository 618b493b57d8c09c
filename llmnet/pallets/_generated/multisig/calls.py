# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Calls of the pallet `Multisig`."""

from __future__ import annotations

from collections.abc import Sequence

from llmnet.chain import Call, Entry

from .. import types as t

_AS_MULTI_THRESHOLD_1 = Entry(
    "Multisig",
    "as_multi_threshold_1",
    "0a95e7f86290d403",
    "other_signatories: Vec<AccountId32>, call: RuntimeCall",
    t.TYPES,
)


def as_multi_threshold_1(other_signatories: Sequence[t.AccountId32], call: Call) -> Call:
    """Immediately dispatch a multi-signature call using a single approval from the caller.

    The dispatch origin for this call must be _Signed_.

    - `other_signatories`: The accounts (other than the sender) who are part of the multi-signature, but
      do not participate in the approval process.
    - `call`: The call to be executed.

    Result is equivalent to the dispatched result.
    """
    return Call(
        "Multisig",
        "as_multi_threshold_1",
        {"other_signatories": other_signatories, "call": call},
        _AS_MULTI_THRESHOLD_1,
    )


_AS_MULTI = Entry(
    "Multisig",
    "as_multi",
    "cfa8d90e9832af8d",
    "threshold: u16, other_signatories: Vec<AccountId32>, maybe_timepoint: Option<Timepoint>, call: RuntimeCall, max_weight: Weight",
    t.TYPES,
)


def as_multi(
    threshold: int,
    other_signatories: Sequence[t.AccountId32],
    maybe_timepoint: t.Timepoint | None,
    call: Call,
    max_weight: t.Weight,
) -> Call:
    """Register approval for a dispatch to be made from a deterministic composite account if approved by a
    total of `threshold - 1` of `other_signatories`.

    **If the approval threshold is met (including the sender's approval), this will immediately execute
    the call.** This is the only way to execute a multisig call - `approve_as_multi` will never trigger
    execution.

    Payment: `DepositBase` will be reserved if this is the first approval, plus `threshold` times
    `DepositFactor`. It is returned once this dispatch happens or is cancelled.

    The dispatch origin for this call must be _Signed_.

    - `threshold`: The total number of approvals for this dispatch before it is executed.
    - `other_signatories`: The accounts (other than the sender) who can approve this dispatch. May not
      be empty.
    - `maybe_timepoint`: If this is the first approval, then this must be `None`. If it is not the first
      approval, then it must be `Some`, with the timepoint (block number and transaction index) of the
      first approval transaction.
    - `call`: The call to be executed.

    NOTE: For intermediate approvals (not the final approval), you should generally use
    `approve_as_multi` instead, since it only requires a hash of the call and is more efficient.

    Result is equivalent to the dispatched result if `threshold` is exactly `1`. Otherwise on success,
    result is `Ok` and the result from the interior call, if it was executed, may be found in the
    deposited `MultisigExecuted` event.
    """
    return Call(
        "Multisig",
        "as_multi",
        {
            "threshold": threshold,
            "other_signatories": other_signatories,
            "maybe_timepoint": maybe_timepoint,
            "call": call,
            "max_weight": max_weight,
        },
        _AS_MULTI,
    )


_APPROVE_AS_MULTI = Entry(
    "Multisig",
    "approve_as_multi",
    "24615dfad1dfcb47",
    "threshold: u16, other_signatories: Vec<AccountId32>, maybe_timepoint: Option<Timepoint>, call_hash: [u8; 32], max_weight: Weight",
    t.TYPES,
)


def approve_as_multi(
    threshold: int,
    other_signatories: Sequence[t.AccountId32],
    maybe_timepoint: t.Timepoint | None,
    call_hash: bytes,
    max_weight: t.Weight,
) -> Call:
    """Register approval for a dispatch to be made from a deterministic composite account if approved by a
    total of `threshold - 1` of `other_signatories`.

    **This function will NEVER execute the call, even if the approval threshold is reached.** It only
    registers approval. To actually execute the call, `as_multi` must be called with the full call data
    by any of the signatories.

    This function is more efficient than `as_multi` for intermediate approvals since it only requires
    the call hash, not the full call data.

    Payment: `DepositBase` will be reserved if this is the first approval, plus `threshold` times
    `DepositFactor`. It is returned once this dispatch happens or is cancelled.

    The dispatch origin for this call must be _Signed_.

    - `threshold`: The total number of approvals for this dispatch before it is executed.
    - `other_signatories`: The accounts (other than the sender) who can approve this dispatch. May not
      be empty.
    - `maybe_timepoint`: If this is the first approval, then this must be `None`. If it is not the first
      approval, then it must be `Some`, with the timepoint (block number and transaction index) of the
      first approval transaction.
    - `call_hash`: The hash of the call to be executed.

    NOTE: To execute the call after approvals are gathered, any signatory must call `as_multi` with the
    full call data. This function cannot execute the call.
    """
    return Call(
        "Multisig",
        "approve_as_multi",
        {
            "threshold": threshold,
            "other_signatories": other_signatories,
            "maybe_timepoint": maybe_timepoint,
            "call_hash": call_hash,
            "max_weight": max_weight,
        },
        _APPROVE_AS_MULTI,
    )


_CANCEL_AS_MULTI = Entry(
    "Multisig",
    "cancel_as_multi",
    "156e1584c7c9be8a",
    "threshold: u16, other_signatories: Vec<AccountId32>, timepoint: Timepoint, call_hash: [u8; 32]",
    t.TYPES,
)


def cancel_as_multi(
    threshold: int, other_signatories: Sequence[t.AccountId32], timepoint: t.Timepoint, call_hash: bytes
) -> Call:
    """Cancel a pre-existing, on-going multisig transaction. Any deposit reserved previously for this
    operation will be unreserved on success.

    The dispatch origin for this call must be _Signed_.

    - `threshold`: The total number of approvals for this dispatch before it is executed.
    - `other_signatories`: The accounts (other than the sender) who can approve this dispatch. May not
      be empty.
    - `timepoint`: The timepoint (block number and transaction index) of the first approval transaction
      for this dispatch.
    - `call_hash`: The hash of the call to be executed.
    """
    return Call(
        "Multisig",
        "cancel_as_multi",
        {
            "threshold": threshold,
            "other_signatories": other_signatories,
            "timepoint": timepoint,
            "call_hash": call_hash,
        },
        _CANCEL_AS_MULTI,
    )


_POKE_DEPOSIT = Entry(
    "Multisig",
    "poke_deposit",
    "4ab01c4240cfc30a",
    "threshold: u16, other_signatories: Vec<AccountId32>, call_hash: [u8; 32]",
    t.TYPES,
)


def poke_deposit(threshold: int, other_signatories: Sequence[t.AccountId32], call_hash: bytes) -> Call:
    """Poke the deposit reserved for an existing multisig operation.

    The dispatch origin for this call must be _Signed_ and must be the original depositor of the
    multisig operation.

    The transaction fee is waived if the deposit amount has changed.

    - `threshold`: The total number of approvals needed for this multisig.
    - `other_signatories`: The accounts (other than the sender) who are part of the multisig.
    - `call_hash`: The hash of the call this deposit is reserved for.

    Emits `DepositPoked` if successful.
    """
    return Call(
        "Multisig",
        "poke_deposit",
        {"threshold": threshold, "other_signatories": other_signatories, "call_hash": call_hash},
        _POKE_DEPOSIT,
    )
