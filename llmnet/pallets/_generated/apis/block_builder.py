# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The `BlockBuilder` api trait that provides the required functionality for building a block."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, Err, Ok, View

from .. import types as t

_APPLY_EXTRINSIC: ApiMethod[Ok[Ok[tuple[()]] | Err[t.DispatchError]] | Err[t.TransactionValidityError]] = (
    ApiMethod(
        Entry(
            "BlockBuilder",
            "apply_extrinsic",
            "162dd6f774714a84",
            "(extrinsic: UncheckedExtrinsic) -> Result<Result<(), DispatchError>, TransactionValidityError>",
            t.TYPES,
        )
    )
)


async def apply_extrinsic(
    view: View, extrinsic: t.UncheckedExtrinsic
) -> Ok[Ok[tuple[()]] | Err[t.DispatchError]] | Err[t.TransactionValidityError]:
    """Apply the given extrinsic.

    Returns an inclusion outcome which specifies if this extrinsic is included in this block or not.
    """
    return await view.ask(_APPLY_EXTRINSIC, {"extrinsic": extrinsic})


_FINALIZE_BLOCK: ApiMethod[t.Header] = ApiMethod(
    Entry("BlockBuilder", "finalize_block", "2ec5e41d6517bef2", "() -> Header", t.TYPES)
)


async def finalize_block(view: View) -> t.Header:
    """Finish the current block."""
    return await view.ask(_FINALIZE_BLOCK, {})


_INHERENT_EXTRINSICS: ApiMethod[tuple[t.UncheckedExtrinsic, ...]] = ApiMethod(
    Entry(
        "BlockBuilder",
        "inherent_extrinsics",
        "a123cdab732ea0dd",
        "(inherent: InherentData) -> Vec<UncheckedExtrinsic>",
        t.TYPES,
    )
)


async def inherent_extrinsics(view: View, inherent: t.InherentData) -> tuple[t.UncheckedExtrinsic, ...]:
    """Generate inherent extrinsics. The inherent data will vary from chain to chain."""
    return await view.ask(_INHERENT_EXTRINSICS, {"inherent": inherent})


_CHECK_INHERENTS: ApiMethod[t.CheckInherentsResult] = ApiMethod(
    Entry(
        "BlockBuilder",
        "check_inherents",
        "1c85e268b05900b2",
        "(block: LazyBlock, data: InherentData) -> CheckInherentsResult",
        t.TYPES,
    )
)


async def check_inherents(view: View, block: t.LazyBlock, data: t.InherentData) -> t.CheckInherentsResult:
    """Check that the inherents are valid. The inherent data will vary from chain to chain."""
    return await view.ask(_CHECK_INHERENTS, {"block": block, "data": data})
