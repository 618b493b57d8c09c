"""Which life of the chain this is. A development chain that is started anew has the genesis, and so the hash, of the old one;
its numbers begin at zero again, and nothing that was kept is about them. Block 1 tells the lives apart.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Protocol

from llmnet.chain.client import Client
from llmnet.chain.errors import BegunAnew, ChainError

log = logging.getLogger(__name__)
LOOK_SECONDS = 5.0


class Memory(Protocol):
    """A store that knows which life it is about."""

    def enter(self, first_block: bytes) -> Path | None:
        """Be the store of the life whose block 1 has this hash. What is about another is set aside; where, is returned."""


async def enter_life(client: Client, store: Memory, pause: float = 0.5) -> bytes:
    """Make the store that of the chain's present life; one of another life is set aside. Waits for block 1 and returns its hash."""
    while (first_block := await client.block_hash(1)) is None:  # noqa: ASYNC110 - the node tells it to nobody
        await asyncio.sleep(pause)
    old = store.enter(first_block)
    if old is not None:
        log.warning("the chain has begun anew: what was kept about the old one is now in %s", old)
    return first_block


async def watch_life(client: Client, first_block: bytes, pause: float = LOOK_SECONDS) -> None:
    """Raise BegunAnew when the chain begins anew."""
    while True:
        await asyncio.sleep(pause)
        try:
            found = await client.block_hash(1)
        except (ChainError, OSError) as error:
            log.debug("the chain's life is unknown: %s", error)
            continue
        if found not in (None, first_block):
            raise BegunAnew("the chain has begun anew under this process: start it again")
