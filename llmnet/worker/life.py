"""Which life of the chain this is. A development chain that is started anew has the genesis, and so the hash, of the old one;
its sessions begin at zero again, and nothing that was kept is about them. Block 1 tells the lives apart.
"""

from __future__ import annotations

import asyncio
import logging

from llmnet.chain import ChainError, Client

from .errors import WorkerError
from .store import Store

log = logging.getLogger(__name__)
LOOK_SECONDS = 5.0


async def enter_life(client: Client, store: Store) -> bytes | None:
    """Make the store that of the chain's present life; one of another life is set aside. The hash of block 1."""
    first_block = await client.block_hash(1)
    if first_block is not None:
        old = store.enter(first_block)
        if old is not None:
            log.warning("the chain has begun anew: what was kept about the old one is now in %s", old)
    return first_block


async def watch_life(client: Client, first_block: bytes | None, pause: float = LOOK_SECONDS) -> None:
    """Raise WorkerError when the chain begins anew."""
    while True:
        await asyncio.sleep(pause)
        try:
            found = await client.block_hash(1)
        except (ChainError, OSError) as error:
            log.debug("the chain's life is unknown: %s", error)
            continue
        if None not in (found, first_block) and found != first_block:
            raise WorkerError("the chain has begun anew under this worker: start it again")
