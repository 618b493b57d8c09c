"""Methods `chainSpec_v1_*`: which chain this is."""

from __future__ import annotations

from typing import Any

from llmnet.devnode.rpc.registry import Context, hex_of, method


@method("chainSpec_v1_chainName")
async def chain_name(context: Context) -> Any:
    return context.service.node.spec.name


@method("chainSpec_v1_genesisHash")
async def genesis_hash(context: Context) -> Any:
    return hex_of(context.service.node.genesis_hash)


@method("chainSpec_v1_properties")
async def properties(context: Context) -> Any:
    return dict(context.service.node.spec.properties)
