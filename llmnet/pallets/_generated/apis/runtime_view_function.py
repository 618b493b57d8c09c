# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""Runtime API for executing view functions"""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, Err, Ok, View

from .. import types as t

_EXECUTE_VIEW_FUNCTION: ApiMethod[Ok[bytes] | Err[t.ViewFunctionDispatchError]] = ApiMethod(
    Entry(
        "RuntimeViewFunction",
        "execute_view_function",
        "a9e293e6096fd5aa",
        "(query_id: ViewFunctionId, input: Vec<u8>) -> Result<Vec<u8>, ViewFunctionDispatchError>",
        t.TYPES,
    )
)


async def execute_view_function(
    view: View, query_id: t.ViewFunctionId, input: bytes
) -> Ok[bytes] | Err[t.ViewFunctionDispatchError]:
    """Execute a view function query."""
    return await view.ask(_EXECUTE_VIEW_FUNCTION, {"query_id": query_id, "input": input})
