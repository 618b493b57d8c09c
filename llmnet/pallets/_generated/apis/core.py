# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The `Core` runtime api that every Substrate runtime needs to implement."""

from __future__ import annotations

from llmnet.chain import ApiMethod, Entry, View

from .. import types as t

_VERSION: ApiMethod[t.RuntimeVersion] = ApiMethod(
    Entry("Core", "version", "55fe1260bd2d3bfb", "() -> RuntimeVersion", t.TYPES)
)


async def version(view: View) -> t.RuntimeVersion:
    """Returns the version of the runtime."""
    return await view.ask(_VERSION, {})


_EXECUTE_BLOCK: ApiMethod[tuple[()]] = ApiMethod(
    Entry("Core", "execute_block", "fbdd2275bb616fa3", "(block: LazyBlock) -> ()", t.TYPES)
)


async def execute_block(view: View, block: t.LazyBlock) -> tuple[()]:
    """Execute the given block."""
    return await view.ask(_EXECUTE_BLOCK, {"block": block})


_INITIALIZE_BLOCK: ApiMethod[t.ExtrinsicInclusionMode] = ApiMethod(
    Entry(
        "Core", "initialize_block", "af93de8b7efd8041", "(header: Header) -> ExtrinsicInclusionMode", t.TYPES
    )
)


async def initialize_block(view: View, header: t.Header) -> t.ExtrinsicInclusionMode:
    """Initialize a block with the given header and return the runtime executive mode."""
    return await view.ask(_INITIALIZE_BLOCK, {"header": header})
