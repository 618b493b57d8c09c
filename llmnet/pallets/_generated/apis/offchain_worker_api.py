# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The offchain worker api."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, View

from .. import types as t

_OFFCHAIN_WORKER: ApiMethod[tuple[()]] = ApiMethod(
    Entry("OffchainWorkerApi", "offchain_worker", "495b1ccc067c9b7c", "(header: Header) -> ()", t.TYPES)
)


async def offchain_worker(view: View, header: t.Header) -> tuple[()]:
    """Starts the off-chain task for given block header."""
    return await view.ask(_OFFCHAIN_WORKER, {"header": header})
