"""Methods `dev_*`: what only a development node can do."""

from __future__ import annotations

from typing import Any

from llmnet.devnode.rpc.registry import Context, hex_of, method, parse_number

_MAX_BLOCKS = 1000


@method("dev_newBlock")
async def new_block(context: Context, count: Any = 1) -> Any:
    """Makes `count` blocks now, whatever the seal, and answers the hash of the last one."""
    for _ in range(max(1, parse_number(count, "count", _MAX_BLOCKS))):
        produced = await context.service.produce()
    return hex_of(produced.block.hash)
