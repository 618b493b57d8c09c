"""Fees and dry runs: what two runtime APIs answer. Metadata describes them from V15 on; before that their layouts are known here.

Source: pallet_transaction_payment::RuntimeDispatchInfo, sp_runtime::{ApplyExtrinsicResult, TransactionValidityError}."""

from __future__ import annotations

from typing import Any

from llmnet.chain.errors import DecodeError
from llmnet.chain.results import DryRun
from llmnet.chain.runtime import Runtime
from llmnet.chain.values import Variant

# By index, as in sp_runtime::transaction_validity::InvalidTransaction.
_INVALID = (
    "Call",
    "Payment",
    "Future",
    "Stale",
    "BadProof",
    "AncientBirthBlock",
    "ExhaustsResources",
    "Custom",
    "BadMandatory",
    "MandatoryValidation",
    "BadSigner",
    "IndeterminateImplicit",
    "UnknownOrigin",
)
_UNKNOWN = ("CannotLookup", "NoUnsignedValidator", "Custom")


def partial_fee(runtime: Runtime, raw: bytes) -> int:
    """Of `TransactionPaymentApi_query_info`, in plancks."""
    if runtime.metadata.version >= 15:
        output = runtime.api("TransactionPaymentApi", "query_info").output
        return int(runtime.codec.decode(output, raw)["partial_fee"])
    size = len(runtime.metadata.pallet("Balances").constants["ExistentialDeposit"].value)
    if len(raw) <= size:
        raise DecodeError("the answer to query_info is cut off")
    return int.from_bytes(
        raw[-size:], "little"
    )  # the last field; how long the weight before it is, has changed


def applied(runtime: Runtime, raw: bytes) -> DryRun:
    """Of `BlockBuilder_apply_extrinsic`."""
    if runtime.metadata.version < 15:
        return _applied_by_hand(runtime, raw)
    outer: Variant = runtime.codec.decode(runtime.api("BlockBuilder", "apply_extrinsic").output, raw)
    if outer.name != "Ok":
        reason = outer.value
        return DryRun(invalid=f"{reason.name}: {getattr(reason.value, 'name', reason.value)}")
    inner: Variant = outer.value
    return DryRun(error=None if inner.name == "Ok" else runtime.dispatch_error(inner.value))


def _applied_by_hand(runtime: Runtime, raw: bytes) -> DryRun:
    if len(raw) < 2 or raw[0] > 1 or raw[1] > 1:
        raise DecodeError("the answer to apply_extrinsic is no result")
    if raw[0] == 1:
        known, kind = ((_INVALID, "Invalid"), (_UNKNOWN, "Unknown"))[raw[1]]
        code = raw[2] if len(raw) > 2 else len(known)
        return DryRun(invalid=f"{kind}: {known[code] if code < len(known) else code}")
    if raw[1] == 0:
        return DryRun()
    return DryRun(error=runtime.dispatch_error(runtime.codec.decode(_dispatch_error_type(runtime), raw[2:])))


def _dispatch_error_type(runtime: Runtime) -> Any:
    """As the event System.ExtrinsicFailed has it."""
    failed = runtime.metadata.variants("System", "events").find("ExtrinsicFailed")
    if failed is None:
        raise DecodeError("the runtime has no System.ExtrinsicFailed")
    return next(field.type for field in failed.fields if field.name in ("dispatch_error", None))
