"""The life of a transaction: signed, handed to the pool once, watched, and looked for when watching fails.

    signed ──▶ handed over ──▶ in block ──▶ finalised
                  │    │           └─▶ retracted ─▶ (back in the pool)
                  │    └─▶ invalid | dropped | usurped          raised as TransactionError
                  └─▶ refused                                   TransactionRejected: it never was in a block
    connection lost at any point ─▶ search: pool, then blocks of the mortal window, until found or expired

Nothing is sent twice blindly. While searching, the *same signed bytes* are handed over again only after pool
and blocks were both read without finding them; their nonce and their era make a second inclusion
impossible."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal

from llmnet.chain.errors import (
    MethodNotFound,
    RpcError,
    SubscriptionLost,
    TransactionDropped,
    TransactionError,
    TransactionExpired,
    TransactionInvalid,
    TransactionRejected,
    TransactionUnresolved,
    TransactionUsurped,
    TransportError,
)
from llmnet.chain.extrinsic import ERA_PERIOD, Era, Signer, Signing, sign_extrinsic
from llmnet.chain.hashing import blake2_256
from llmnet.chain.nonces import Lease, NonceManager
from llmnet.chain.results import Header, SignedExtrinsic
from llmnet.chain.rpc import Rpc, from_hex, to_hex
from llmnet.chain.runtimes import Runtimes
from llmnet.chain.search import Place, find, index_in, last_candidate
from llmnet.chain.transport import Subscription
from llmnet.chain.values import Call

log = logging.getLogger(__name__)
Wait = Literal["in_block", "finalized"]
ATTEMPTS = 4  # signings of one call when its nonce was taken by somebody else in the meantime
RESENDS = 3  # hand-overs of the same bytes while searching
_INVALID, _ALREADY_IMPORTED, _PRIORITY_TOO_LOW = 1010, 1013, 1014  # codes of Substrate's author RPC
_ENDS: dict[str, type[TransactionError]] = {
    "invalid": TransactionInvalid,
    "dropped": TransactionDropped,
    "usurped": TransactionUsurped,
}


class Submitter:
    """poll: seconds between looks at the chain while searching."""

    def __init__(
        self, rpc: Rpc, runtimes: Runtimes, nonces: NonceManager, genesis: bytes, poll: float = 0.5
    ) -> None:
        self._rpc, self._runtimes, self._nonces, self._genesis, self._poll = (
            rpc,
            runtimes,
            nonces,
            genesis,
            poll,
        )

    async def sign(
        self,
        call: Call,
        signer: Signer,
        nonce: int,
        tip: int = 0,
        period: int | None = ERA_PERIOD,
        anchor: Header | None = None,
    ) -> SignedExtrinsic:
        """Signs for the runtime of the best block. Mortal from `anchor` on (default: the finalised head);
        immortal if period is None."""
        best = await self._rpc.block_hash()
        assert best is not None
        runtime = await self._runtimes.at(best)
        era, birth_hash = None, self._genesis
        if period is not None:
            anchor = anchor or await self._rpc.header(await self._rpc.finalized_hash())
            era, birth_hash = Era.mortal(anchor.number, period), anchor.hash
            if era.birth != anchor.number:
                birth_hash = await self._rpc.block_hash(era.birth) or birth_hash
        return sign_extrinsic(runtime, call, signer, Signing(self._genesis, birth_hash, era, nonce, tip))

    async def submit(
        self, call: Call, signer: Signer, wait: Wait, tip: int, period: int, timeout: float | None
    ) -> tuple[SignedExtrinsic, Place]:
        """Where the transaction landed. Raises TransactionError (see errors.py), and before it was handed
        over also what signing raises."""
        extrinsic, subscription = await self._hand_over(call, signer, tip, period)
        landed = False
        try:
            async with asyncio.timeout(timeout):
                place = await self._await_place(extrinsic, subscription, wait)
            landed = True
            return extrinsic, place
        except TimeoutError:
            raise _failure(TransactionUnresolved, f"{call} was not seen in {timeout} s", extrinsic) from None
        except TransportError as error:
            raise _failure(
                TransactionUnresolved, f"the node cannot be asked about {call}: {error}", extrinsic
            ) from error
        finally:
            self._nonces.settle(extrinsic.signer, extrinsic.nonce, landed)

    async def locate(self, extrinsic: SignedExtrinsic) -> Place | None:
        """Where the extrinsic is on the best chain, if it is."""
        best = await self._rpc.block_hash()
        assert best is not None
        head = await self._rpc.header(best)
        return await find(self._rpc, extrinsic, extrinsic.first_block, head.number)

    async def _hand_over(
        self, call: Call, signer: Signer, tip: int, period: int
    ) -> tuple[SignedExtrinsic, Subscription | None]:
        """Gives the transaction to the pool; without a subscription it is not known whether it got there."""
        for attempt in range(ATTEMPTS):
            async with self._nonces.reserve(signer.public) as lease:
                extrinsic = await self.sign(call, signer, lease.nonce, tip, period)
                try:
                    return extrinsic, await self._open(extrinsic, lease)
                except RpcError as error:
                    if error.code == _ALREADY_IMPORTED or await self.locate(extrinsic) is not None:
                        lease.consume()
                        return extrinsic, None
                    if not _nonce_taken(error) or attempt == ATTEMPTS - 1:
                        raise _failure(
                            TransactionRejected, f"{call} was refused: {error}", extrinsic
                        ) from error
                    log.info("nonce %d of %s was taken, asking again", lease.nonce, signer.public.hex())
        raise AssertionError("unreachable")

    async def _open(self, extrinsic: SignedExtrinsic, lease: Lease) -> Subscription | None:
        method, params = "author_submitAndWatchExtrinsic", [to_hex(extrinsic.data)]
        try:
            subscription = await self._rpc.transport.subscribe(method, params, "author_unwatchExtrinsic")
        except TransportError as error:
            log.warning("%s was sent but not answered (%s): looking for it", extrinsic.call, error)
            lease.consume()
            return None
        lease.consume()
        return subscription

    async def _await_place(
        self, extrinsic: SignedExtrinsic, subscription: Subscription | None, wait: Wait
    ) -> Place:
        if subscription is not None:
            async with subscription:
                try:
                    place = await self._watch(extrinsic, subscription, wait)
                except SubscriptionLost as error:
                    log.warning("lost sight of %s (%s): looking for it", extrinsic.call, error)
                    place = None
            if place is not None:
                return place
        return await self._search(extrinsic, wait)

    async def _watch(
        self, extrinsic: SignedExtrinsic, subscription: Subscription, wait: Wait
    ) -> Place | None:
        """Follows the node's reports; None if they ended without a verdict, or with one that the blocks
        contradict."""
        async for status in subscription:
            kind, value = _parse_status(status)
            if kind == "finalized" or (kind == "inBlock" and wait == "in_block"):
                return await self._confirm(extrinsic, value)
            if kind in _ENDS:
                if await self.locate(extrinsic) is not None:
                    return None
                raise _failure(_ENDS[kind], f"{extrinsic.call} is {kind}", extrinsic)
            if kind == "finalityTimeout":
                return None
            log.debug("%s: %s", extrinsic.call, kind)
        return None

    async def _confirm(self, extrinsic: SignedExtrinsic, value: Any) -> Place | None:
        block_hash = from_hex(value)
        index = await index_in(self._rpc, block_hash, extrinsic.hash)
        if index is None:
            return None
        return Place(block_hash, (await self._rpc.header(block_hash)).number, index)

    async def _search(self, extrinsic: SignedExtrinsic, wait: Wait) -> Place:
        """Until it is found, or its window has passed on the finalised chain."""
        scanned, resends = extrinsic.first_block, 0
        while True:
            in_pool = await self._in_pool(extrinsic)  # first, or a move from pool to block would be missed
            final = (await self._rpc.header(await self._rpc.finalized_hash())).number
            best_hash = await self._rpc.block_hash()
            assert best_hash is not None
            best = (await self._rpc.header(best_hash)).number
            place = await find(self._rpc, extrinsic, scanned, best)
            if place is not None and (wait == "in_block" or place.number <= final):
                return place
            if place is None:
                scanned = max(scanned, final + 1)
                if final >= last_candidate(extrinsic):
                    raise _failure(TransactionExpired, f"{extrinsic.call} was never included", extrinsic)
                if in_pool is False and resends < RESENDS and extrinsic.last_block is not None:
                    resends += 1
                    await self._hand_over_again(extrinsic)
            await asyncio.sleep(self._poll)

    async def _in_pool(self, extrinsic: SignedExtrinsic) -> bool | None:
        """None if the node does not tell."""
        try:
            return any(blake2_256(data) == extrinsic.hash for data in await self._rpc.pending())
        except MethodNotFound:
            return None

    async def _hand_over_again(self, extrinsic: SignedExtrinsic) -> None:
        log.info("%s is neither in the pool nor in a block: handing over the same bytes", extrinsic.call)
        try:
            await self._rpc.transport.request("author_submitExtrinsic", [to_hex(extrinsic.data)])
        except RpcError as error:
            if error.code == _ALREADY_IMPORTED or await self.locate(extrinsic) is not None:
                return
            kind = TransactionUsurped if _nonce_taken(error) else TransactionInvalid
            raise _failure(kind, f"{extrinsic.call} is not accepted any more: {error}", extrinsic) from error
        except TransportError as error:
            log.info("no answer to the second hand-over: %s", error)


def _nonce_taken(error: RpcError) -> bool:
    """Another transaction with this nonce is in a block (outdated) or in the pool (priority too low)."""
    outdated = error.code == _INVALID and any(
        word in f"{error.message} {error.data}".lower() for word in ("outdated", "stale")
    )
    return outdated or error.code == _PRIORITY_TOO_LOW


def _parse_status(status: Any) -> tuple[str, Any]:
    """A status is a word or an object with one entry."""
    if isinstance(status, dict) and len(status) == 1:
        return next(iter(status.items()))
    return (status, None) if isinstance(status, str) else ("unknown", status)


def _failure(kind: type[TransactionError], message: str, extrinsic: SignedExtrinsic) -> TransactionError:
    return kind(message, extrinsic.hash, extrinsic.last_block)
