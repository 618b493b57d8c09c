"""Finding an extrinsic in the pool and in the blocks of its mortal window."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from llmnet.chain.errors import (
    BlockNotFound,
    MethodNotFound,
    RpcError,
    TransactionExpired,
    TransactionInvalid,
    TransactionUsurped,
    TransportError,
)
from llmnet.chain.hashing import blake2_256
from llmnet.chain.results import SignedExtrinsic
from llmnet.chain.rpc import Rpc, to_hex

log = logging.getLogger(__name__)
CHUNK = 8  # blocks read at once
IMMORTAL_WINDOW = 1 << 10  # how far an immortal extrinsic is looked for
RESENDS = 3  # hand-overs of the same bytes while searching
# Codes of Substrate's author RPC.
INVALID, BANNED, ALREADY_IMPORTED, PRIORITY_TOO_LOW = 1010, 1012, 1013, 1014


@dataclass(frozen=True, slots=True)
class Place:
    block_hash: bytes
    number: int
    index: int


class Search:
    """One extrinsic that nobody tells us about: `look()` until it is found or its window has passed.

    The *same bytes* are handed over again, a few times at most, when pool and blocks were both read without them."""

    def __init__(self, rpc: Rpc, extrinsic: SignedExtrinsic) -> None:
        self._rpc, self._extrinsic = rpc, extrinsic
        self._unscanned = extrinsic.first_block  # what is finalised before it was read
        self._resends = 0

    async def look(self, *, finalized: bool) -> Place | None:
        """Where it is, on the finalised or on the best chain. Raises TransactionExpired, TransactionUsurped,
        TransactionInvalid."""
        extrinsic = self._extrinsic
        in_pool = await self._in_pool()  # first, or a move from pool to block would be missed
        final = (await self._rpc.header(await self._rpc.finalized_hash())).number
        best_hash = await self._rpc.block_hash()
        assert best_hash is not None
        best = (await self._rpc.header(best_hash)).number
        try:
            place = await find(self._rpc, extrinsic, self._unscanned, best)
        except BlockNotFound as error:  # reorganised away meanwhile, or another node answers, which is behind
            log.info("looking for %s again: %s", extrinsic.call, error)
            return None
        if place is not None:
            return place if not finalized or place.number <= final else None
        self._unscanned = max(self._unscanned, min(final, best) + 1)
        if self._unscanned > last_candidate(extrinsic):
            message = f"{extrinsic.call} was never included"
            raise TransactionExpired(message, extrinsic.hash, extrinsic.last_block)
        if in_pool is False and self._resends < RESENDS and await self._may_still_be_included():
            self._resends += 1
            await self._hand_over_again()
        return None

    async def _may_still_be_included(self) -> bool:
        """Beyond its window the era's first bytes name another block, and even the signature would be called wrong."""
        last = self._extrinsic.last_block
        best = await self._rpc.block_hash()
        assert best is not None
        return last is not None and (await self._rpc.header(best)).number < last

    async def _in_pool(self) -> bool | None:
        """None if the node does not tell."""
        try:
            return any(blake2_256(data) == self._extrinsic.hash for data in await self._rpc.pending())
        except MethodNotFound:
            return None

    async def _hand_over_again(self) -> None:
        extrinsic = self._extrinsic
        log.info("%s is neither in the pool nor in a block: handing over the same bytes", extrinsic.call)
        try:
            await self._rpc.transport.request("author_submitExtrinsic", [to_hex(extrinsic.data)])
        except RpcError as error:
            # A node bans what it has put into a block, too: whether it has, is in the blocks.
            if error.code == BANNED or await refusal_is_void(self._rpc, extrinsic, error):
                return
            if not await self._may_still_be_included():
                return
            kind = TransactionUsurped if nonce_taken(error) else TransactionInvalid
            message = f"{extrinsic.call} is not accepted any more: {error}"
            raise kind(message, extrinsic.hash, extrinsic.last_block) from error
        except TransportError as error:
            log.info("no answer to the second hand-over: %s", error)


def nonce_taken(error: RpcError) -> bool:
    """Another transaction with this nonce is in a block (outdated) or in the pool (priority too low)."""
    outdated = error.code == INVALID and any(
        word in f"{error.message} {error.data}".lower() for word in ("outdated", "stale")
    )
    return outdated or error.code == PRIORITY_TOO_LOW


async def refusal_is_void(rpc: Rpc, extrinsic: SignedExtrinsic, error: RpcError) -> bool:
    """Whether a refused extrinsic is, or may be, in the pool or in a block all the same: then it is looked for.

    Behind one address, or after a reconnect, there may be several nodes. One that knows less than the one that called the
    nonce outdated cannot say that this very extrinsic did not use it."""
    if error.code == ALREADY_IMPORTED:
        return True
    outdated = nonce_taken(error) and error.code != PRIORITY_TOO_LOW
    behind = outdated and await _next_nonce(rpc, extrinsic.signer) <= extrinsic.nonce  # before looking
    return behind or not await is_absent(rpc, extrinsic)


async def _next_nonce(rpc: Rpc, account: bytes) -> int:
    """In the best block's state, the pool left out."""
    best = await rpc.block_hash()
    assert best is not None
    return int.from_bytes(await rpc.call("AccountNonceApi_account_nonce", account, best), "little")


def last_candidate(extrinsic: SignedExtrinsic) -> int:
    if extrinsic.last_block is None:
        return extrinsic.first_block + IMMORTAL_WINDOW
    return extrinsic.last_block


async def is_absent(rpc: Rpc, extrinsic: SignedExtrinsic) -> bool:
    """Whether every block of its window so far was read without finding it."""
    try:
        return await locate(rpc, extrinsic) is None
    except BlockNotFound:
        return False


async def locate(rpc: Rpc, extrinsic: SignedExtrinsic) -> Place | None:
    """Where the extrinsic is on the best chain, if it is. Raises BlockNotFound when blocks vanish meanwhile."""
    best = await rpc.block_hash()
    assert best is not None
    return await find(rpc, extrinsic, extrinsic.first_block, (await rpc.header(best)).number)


async def find(rpc: Rpc, extrinsic: SignedExtrinsic, first: int, last: int) -> Place | None:
    """Looks through blocks `first` to `last` of the best chain, clipped to the extrinsic's window. Raises BlockNotFound if
    one of them cannot be read: then nothing is known."""
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
        raise BlockNotFound(f"the node has no block {number}, which it should have")
    index = await index_in(rpc, block_hash, extrinsic_hash)
    return None if index is None else Place(block_hash, number, index)


async def index_in(rpc: Rpc, block_hash: bytes, extrinsic_hash: bytes) -> int | None:
    """Raises BlockNotFound."""
    body = await rpc.body(block_hash)
    return next((index for index, data in enumerate(body) if blake2_256(data) == extrinsic_hash), None)
