"""Finding an extrinsic in the blocks of its mortal window."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from llmnet.chain.errors import BlockNotFound
from llmnet.chain.hashing import blake2_256
from llmnet.chain.results import SignedExtrinsic
from llmnet.chain.rpc import Rpc

CHUNK = 8  # blocks read at once
IMMORTAL_WINDOW = 1 << 10  # how far an immortal extrinsic is looked for


@dataclass(frozen=True, slots=True)
class Place:
    block_hash: bytes
    number: int
    index: int


def last_candidate(extrinsic: SignedExtrinsic) -> int:
    if extrinsic.last_block is None:
        return extrinsic.first_block + IMMORTAL_WINDOW
    return extrinsic.last_block


async def find(rpc: Rpc, extrinsic: SignedExtrinsic, first: int, last: int) -> Place | None:
    """Looks through blocks `first` to `last` of the best chain, clipped to the extrinsic's window."""
    first, last = max(first, extrinsic.first_block), min(last, last_candidate(extrinsic))
    for start in range(first, last + 1, CHUNK):
        numbers = range(start, min(start + CHUNK, last + 1))
        places = await asyncio.gather(*(_find_in(rpc, extrinsic.hash, number) for number in numbers))
        found = next((place for place in places if place is not None), None)
        if found is not None:
            return found
    return None


async def _find_in(rpc: Rpc, extrinsic_hash: bytes, number: int) -> Place | None:
    block_hash = await rpc.block_hash(number)
    if block_hash is None:
        return None
    index = await index_in(rpc, block_hash, extrinsic_hash)
    return None if index is None else Place(block_hash, number, index)


async def index_in(rpc: Rpc, block_hash: bytes, extrinsic_hash: bytes) -> int | None:
    try:
        body = await rpc.body(block_hash)
    except BlockNotFound:  # reorganised away between the two requests
        return None
    return next((index for index, data in enumerate(body) if blake2_256(data) == extrinsic_hash), None)
