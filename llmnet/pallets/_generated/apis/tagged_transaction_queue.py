# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The `TaggedTransactionQueue` api trait for interfering with the transaction queue."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, Err, Ok, View

from .. import types as t

_VALIDATE_TRANSACTION: ApiMethod[Ok[t.ValidTransaction] | Err[t.TransactionValidityError]] = ApiMethod(
    Entry(
        "TaggedTransactionQueue",
        "validate_transaction",
        "8d3d256cdd1ff138",
        "(source: TransactionSource, tx: UncheckedExtrinsic, block_hash: H256) -> Result<ValidTransaction, TransactionValidityError>",
        t.TYPES,
    )
)


async def validate_transaction(
    view: View, source: t.TransactionSource, tx: t.UncheckedExtrinsic, block_hash: t.H256
) -> Ok[t.ValidTransaction] | Err[t.TransactionValidityError]:
    """Validate the transaction.

    This method is invoked by the transaction pool to learn details about given transaction. The
    implementation should make sure to verify the correctness of the transaction against current state.
    The given `block_hash` corresponds to the hash of the block that is used as current state.

    Note that this call may be performed by the pool multiple times and transactions might be verified
    in any possible order.
    """
    return await view.ask(_VALIDATE_TRANSACTION, {"source": source, "tx": tx, "block_hash": block_hash})
