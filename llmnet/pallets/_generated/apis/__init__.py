# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The runtime APIs, one module each."""

from . import (
    account_nonce_api,
    aura_api,
    block_builder,
    core,
    genesis_builder,
    grandpa_api,
    metadata,
    offchain_worker_api,
    runtime_view_function,
    session_keys,
    tagged_transaction_queue,
    transaction_payment_api,
    transaction_payment_call_api,
)

__all__ = [
    "account_nonce_api",
    "aura_api",
    "block_builder",
    "core",
    "genesis_builder",
    "grandpa_api",
    "metadata",
    "offchain_worker_api",
    "runtime_view_function",
    "session_keys",
    "tagged_transaction_queue",
    "transaction_payment_api",
    "transaction_payment_call_api",
]
